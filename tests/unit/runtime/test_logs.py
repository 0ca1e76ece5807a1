"""A log line is one JSON object with the request's ids."""

import json
import logging
import sys
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.runtime.context import begin, within
from headrace.runtime.logs import JsonFormatter


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")
    email: int


def _line(message: str, *arguments: object, **given: Any) -> dict[str, Any]:
    logger = logging.Logger("headrace.test")
    record = logger.makeRecord(
        "headrace.test",
        logging.WARNING,
        __file__,
        1,
        message,
        arguments,
        given.pop("exc_info", None),
        extra=given,
    )
    text = JsonFormatter("ranker").format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line_says_when_who_and_what() -> None:
    line = _line("%d items, %s", 3, "größer")
    assert line["message"] == "3 items, größer"
    assert (line["level"], line["service"], line["logger"]) == (
        "WARNING",
        "ranker",
        "headrace.test",
    )
    assert line["time"].endswith("+00:00")
    assert "request_id" not in line


def test_inside_a_request_it_has_its_ids() -> None:
    with within(begin("request-7", None)) as context:
        line = _line("hello")
    assert (line["request_id"], line["trace_id"]) == ("request-7", context.trace_id)


def test_inside_a_span_it_has_that_too() -> None:
    with within(replace(begin("request-7", None), span_id="00f067aa0ba902b7")):
        assert _line("hello")["span_id"] == "00f067aa0ba902b7"
    with within(begin("request-7", None)):
        assert "span_id" not in _line("hello")


def test_extra_fields_stay_fields_whatever_they_hold() -> None:
    line = _line("hello", topic="events", offsets={1: 2}, thing=object)
    assert line["topic"] == "events"
    assert line["offsets"] == {"1": 2}
    assert line["thing"] == "<class 'object'>"


def test_an_exception_keeps_its_traceback_on_the_same_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = _line("failed", exc_info=sys.exc_info())
    assert "ValueError: two\nlines" in line["exception"]
    assert "Traceback" in line["exception"]


def test_what_postgres_quotes_of_a_row_is_left_out() -> None:
    told = (
        'duplicate key value violates unique constraint "accounts_email_key"\n'
        "DETAIL:  Key (email)=(ann@example.com) already exists.\n"
        "CONTEXT:  COPY accounts, line 1: ann@example.com\n"
        "HINT:  Try another."
    )
    try:
        raise ValueError(told)
    except ValueError as error:
        line = _line("refused: %s", error, exc_info=sys.exc_info())
    for text in (line["message"], line["exception"]):
        assert "accounts_email_key" in text
        assert "HINT:  Try another." in text
        assert "ann@example.com" not in text


def test_what_pydantic_quotes_of_what_was_sent_is_left_out() -> None:
    with pytest.raises(ValidationError) as refused:
        _Sent.model_validate(
            {"email": "ann@example.com", "address": "1, Main [Street], input_type=x"}
        )
    line = _line("refused", exc_info=refused._excinfo)
    assert "[type=int_parsing, input_type=str]" in line["exception"]
    assert "[type=extra_forbidden, " in line["exception"]
    assert "ann@example.com" not in line["exception"]
    assert "Main" not in line["exception"]
