"""Free text: what a person types, and what it is taken to mean."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.core.freetext import parse_text
from batuta.core.query import All, Any_, Compare, Not
from batuta.errors import Invalid

FIELDS = {"status", "startTime", "workflowType"}


def text(value: str) -> Compare:
    return Compare("*", "=", (value,))


A, B, C = text("a"), text("b"), text("c")
FAILED = Compare("status", "=", ("FAILED",))
#    typed                                          means
READ: list[tuple[str, Any]] = [
    ("*",                                           None),
    ("",                                            None),
    (" *:* ",                                       None),
    ("**",                                          None),
    ("status:*",                                    None),
    ("a OR *",                                      None),
    ("a",                                           A),
    ("a*",                                          A),
    ("a b",                                         All((A, B))),
    ("a AND b",                                     All((A, B))),
    ("+a +b",                                       All((A, B))),
    ("a OR b",                                      Any_((A, B))),
    ("a b OR c",                                    Any_((All((A, B)), C))),
    ("a (b OR c)",                                  All((A, Any_((B, C))))),
    ("a -b",                                        All((A, Not(B)))),
    ("NOT a",                                       Not(A)),
    ("a !(b c)",                                    All((A, Not(All((B, C)))))),
    ('"a b"',                                       text("a b")),
    ('"a \\"b\\""',                                 text('a "b"')),
    ("or*11",                                       text("or*11")),
    ("status:FAILED",                               FAILED),
    ('status:"FAILED" a',                           All((FAILED, A))),
    ("status:(FAILED OR TIMED_OUT)",                Any_((FAILED, Compare("status", "=", ("TIMED_OUT",))))),
    ("-status:FAILED",                              Not(FAILED)),
    ("startTime:>5",                                Compare("startTime", ">", ("5",))),
    ("startTime:[5 TO 9]",                          All((Compare("startTime", ">=", ("5",)), Compare("startTime", "<=", ("9",))))),
    ("startTime:[5 TO *]",                          All((Compare("startTime", ">=", ("5",)),))),
    ("_exists_:status",                             Compare("status", "IS NOT NULL", ())),
    ("workflowType:build*",                         Compare("workflowType", "=", ("build*",))),
    # What is none of these is looked for as it stands.
    ("https://x.y/z?a=b",                           text("https://x.y/z?a=b")),
    ("12:30:00",                                    text("12:30:00")),
    ("a\\:b",                                       text("a:b")),
    ('{"a": 1}',                                    text('{"a": 1}')),
    ('say "a',                                      text('say "a')),
    ("error (a",                                    text("error (a")),
    ("a)",                                          text("a)")),
    ("NOT",                                         text("NOT")),
    ("-",                                           text("-")),
    ("ORDER",                                       text("ORDER")),
    ("(" * 30 + "a" + ")" * 30,                     text("(" * 30 + "a" + ")" * 30)),
    (" ".join("ab" for _ in range(60)),             text(" ".join("ab" for _ in range(60)))),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "means"), READ)
def test_free_text_is_read(typed: str, means: Any) -> None:
    assert parse_text(typed, FIELDS) == means


def test_text_beyond_measure_is_refused() -> None:
    with pytest.raises(Invalid, match="1,001 characters, expected at most 1,000"):
        parse_text("a" * 1_001, FIELDS)
