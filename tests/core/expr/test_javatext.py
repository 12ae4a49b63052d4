"""Values as Java writes them; the rows were written by Java 25 and by json-smart 2.5."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.expr import javatext

#    double                    Double.toString
DOUBLES = [
    (0.0,                      "0.0"),
    (-0.0,                     "-0.0"),
    (4.0,                      "4.0"),
    (-2.5,                     "-2.5"),
    (0.1,                      "0.1"),
    (0.1 + 0.2,                "0.30000000000000004"),
    (0.001,                    "0.001"),
    (0.0009999999999999998,    "9.999999999999998E-4"),
    (0.00012345,               "1.2345E-4"),
    (1e-7,                     "1.0E-7"),
    (9999999.0,                "9999999.0"),
    (9999999.999999998,        "9999999.999999998"),
    (1e7,                      "1.0E7"),
    (12345678.9,               "1.23456789E7"),
    (123456789.0,              "1.23456789E8"),
    (-1e16,                    "-1.0E16"),
    (1e21,                     "1.0E21"),
    (2e23,                     "2.0E23"),
    (9.223372036854776e18,     "9.223372036854776E18"),
    (1.7976931348623157e308,   "1.7976931348623157E308"),
    (2.2250738585072014e-308,  "2.2250738585072014E-308"),
    (5e-324,                   "4.9E-324"),
    (1e-323,                   "9.9E-324"),
    (2e-323,                   "2.0E-323"),
    (math.inf,                 "Infinity"),
    (-math.inf,                "-Infinity"),
    (math.nan,                 "NaN"),
]


@pytest.mark.parametrize(("number", "text"), DOUBLES)
def test_a_double(number: float, text: str) -> None:
    assert javatext.double_text(number) == text


#    value                                       String.valueOf                       as JSON, in an indefinite path's list
VALUES = [
    (None,                                       "null",                              "null"),
    (True,                                       "true",                              "true"),
    (False,                                      "false",                             "false"),
    (7,                                          "7",                                 "7"),
    (123456789012345678901234567890,             "123456789012345678901234567890",    "123456789012345678901234567890"),
    (2.5,                                        "2.5",                               "2.5"),
    (1e-7,                                       "1.0E-7",                            "1.0E-7"),
    ("it's \"so\"",                              "it's \"so\"",                       '"it\'s \\"so\\""'),
    ("a/b\\c",                                   "a/b\\c",                            '"a\\/b\\\\c"'),
    ("\b\f\n\r\t\x00\x1f\x7f\x9f\xa0",           "\b\f\n\r\t\x00\x1f\x7f\x9f\xa0",    '"\\b\\f\\n\\r\\t\\u0000\\u001F\\u007F\\u009F\xa0"'),
    ("é 🎉 \u2028\u20ff\u2100",                   "é 🎉 \u2028\u20ff\u2100",            '"é 🎉 \\u2028\\u20FF\u2100"'),
    ([],                                         "[]",                                "[]"),
    ({},                                         "{}",                                "{}"),
    ([1, [2, None], {"k": "v"}],                 "[1, [2, null], {k=v}]",             '[1,[2,null],{"k":"v"}]'),
    ({"a": 1, "b": ["x", "y"], "c/d": {}},       "{a=1, b=[x, y], c/d={}}",           '{"a":1,"b":["x","y"],"c\\/d":{}}'),
    ([{}, [], {"a": {"b": None}}, "", 4.0],      "[{}, [], {a={b=null}}, , 4.0]",     '[{},[],{"a":{"b":null}},"",4.0]'),
]


@pytest.mark.parametrize(("value", "text", "json_text"), VALUES)
def test_a_value(value: Any, text: str, json_text: str) -> None:
    assert javatext.text(value) == text
    assert javatext.json_text(value) == json_text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_as_itself(number: float) -> None:
    text = javatext.double_text(number)
    assert float(text) == number and math.copysign(1, float(text)) == math.copysign(1, number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_has_javas_shape(number: float) -> None:
    mantissa, _, exponent = javatext.double_text(abs(number)).partition("E")
    whole, dot, fraction = mantissa.partition(".")
    assert dot and whole.isdecimal() and fraction.isdecimal()
    assert bool(exponent) == (number != 0 and not 1e-3 <= abs(number) < 1e7)
    assert not exponent or (len(whole) == 1 and whole != "0")


def test_depth_is_no_obstacle() -> None:
    value: Any = []
    for _ in range(50_000):
        value = [value]
    assert javatext.text(value) == "[" * 50_001 + "]" * 50_001
