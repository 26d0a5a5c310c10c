"""Log lines."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from oneapi.runtime import logs, telemetry
from oneapi.runtime.relay_keys import mint

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    made = io.StringIO()
    logs.configure("edge", "info", stream=made)
    yield made
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_what_when_and_where(stream: io.StringIO) -> None:
    logging.getLogger("a.b").info("it is %s", "so", extra={"fields": {"count": 3, "names": ["x"], "level": "no"}})
    logging.getLogger("a.b").debug("not this")
    (line,) = lines(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "service": "edge",
        "logger": "a.b",
        "message": "it is so",
        "count": 3,
        "names": ["x"],
    }


def test_a_line_knows_its_trace(stream: io.StringIO) -> None:
    made = telemetry.setup("test", sample=1, endpoint=None)
    with telemetry.tracer().start_as_current_span("a", context=telemetry.context_from(SAMPLED)):
        logging.getLogger("a").warning("in")
    logging.getLogger("a").warning("out")
    made.shutdown()
    inside, outside = lines(stream)
    assert inside["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert len(inside["span_id"]) == 16
    assert "trace_id" not in outside


def test_no_secret_gets_through(stream: io.StringIO) -> None:
    key = mint()
    logger = logging.getLogger("a")
    logger.error(
        "the key %s", key, extra={"fields": {"authorization": "hush", "deep": {"url": f"x {key}"}, "o": [key]}}
    )
    try:
        raise ValueError(f"bad {key}")
    except ValueError:
        logger.exception("failed")
    text = stream.getvalue()
    assert key not in text
    assert key[5:20] not in text
    assert "hush" not in text
    assert lines(stream)[0]["authorization"] == "[redacted]"
    assert "ValueError: bad [redacted]" in lines(stream)[1]["exception"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        logs.configure("edge", "loud")


def test_a_field_that_is_no_json_becomes_text(stream: io.StringIO) -> None:
    logging.getLogger("a").info("a", extra={"fields": {"what": object, "bytes": b"x", "set": {1}}})
    (line,) = lines(stream)
    assert line["what"] == "<class 'object'>"
    assert line["set"] == [1]


def test_libraries_do_not_repeat_what_upstreams_say(stream: io.StringIO) -> None:
    logging.getLogger("mcp.client.streamable_http").error("Error parsing: an answer")
    logging.getLogger("httpx2").info("HTTP Request: POST https://upstream.example")
    logging.getLogger("httpcore2.http11").info("receive_response_headers.complete")
    assert lines(stream) == []
