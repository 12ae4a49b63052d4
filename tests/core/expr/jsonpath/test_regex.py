"""Regular expressions: the language of Python's `re` where both know it, in bounded time where that does not care."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.expr.jsonpath import regex

#    pattern            flags   text             matches all of it
MATCHES = [
    ("dev.*",           "",     "device",        True),
    ("dev",             "",     "device",        False),
    ("DEV.*",           "i",    "device",        True),
    ("(?i)DEV.*",       "",     "device",        True),
    ("[A-Z]{2}-\\d+",   "",     "AB-17",         True),
    ("[A-Z]{2}-\\d+",   "",     "ABC-17",        False),
    ("[^a]",            "i",    "A",             False),
    ("[^a-c]+",         "",     "xyz",           True),
    ("[]a]+",           "",     "a]",            True),
    ("[a-]+",           "",     "a-",            True),
    ("[\\w.]+@\\w+",    "",     "a.b@c",         True),
    ("a{2,3}",          "",     "aaaa",          False),
    ("a{2,}",           "",     "aaaa",          True),
    ("a{0}",            "",     "",              True),
    ("(?:ab|cd)*?",     "",     "abcdab",        True),
    ("(?<n>a)b",        "",     "ab",            True),
    ("a.c",             "",     "a\nc",          False),
    ("a.c",             "s",    "a\nc",          True),
    ("^a$\n^b$",        "m",    "a\nb",          True),
    ("^a$\n^b$",        "",     "a\nb",          False),
    ("a$\n",            "",     "a\n",           True),
    ("a$\r\n",          "",     "a\r\n",         True),
    ("a\r$\n",          "",     "a\r\n",         False),  # one line end
    ("a\r^\n",          "m",    "a\r\n",         False),
    ("^",               "m",    "",              False),  # Java's ^ is never at the end
    ("^",               "",     "",              True),
    ("\\ba\\b \\Bx?",   "",     "a ",            True),
    ("\\Qa.b\\E+",      "",     "a.b",           True),
    ("\\Qa.b\\E",       "",     "axb",           False),
    ("\\x41\\u0042\\t", "",     "AB\t",          True),
    ("\\d",             "",     "٣",             False),  # Java's \d is ASCII
    ("Ž",               "i",    "ž",             False),
    ("Ž",               "iu",   "ž",             True),
    ("",                "",     "",              True),
]


@pytest.mark.parametrize(("pattern", "flags", "text", "matches"), MATCHES)
def test_a_pattern_matches(pattern: str, flags: str, text: str, matches: bool) -> None:
    assert regex.compile(pattern, flags).fullmatch(text) is matches


@pytest.mark.parametrize("pattern", [
    "[a", "a)", "(a", "a**", "*a", "a++", "{2}", "a{2", "a{,3}", "a{3,2}", "[z-a]", "\\", "(?<n", "[a[b]]", "[a&&b]",  # malformed or Java's own
    "(?=a)", "(?<!a)", "\\1", "\\p{L}", "(?x)a",                                                                     # not regular, or not known
    "a{1001}", "(((a{50}){50}){50})", "((){1000}){1000}", "(" * 60 + ")" * 60,                                        # too large
])
def test_a_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(regex.Unsupported):
        regex.compile(pattern)


#    pattern              text               (each would keep a backtracking matcher busy for longer than anyone lives)
CATASTROPHES = [
    ("(a+)+b",            "a" * 50_000),
    ("(a|a)*b",           "a" * 50_000),
    ("(a|aa)+b",          "a" * 50_000),
    ("(.*)*x",            "a" * 50_000),
    ("(a?){200}a{200}b",  "a" * 300),
]


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES)
def test_time_is_bounded_whatever_the_pattern(pattern: str, text: str) -> None:
    assert regex.compile(pattern).fullmatch(text) is False


def test_a_text_too_long_for_its_pattern_does_not_match() -> None:
    assert regex.compile("a*").fullmatch("a" * 1_000)
    assert not regex.compile("a*").fullmatch("a" * regex.WORK_MAX)


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "\\S", "[a-c1]", "\\.", "\\b", "^", "$"])
QUANTIFIERS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{0,2}?", "*?"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.builds("{}{}".format, inner, inner) | st.builds("({}|{})".format, inner, inner) | st.builds("({}){}".format, inner, QUANTIFIERS),
    max_leaves=6)


@given(PATTERNS, st.text(st.sampled_from("abc1. A\n"), max_size=6))
def test_it_agrees_with_re(pattern: str, text: str) -> None:
    assert regex.compile(pattern).fullmatch(text) == (re.fullmatch(pattern, text, re.ASCII) is not None)
