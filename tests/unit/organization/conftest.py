import pytest


@pytest.fixture(autouse=True)
def empty_static_root(settings, tmp_path):
    """WhiteNoise warns of a folder that is not there; these tests serve no static files."""
    settings.STATIC_ROOT = tmp_path
