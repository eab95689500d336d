import json
import logging
import logging.config
from io import StringIO

import pytest

from apps.core import context, logs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail to ann.b+c@example.co.in failed", "mail to [e-mail] failed"),
        ("redis://:s3cret@host:6379/0 is down", "redis://[credentials]@host:6379/0 is down"),
        ("postgresql://u:p@h/db", "postgresql://[credentials]@h/db"),
        ("Authorization: Bearer abcdef123456", "Authorization: [secret] [secret]"),
        ("password=hunter2 user=x", "password=[secret] user=x"),
        ("{'api_key': 'abc-123', 'n': 1}", "{'api_key': '[secret]', 'n': 1}"),
        ("GET /x/eyJhIjoxfQ:1vNsxY:R9-abc_def/", "GET /x/[secret]/"),
        ("jwt eyJhbGciOi.eyJzdWIiOi.SflKxwRJ", "jwt [secret]"),
        ("call +91 98450 12345 now", "call [phone] now"),
        (
            "DETAIL:  Key (email, site)=(x, 3) already exists.",
            "DETAIL:  Key (email, site)=([values]) already exists.",
        ),
        ("x\nDETAIL:  Failing row contains (1, Ann (x), a).", "x\nDETAIL:  Failing row contains ([values])."),
        ("job 12:42 took 3.5 s", "job 12:42 took 3.5 s"),
    ],
)
def test_secrets_and_personal_data_are_taken_out(text: str, expected: str) -> None:
    assert logs.redact(text) == expected


@pytest.fixture
def written() -> StringIO:
    stream = StringIO()
    config = logs.logging_config(level="INFO")
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    return stream


def test_each_line_is_a_json_object_with_the_context(written: StringIO) -> None:
    with context.using(tenant_id=7, correlation_id="c"):
        logs.get_logger("x.y").info("thing.done", count=3)
    line = json.loads(written.getvalue())
    assert {key: line[key] for key in ("event", "count", "tenant_id", "correlation_id", "level", "logger")} == {
        "event": "thing.done",
        "count": 3,
        "tenant_id": "7",
        "correlation_id": "c",
        "level": "info",
        "logger": "x.y",
    }


def test_lines_of_other_libraries_are_redacted_too(written: StringIO) -> None:
    try:
        raise ValueError("no such user: ann@example.com")
    except ValueError:
        logging.getLogger("library").exception("failed for %s", "bob@example.com")
    line = json.loads(written.getvalue())
    assert line["event"] == "failed for [e-mail]"
    assert "example.com" not in written.getvalue()
    assert "ValueError" in line["exception"]
