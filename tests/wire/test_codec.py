"""JSON text in and out, and how a body that is none is refused."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.errors import Invalid
from batuta.wire.codec import decode, encode

#    body                     what is said of it
BROKEN = [
    (b"",                     "the request has no body; expected JSON"),
    (b" \n",                  "the request has no body; expected JSON"),
    (b'{"a": tru}',           "the body is no JSON: expecting value at line 1, column 7"),
    (b"{'a': 1}",             "the body is no JSON: expecting property name enclosed in double quotes at line 1, column 2"),
    (b'{"a":\n [1, 2',        "the body is no JSON: expecting ',' delimiter at line 2, column 7"),
    (b'{"a": 1} x',           "the body is no JSON: extra data at line 1, column 10"),
    ('{"ž": nope}'.encode(),  "the body is no JSON: expecting value at line 1, column 7"),
    (b'{\n"a": "\xff"}',      "the body is no JSON: it is not UTF-8 at line 2, column 7"),
    (b"\xff",                 "the body is no JSON: it is not UTF-8 at line 1, column 1"),
    (b"1e999",                "the body is no JSON: number out of range"),
    (rb'{"a": "x\ud800y"}',   r"the body is no JSON: \ud800 is half of a pair of surrogates and no character"),
    (rb'{"\udfff": 1}',       r"the body is no JSON: \udfff is half of a pair of surrogates and no character"),
    (b"NaN",                  "the body is no JSON: NaN is no number"),
    (b"[" * 100_000,          "the body is nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), BROKEN)
def test_a_body_that_is_no_json_is_refused_at_its_place(body: bytes, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(body)
    assert str(refused.value) == message


@pytest.mark.parametrize("value", [{"": [None, True, 1, 1.0, "ž 🎉"]}, 12345678901234567890123, -0.5, "\u0000", [[], {}]])
def test_values_survive_the_way_out_and_back(value: Any) -> None:
    read = decode(encode(value))
    assert read == value and type(read) is type(value)
