"""The system check of OPERATIONS_TICKET_RAISER."""

import pytest
from django.core.checks.registry import registry

from apps.operations.ticket_raising import check_ticket_raiser


def test_a_function_passes(settings):
    settings.OPERATIONS_TICKET_RAISER = "apps.organization.local_time.in_zone"
    assert check_ticket_raiser() == []


@pytest.mark.parametrize(
    "path", ["apps.nowhere.services.raise_ticket", "apps.organization.models.nothing", "x", None, 7]
)
def test_anything_else_is_an_error_with_a_hint(settings, path):
    settings.OPERATIONS_TICKET_RAISER = path
    [error] = check_ticket_raiser()
    assert error.id == "operations.E001"
    assert repr(path) in error.msg
    assert "dotted path" in error.hint


def test_a_value_that_is_no_function_is_an_error(settings):
    settings.OPERATIONS_TICKET_RAISER = "apps.operations.tasks.BUDGET_SECONDS"
    assert [error.id for error in check_ticket_raiser()] == ["operations.E001"]


def test_a_missing_setting_is_an_error(settings):
    del settings.OPERATIONS_TICKET_RAISER
    assert [error.id for error in check_ticket_raiser()] == ["operations.E001"]


def test_manage_py_check_knows_it():
    assert check_ticket_raiser in registry.get_checks()
