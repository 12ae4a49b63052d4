"""Whatever comes in as a task's input or an answer's body: a request or a reason, and an output that can be stored."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batuta.builtin.http_answer import body_value
from batuta.builtin.http_request import read_request
from batuta.builtin.http_uri import CallFailed, IoFailed, follow, read_template

WORDS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["uri", "method", "headers", "body", "accept", "contentType", "connectionTimeOut", "readTimeOut", "http_request"]
INPUTS = st.dictionaries(st.sampled_from(FIELDS), VALUES) | st.fixed_dictionaries(
    {"uri": st.just("http://h.example/") | WORDS.map("http://h.example/{}".format), "method": st.just("POST")},
    optional=dict.fromkeys(FIELDS[2:8], VALUES),
)
PRINTABLE = {chr(code) for code in range(0x21, 0x7F)}


@settings(deadline=None)  # The machine may be busy.
@given(INPUTS)
def test_an_input_is_a_request_or_a_reason(task_input: dict[str, Any]) -> None:
    try:
        request = read_request(task_input)
    except CallFailed as error:
        assert str(error)
        return
    assert set(request.target.path) <= PRINTABLE
    assert not any(set(value) & set(b"\r\n\0") for value in request.headers.values())
    assert len({name.lower() for name in request.headers}) == len(request.headers)


@settings(deadline=None)
@given(WORDS)
@example("http://h/\ud800")
def test_an_address_is_one_or_none(text: str) -> None:
    try:
        assert set(read_template(text).path) <= PRINTABLE
    except (CallFailed, IoFailed) as error:
        assert str(error)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255)))
def test_a_location_leads_on_or_nowhere(location: str) -> None:
    try:
        target = follow(read_template("http://h.example/a"), location)
        assert set(target.path) <= PRINTABLE
        assert target.origin.scheme in ("http", "https")
    except IoFailed as error:
        assert str(error)


@settings(deadline=None)
@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()) | st.text().map(lambda text: json.dumps(text).encode()))
def test_a_body_becomes_what_can_be_stored(body: bytes) -> None:
    value = body_value(body, "application/json")
    assert msgspec.json.decode(msgspec.json.encode(value)) == value


@settings(deadline=None)
@given(VALUES.filter(lambda value: isinstance(value, (dict, list))))
def test_objects_and_lists_come_as_they_were_sent(value: Any) -> None:
    assert body_value(json.dumps(value).encode(), "application/json") == value
