"""Masks: a secret that comes back is taken out, however it is written, and nothing else is touched."""

import base64
import html
import json
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.expr.masks import LENGTH_MIN, Mask
from batuta.core.expr.secrets import resolve_secrets

KEY = 'pa"ss\\wörd/+ &%1'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n"
VAULT = {
    "KEY": KEY, "PEM": PEM, "PIN": "1234", "NUMBER": "4711471147",
    "DB": '{"user": "postgres-admin", "pass": {"word": "correct-horse"}, "odd key": "battery-staple", "n": 8}',
    "LONG": "correct-horse-and-more",
}  # fmt: skip
MASK = Mask(VAULT)

#    an output                                          becomes
OUTPUTS = [
    (KEY,                                               "${workflow.secrets.KEY}"),
    ({"auth": f"Bearer {KEY}."},                        {"auth": "Bearer ${workflow.secrets.KEY}."}),
    ([[{"a": [KEY, 1, None, True]}]],                   [[{"a": ["${workflow.secrets.KEY}", 1, None, True]}]]),
    ({KEY: 1},                                          {"${workflow.secrets.KEY}": 1}),
    ({"n": 4711471147, "m": "x4711471147"},             {"n": "${workflow.secrets.NUMBER}", "m": "x${workflow.secrets.NUMBER}"}),
    ("postgres-admin:correct-horse",                    "${workflow.secrets.DB.user}:${workflow.secrets.DB.pass.word}"),
    ("battery-staple",                                  "***"),                       # no path names it
    ("correct-horse-and-more",                          "${workflow.secrets.LONG}"),  # the longest wins
    (f"{KEY}{KEY}",                                     "${workflow.secrets.KEY}${workflow.secrets.KEY}"),
    ({"pin": "1234", "n": 1234},                        {"pin": "1234", "n": 1234}),  # too short to be looked for
    ({"n": 10**400, "x": KEY, "b": True},               {"n": 10**400, "x": "${workflow.secrets.KEY}", "b": True}),
    ("${workflow.secrets." + KEY + "}",                 "${workflow.secrets.${workflow.secrets.KEY}}"),
    ("${workflow.secrets.KEY}",                         "${workflow.secrets.KEY}"),
    (VAULT["DB"],                                       "${workflow.secrets.DB}"),
    (PEM,                                               "${workflow.secrets.PEM}"),
    ("line: MIIEvQIBADANBgkqhkiG9w0BAQ",                "line: ***"),
    ("-----BEGIN PRIVATE KEY-----",                     "-----BEGIN PRIVATE KEY-----"),
]  # fmt: skip


@pytest.mark.parametrize(("output", "becomes"), OUTPUTS)
def test_in_an_output_the_value_becomes_its_expression(output: Any, becomes: Any) -> None:
    assert MASK.payload(output) == becomes
    assert MASK.payload(becomes) == becomes


@pytest.mark.parametrize("output", [o for o, becomes in OUTPUTS if "***" not in str(becomes) and not isinstance(o, dict) and o != becomes])
def test_whoever_is_handed_the_output_gets_the_value_again(output: Any) -> None:
    assert resolve_secrets(MASK.payload(output), VAULT.get, VAULT) == output


#    as other programs write it
WRITTEN = [
    json.dumps(KEY), json.dumps(KEY, ensure_ascii=False), json.dumps({"body": json.dumps({"k": KEY})}), json.dumps(KEY).replace("/", "\\/"),
    msgspec.json.encode(KEY).decode(), quote(KEY), quote(KEY, safe=""), quote_plus(KEY), html.escape(KEY), KEY.encode().hex(), KEY.encode().hex().upper(),
    *(base64.b64encode(before + KEY.encode() + after).decode() for before in (b"", b"u", b"u:", b"ab:") for after in (b"", b"x", b"xy")),
    base64.urlsafe_b64encode(KEY.encode()).decode(),
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_other_ways_of_writing_it_become_stars(text: str) -> None:
    shown = MASK.text(f"before {text} after")
    assert shown.startswith("before ") and shown.endswith(" after") and "***" in shown
    assert len(shown) - len("before  after") <= 30, shown
    assert "***" in MASK.payload({"a": [text]})["a"][0]


def test_a_text_that_was_cut_within_a_secret_loses_its_beginning() -> None:
    assert MASK.text(f"refused: {KEY[:-1]}") == "refused: ***"
    assert MASK.text(f"refused: {KEY[: LENGTH_MIN - 1]}") == f"refused: {KEY[: LENGTH_MIN - 1]}"


def test_a_value_that_stands_in_its_own_expression_is_masked_once() -> None:
    mask = Mask({"WORD": "workflow"})
    once = mask.payload({"a": "a workflow"})
    assert once == {"a": "a ${workflow.secrets.WORD}"} == mask.payload(once)
    assert mask.text("${workflow.secrets.WORD} of a workflow") == "${workflow.secrets.WORD} of a ***"


def test_without_anything_to_look_for_there_is_no_mask() -> None:
    assert not Mask({}) and not Mask({"PIN": "1234"}) and MASK
    assert Mask({"PIN": "1234"}).payload({"a": "1234"}) == {"a": "1234"} and Mask({}).text("x") == "x"


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    assert MASK.payload({"a": "\ud800", "b": KEY}) == {"a": "\ud800", "b": "${workflow.secrets.KEY}"}
    assert not Mask({"ODD": '["\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800"]'[:7]})
    assert Mask({"ODD": '["\\ud800 and some more"]'})


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))


@given(JSON)
def test_an_output_without_secrets_comes_back_itself(value: Any) -> None:
    assert MASK.payload(value) is value


@given(st.text(min_size=LENGTH_MIN, max_size=40), JSON, st.text(max_size=5), st.text(max_size=5))
def test_no_text_of_an_output_holds_a_secret(secret: str, rest: Any, before: str, after: str) -> None:
    masked = Mask({"X": secret}).payload({"a": f"{before}{secret}{after}", "rest": rest, "deep": [{"b": [secret]}]})
    assert masked["deep"] == [{"b": ["${workflow.secrets.X}"]}]
    assert secret not in masked["a"] or secret in "${workflow.secrets.X}" or secret in before + "${workflow.secrets.X}" + after
