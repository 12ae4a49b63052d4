"""The search language: what reads as what, what is refused, and what a record must be to be found."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.core.query import All, Any_, Compare, holds, parse, parse_sort
from batuta.errors import Invalid

A, B, C = Compare("a", "=", ("1",)), Compare("b", "=", ("2",)), Compare("c", "=", ("3",))
#    text                                           reads as
READ = [
    ("a=1",                                         A),
    ("a = '1'",                                     A),
    ('a="1" AND b=2',                               All((A, B))),
    ("a=1 OR b=2",                                  Any_((A, B))),
    ("a=1 AND b=2 OR c=3",                          Any_((All((A, B)), C))),
    ("a=1 AND (b=2 OR c=3)",                        All((A, Any_((B, C))))),
    ("status IN (X,Y)",                             Compare("status", "IN", ("X", "Y"))),
    ("status IN ( 'X' , \"Y\" )",                   Compare("status", "IN", ("X", "Y"))),
    ("a IN (1)",                                    A),
    ("a IN (1*,2)",                                 Any_((Compare("a", "=", ("1*",)), Compare("a", "=", ("2",))))),
    ("status NOT IN (X)",                           Compare("status", "NOT IN", ("X",))),
    ("t>5 AND t<=9",                                All((Compare("t", ">", ("5",)), Compare("t", "<=", ("9",))))),
    ("t BETWEEN 5 AND 9 AND a=1",                   All((Compare("t", "BETWEEN", ("5", "9")), A))),
    ("r IS NULL",                                   Compare("r", "IS NULL", ())),
    ("r IS not null",                               Compare("r", "IS NOT NULL", ())),
    ('n STARTS_WITH "fi"',                          Compare("n", "STARTS_WITH", ("fi",))),
    ("n=two words AND a=1",                         All((Compare("n", "=", ("two words",)), A))),
    ('parentWorkflowId=""',                         Compare("parentWorkflowId", "=", ("",))),
    ("n='it AND that'",                             Compare("n", "=", ("it AND that",))),
    ("",                                            None),
    ("  ",                                          None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "query"), READ)
def test_a_query_is_read(text: str, query: Any) -> None:
    assert parse(text) == query


@pytest.mark.parametrize("text", ["nonsense", "a=", "=1", "a=1 AND", "a=1 b=2)", "(a=1", "a IN X", "a='1", "a BETWEEN 1", "a ~ 1", "(" * 50 + "a=1" + ")" * 50])
def test_what_is_no_query_is_refused_in_conductors_words(text: str) -> None:
    with pytest.raises(Invalid, match="Incorrectly formatted query string"):
        parse(text)


RECORD = {"name": "Firmware-Build", "at": 1_000, "none": "", "n": 7}
#    query                                          found
FOUND = [
    ("name=Firmware-Build",                         True),
    ("name=firmware-build",                         False),
    ("name=Firm*",                                  True),
    ("name=*build",                                 True),
    ("name!=other",                                 True),
    ("name STARTS_WITH Firm",                       True),
    ("at>999 AND at<1001",                          True),
    ("at BETWEEN 1000 AND 1000",                    True),
    ("at>1000",                                     False),
    ("at>=1970-01-01T00:00:01Z",                    True),
    ("none IS NULL",                                True),
    ("name IS NULL",                                False),
    ("n IN (6,7)",                                  True),
    ("name IN (Firm*)",                             True),
    ("name IN (other,*-Build)",                     True),
    ("name IN (other,*-Test)",                      False),
    ("n NOT IN (6,7)",                              False),
    ("unknown=5",                                   True),
    ("unknown=5 AND n=8",                           False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), FOUND)
def test_a_record_meets_a_query_or_not(text: str, found: bool) -> None:
    assert holds(parse(text), RECORD.__getitem__, frozenset({"at", "n"})) is found


def test_an_instant_that_is_none_is_named() -> None:
    with pytest.raises(Invalid, match=r"'at'.*'soon'"):
        holds(parse("at>soon"), RECORD.__getitem__, frozenset({"at"}))


def test_sorting_is_read() -> None:
    assert [(s.field, s.descending) for s in parse_sort("startTime:DESC|name|status:ASC")] == [("startTime", True), ("name", False), ("status", False)]
