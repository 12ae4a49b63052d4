"""Messages survive the way there and back, and what is none is refused."""

import pytest

from batuta.sandbox import exact
from batuta.sandbox.protocol import LENGTH_BYTES, Call, Reply, framed, unframed

MESSAGES: list[list[bytes]] = [[], [b""], [b"a"], [b"", b"\x00" * 300, b"\xff"], [bytes(range(256)), b"x" * 70_000]]


@pytest.mark.parametrize("parts", MESSAGES)
def test_a_message_comes_back_as_it_was(parts: list[bytes]) -> None:
    frame = framed(parts)
    assert int.from_bytes(frame[:LENGTH_BYTES], "big") == len(frame) - LENGTH_BYTES
    assert unframed(frame[LENGTH_BYTES:]) == parts


@pytest.mark.parametrize("body", [b"\x00", b"\x00\x00\x00\x05four", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00\x00"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="a part of a message ends at byte"):
        unframed(body)


@pytest.mark.parametrize("call", [Call("javascript", "'é\x00'", b'{"a":1}'), Call("jq", "", b"", True), Call("lambda", "return 1", b"null", False)])
def test_a_call_comes_back_as_it_was(call: Call) -> None:
    assert Call.of(call.parts()) == call


@pytest.mark.parametrize("reply", [Reply("value", b"1"), Reply("error", "wörds".encode(), 7), Reply("memory", is_worn=True)])
def test_a_reply_comes_back_as_it_was(reply: Reply) -> None:
    assert Reply.of(reply.parts()) == reply


def test_half_a_character_in_a_source_does_no_harm() -> None:
    assert Call.of(Call("jq", '"\ud800"', b"1").parts()).source == '"?"'


BIG = 2**53 + 1

#    result of a script          its data                    what it is taken for
LARGE = [
    (2**53, [BIG], BIG),
    (2**53, {"a": {"b": [BIG]}}, BIG),
    ([2**53, {"k": 2**53}], [BIG], [BIG, {"k": BIG}]),
    (float(2**53), [BIG], BIG),
    (1e22, [10**22 + 1], 10**22 + 1),
    (-(2**53), [-BIG], -BIG),
    (2**53, [BIG, BIG], BIG),
    # not when it could be either of two, nor when it is exact already, nor anything small
    (2**60, [2**60 + 1, 2**60 + 2], 2**60),
    (BIG, [BIG, 5], BIG),
    (2**60 + 1, [2**60 + 3], 2**60 + 1),
    (5, [BIG], 5),
    (True, [BIG, 1], True),
    ("9007199254740992", [BIG], "9007199254740992"),
    (2**53, [10**400], 2**53),
    (10**400, [10**400 + 1], 10**400),
    (2**53, [], 2**53),
    (2**53, 5, 2**53),
]


@pytest.mark.parametrize(("value", "data", "taken_for"), LARGE)
def test_large_integers_of_the_data_get_their_digits_back(value: object, data: object, taken_for: object) -> None:
    assert repr(exact.restored(value, data)) == repr(taken_for)


@pytest.mark.parametrize(("data", "may"), [(b'{"a":9007199254740993}', True), (b'{"a":123456789012345}', False), (b'["x"]', False)])
def test_data_without_long_numbers_is_not_searched(data: bytes, may: bool) -> None:
    assert exact.may_hold_large_integers(data) is may
