"""The conversions that Conductor's reader makes, as seen on a running server, and what is refused instead of guessed."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.errors import Invalid
from batuta.wire.shape import Anything, ListOf, Record, Table, Text, choice, flag, integer, listing, optional, table, text

INNER = Record("Inner", text("word"), integer("count", 1))
SHAPE = Record(
    "Shape",
    integer("number", 3),
    integer("wide", 0, bits=64),
    integer("maybe"),
    text("word"),
    flag("yes", True),
    flag("perhaps"),
    choice("colour", "RED", "BLUE", default="RED"),
    choice("shade", "DARK", "LIGHT"),
    listing("words", Text()),
    table("map"),
    table("texts", Text()),
    optional("inner", INNER),
    optional("any", Anything()),
)
DEFAULTS = {"number": 3, "wide": 0, "yes": True, "colour": "RED", "words": [], "map": {}, "texts": {}}
GONE = object()

#    field      sent            becomes
READ = [
    ("number",  5,              5),
    ("number",  "5",            5),
    ("number",  " 7 ",          7),
    ("number",  5.0,            5),
    ("number",  5.7,            5),
    ("number",  -1.5,           -1),
    ("number",  "",             0),
    ("number",  None,           0),
    ("number",  2**31 - 1,      2**31 - 1),
    ("wide",    2**40,          2**40),
    ("wide",    "99999999999",  99999999999),
    ("maybe",   "5",            5),
    ("maybe",   "",             GONE),
    ("maybe",   None,           GONE),
    ("word",    "",             ""),
    ("word",    5,              "5"),
    ("word",    5.5,            "5.5"),
    ("word",    True,           "true"),
    ("word",    None,           GONE),
    ("yes",     "true",         True),
    ("yes",     "FALSE",        False),
    ("yes",     "",             False),
    ("yes",     0,              False),
    ("yes",     2,              True),
    ("yes",     None,           False),
    ("perhaps", None,           GONE),
    ("perhaps", False,          False),
    ("colour",  "BLUE",         "BLUE"),
    ("colour",  "BLUE ",        "BLUE"),
    ("colour",  None,           "RED"),
    ("shade",   None,           GONE),
    ("words",   ["a", 1, True], ["a", "1", "true"]),
    ("words",   None,           []),
    ("map",     {"a": None},    {"a": None}),
    ("map",     None,           {}),
    ("texts",   {"a": 1},       {"a": "1"}),
    ("inner",   {},             {"count": 1}),
    ("inner",   {"x": 1},       {"count": 1}),
    ("inner",   None,           GONE),
    ("any",     [{"a": None}],  [{"a": None}]),
    ("any",     None,           GONE),
    ("unknown", 1,              GONE),
]  # fmt: skip


@pytest.mark.parametrize(("field", "sent", "becomes"), READ)
def test_a_field_is_read_as_conductor_reads_it(field: str, sent: Any, becomes: Any) -> None:
    read = SHAPE.read({field: sent})
    assert read.get(field, GONE) == becomes
    assert type(read.get(field, GONE)) is type(becomes)


#    field      sent              what is said
REFUSED = [
    ("number",  "many",           "number is the text 'many'; expected a whole number"),
    ("number",  "5.7",            "number is the text '5.7'; expected a whole number"),
    ("number",  "1e2",            "number is the text '1e2'; expected a whole number"),
    ("number",  True,             "number is true; expected a whole number"),
    ("number",  [5],              "number is a list; expected a whole number"),
    ("number",  {},               "number is an object; expected a whole number"),
    ("number",  2**31,            "number is the number 2147483648; expected a whole number of 32 bits"),
    ("number",  1e300,            "number is the number 1e+300; expected a whole number"),
    ("wide",    2**63,            "wide is the number 9223372036854775808; expected a whole number of 64 bits"),
    ("word",    ["a"],            "word is a list; expected a text"),
    ("yes",     "yes",            "yes is the text 'yes'; expected true or false"),
    ("yes",     1.0,              "yes is the number 1.0; expected true or false"),
    ("colour",  "red",            "colour is the text 'red'; expected one of RED, BLUE"),
    ("colour",  0,                "colour is the number 0; expected one of RED, BLUE"),
    ("words",   "a",              "words is the text 'a'; expected a list"),
    ("words",   ["a", None],      "words[1] is null; expected a text"),
    ("map",     [],               "map is a list; expected an object"),
    ("texts",   {"a": []},        "texts.a is a list; expected a text"),
    ("inner",   {"count": "x"},   "inner.count is the text 'x'; expected a whole number"),
    ("inner",   [],               "inner is a list; expected an object"),
    ("number",  "x" * 200,        f"number is the text {'x' * 57!r}…; expected a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "sent", "message"), REFUSED)
def test_a_field_that_cannot_be_meant_is_named(field: str, sent: Any, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        SHAPE.read({field: sent})
    assert str(refused.value) == message


def test_what_is_not_sent_gets_its_default_and_never_a_shared_one() -> None:
    one, two = SHAPE.read({}), SHAPE.read({})
    assert one == DEFAULTS
    assert one["words"] is not two["words"] and one["map"] is not two["map"]


def test_reading_what_was_read_changes_nothing_not_even_the_order() -> None:
    read = SHAPE.read({"inner": {"word": 1}, "number": "9", "any": {"z": 1, "a": 2}})
    again = SHAPE.read(read)
    assert again == read and list(again) == list(read) == [f.name for f in SHAPE.fields if f.name in read]


@pytest.mark.parametrize("sent", [None, [], "x", 1, True])
def test_a_record_is_an_object(sent: Any) -> None:
    with pytest.raises(Invalid, match=r"^the body is .*; expected an object$"):
        SHAPE.read(sent)


def test_an_object_nested_beyond_sense_is_refused() -> None:
    tree = Record("Tree")
    tree.define(listing("branches", tree))
    sent: dict[str, Any] = {}
    for _ in range(5_000):
        sent = {"branches": [sent]}
    with pytest.raises(Invalid, match="nested too deeply"):
        tree.read(sent)


def test_members_of_lists_and_tables_are_named_by_their_place() -> None:
    with pytest.raises(Invalid, match=r"^a\[1\]\.k\[0\]\.count is the text 'x'"):
        ListOf(Table(ListOf(INNER))).read([{}, {"k": [{"count": "x"}]}], "a")


def test_the_schema_says_what_is_read() -> None:
    properties = SHAPE.component()["properties"]
    assert properties["number"] == {"type": "integer", "format": "int32", "default": 3}
    assert properties["colour"] == {"type": "string", "enum": ["RED", "BLUE"], "default": "RED"}
    assert properties["texts"] == {"type": "object", "additionalProperties": {"type": "string"}, "default": {}}
    assert properties["inner"] == {"$ref": "#/components/schemas/Inner"}
    assert properties["any"] == {}
