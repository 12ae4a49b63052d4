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


CONDITION = "a condition: FIELD = VALUE, FIELD IN (VALUE, VALUE), FIELD IS NULL ..."
#    text                                           where it ceases to be one, and what could stand there
REFUSED = [
    ("nonsense",                                    ""),
    ("foo bar baz",                                 ""),
    ("=1",                                          ""),
    ("a ~ 1",                                       ""),
    ("a=",                                          "; at '' expected a value"),
    ("a=1 AND",                                     f"; at '' expected {CONDITION}"),
    ("a=1 AND b",                                   f"; at 'b' expected {CONDITION}"),
    ("a=1 b=2)",                                    "; at ')' expected AND, OR or the end"),
    ("(a=1",                                        "; at '' expected )"),
    ("a IN X",                                      "; at 'X' expected ("),
    ("a IN (",                                      "; at '' expected values, separated by commas, and )"),
    ("a IN (1, 2",                                  "; at '1, 2' expected values, separated by commas, and )"),
    ("a NOT IN ( , )",                              "; at ', )' expected values, separated by commas, and )"),
    ("a='1",                                        "; at \"'1\" expected another '"),
    ("a BETWEEN 1",                                 "; at '' expected AND and a value"),
    ("a=1" + " OR a=1" * 200,                       "; at 'a=1' expected at most 200 conditions"),
    ("a IN (" + "x*," * 300 + ")",                  "; at '' expected at most 200 conditions"),
    ("(" * 50 + "a=1" + ")" * 50,                   f"; at '{'(' * 29}a=1{')' * 50}' expected at most 20 parentheses within each other"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where"), REFUSED)
def test_what_is_no_query_is_refused_in_conductors_words_and_where_it_ceases_to_be_one(text: str, where: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert str(caught.value) == f"Incorrectly formatted query string: {text}{where}"


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
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), FOUND)
def test_a_record_meets_a_query_or_not(text: str, found: bool) -> None:
    assert holds(parse(text), RECORD.__getitem__, frozenset({"at", "n"})) is found


@pytest.mark.parametrize("text", ["soon", "1.5", str(2**63), "9" * 5_000, "2026-02-30"])
def test_an_instant_that_is_none_is_named(text: str) -> None:
    with pytest.raises(Invalid, match=f"'at': found '{text}', expected epoch milliseconds or an ISO date"):
        holds(parse(f"at>{text}"), RECORD.__getitem__, frozenset({"at"}))


def test_a_direction_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="sort by 'startTime': found the direction 'UP', expected ASC or DESC"):
        parse_sort("status:asc|startTime:UP")


def test_sorting_is_read() -> None:
    assert [(s.field, s.descending) for s in parse_sort("startTime:DESC|name|status:ASC")] == [("startTime", True), ("name", False), ("status", False)]
