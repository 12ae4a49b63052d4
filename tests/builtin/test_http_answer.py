"""What bytes from the network become; the values were read off a Conductor 3.32.1 server unless a line says otherwise."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from typing import Any

import msgspec
import pytest
from urllib3.response import HTTPResponse

from batuta.builtin.http_answer import (
    JSON_DEPTH_MAX,
    Answer,
    BodyBroken,
    BodyTooLarge,
    body_value,
    error_text,
    read_body,
    read_headers,
)
from batuta.builtin.http_uri import IoFailed

JSON = "application/json"

#   body                               value
VALUES: list[tuple[bytes, Any]] = [
    (b"", None),
    (b"   ", ""),
    (b"5", 5.0),
    (b" 7 ", 7.0),
    (b"-0", 0.0),
    (b"0", 0.0),
    (b"5.5", 5.5),
    (b"1e3", 1000.0),
    (b"12345678901234567890", 1.2345678901234567e19),
    (b"1E400", "Infinity"),
    (b"-1E400", "-Infinity"),
    (b"1" + b"0" * 400, "Infinity"),
    (b'"txt"', "txt"),
    (b'""', ""),
    (b"true", "true"),
    (b"false", "false"),
    (b"null", "null"),
    (b"[1,2.0,1e3]", [1, 2.0, 1000.0]),
    (b"[1e400,-1e400]", ["Infinity", "-Infinity"]),
    (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
    (b'{"a":1,"a":2}', {"a": 2}),
    # What follows a first whole value is not looked at …
    (b"5 6", 5.0),
    (b'"a"x', "a"),
    (b"[1]x", [1]),
    (b"true x", "true"),
    (b'{"a":1}\n{"a":2}', {"a": 1}),
    # … unless it makes it none.
    (b"5x", "5x"),
    (b"5,6", "5,6"),
    (b"2026-11-22", "2026-11-22"),
    (b"truex", "truex"),
    (b"null1", "null1"),
    (b"01", "01"),
    (b"1.", "1."),
    (b".5", ".5"),
    (b"+1", "+1"),
    (b"-", "-"),
    (b"NaN", "NaN"),
    (b"[NaN]", "[NaN]"),
    (b"[1", "[1"),
    (b"[1,]", "[1,]"),
    (b"{a:1}", "{a:1}"),
    (b"{'a':1}", "{'a':1}"),
    (b"/*x*/[1]", "/*x*/[1]"),
    (b'["a\tb"]', '["a\tb"]'),
    (b'["\xff"]', ["\N{REPLACEMENT CHARACTER}"]),
    (b'\xef\xbb\xbf{"a":1}', '\N{ZERO WIDTH NO-BREAK SPACE}{"a":1}'),
    (b"\xf0\x9f\x98\x80", "😀"),
    (b'["\\ud83d\\ude00"]', ["😀"]),
    # Half a pair cannot be stored; there it reads `?`.
    (b'["\\ud800x"]', ["\N{REPLACEMENT CHARACTER}x"]),
    (b'{"\\udc00":{"b":"\\ud800"}}', {"\N{REPLACEMENT CHARACTER}": {"b": "\N{REPLACEMENT CHARACTER}"}}),
    (b'"\\ud800"', "\N{REPLACEMENT CHARACTER}"),
]


@pytest.mark.parametrize(("body", "value"), VALUES)
def test_a_body_is_its_json_or_its_text(body: bytes, value: Any) -> None:
    found = body_value(body, JSON)
    assert found == value
    assert type(found) is type(value)
    assert msgspec.json.decode(msgspec.json.encode(found)) == value


@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_json_too_deep_stays_text(brackets: str) -> None:
    def nested(depth: int) -> str:
        return brackets[:-1] * (depth - 1) + "[]" + brackets[-1] * (depth - 1)

    assert body_value(nested(JSON_DEPTH_MAX).encode(), JSON) != nested(JSON_DEPTH_MAX)
    assert body_value(nested(JSON_DEPTH_MAX + 1).encode(), JSON) == nested(JSON_DEPTH_MAX + 1)
    assert body_value(nested(100_000).encode(), JSON) == nested(100_000)


#   body                      content type                         text
TEXTS = [
    ("é€".encode(), "application/json", "é€"),
    ("é€".encode(), "text/plain; charset=UTF-8", "é€"),
    ("é".encode("latin-1"), "text/plain; charset=iso-8859-1", "é"),
    ("é".encode("latin-1"), 'text/plain;charset="ISO-8859-1"', "é"),
    ("é".encode("latin-1"), "text/plain", "é"),
    ("é".encode("latin-1"), "", "é"),
    ("é€".encode("utf-16"), "text/plain; charset=utf-16", "é€"),
    # Conductor reads what names no charset as Latin-1, whatever it is.
    ("é€".encode(), "text/plain", "é€"),
    ("é€".encode(), "", "é€"),
    ("é".encode(), "text/plain; charset=klingon", "é"),
    (b"abc", "text/plain; charset=zlib", "abc"),
    (b"\\ud800", "text/plain; charset=unicode_escape", "\N{REPLACEMENT CHARACTER}"),
]


@pytest.mark.parametrize(("body", "content_type", "text"), TEXTS)
def test_a_text_is_read_in_its_charset(body: bytes, content_type: str, text: str) -> None:
    assert body_value(body, content_type) == text


#   status phrase           content type                     body                 what is told after the address
ERRORS = [
    (404, "Not Found", JSON, b'{"asked": 404}', '404 Not Found on GET request for "U": "{"asked": 404}"'),
    (500, "My Own Words", JSON, b"x", '500 My Own Words on GET request for "U": "x"'),
    (599, "", JSON, b"", '599  on GET request for "U": [no body]'),
    (400, "Bad Request", "text/plain", 'a\nb\r\n\tc"é€\x01'.encode(), '400 Bad Request on GET request for "U": "a<EOL>b<EOL><EOL>?c"é€?"'),
    (400, "Bad Request", "text/plain; charset=iso-8859-1", b"\xe9", '400 Bad Request on GET request for "U": "é"'),
]


@pytest.mark.parametrize(("status", "phrase", "kind", "body", "told"), ERRORS)
def test_an_error_answer_is_told_on_one_line(status: int, phrase: str, kind: str, body: bytes, told: str) -> None:
    assert error_text("GET", "U", Answer(status, phrase, {"Content-Type": [kind]}, body)) == f"java.lang.Exception: {told}"


#   status   phrase sent    reasonPhrase
PHRASES = [
    (200, "Fine", "OK"),
    (203, "", "Non-Authoritative Information"),
    (226, "", "IM Used"),
    (302, "", "Found"),
    (304, "", "Not Modified"),
    (299, "Mine", "Mine"),  # Conductor fails the task: it knows no 299.
]


@pytest.mark.parametrize(("status", "phrase", "shown"), PHRASES)
def test_the_reason_phrase_is_the_standards_own(status: int, phrase: str, shown: str) -> None:
    assert Answer(status, phrase, {}, b"").as_output()["reasonPhrase"] == shown


def response(body: bytes, **headers: str) -> HTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(io.BytesIO(body), headers=named, preload_content=False, decode_content=False)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


TEXT = b'{"z": 1}' * 50
#   encoding       body as sent                                        decoded
ENCODINGS = [
    ("gzip", gzip.compress(TEXT), TEXT),
    ("x-gzip", gzip.compress(TEXT), TEXT),
    ("GZIP", gzip.compress(TEXT), TEXT),
    ("gzip", gzip.compress(TEXT) + gzip.compress(b"more"), TEXT + b"more"),
    ("gzip", gzip.compress(TEXT) + b"\0\0padding", TEXT),
    ("gzip", b"", b""),
    ("deflate", zlib.compress(TEXT), TEXT),
    ("deflate", raw_deflate(TEXT), TEXT),
    ("deflate", raw_deflate(b""), b""),
    ("br", b"abc", b"abc"),  # What nobody asked for is passed on as it came.
    ("identity", b"abc", b"abc"),
]


@pytest.mark.parametrize(("encoding", "sent", "decoded"), ENCODINGS)
def test_a_body_is_decoded(encoding: str, sent: bytes, decoded: bytes) -> None:
    assert read_body(response(sent, content_encoding=encoding), 10_000) == decoded


@pytest.mark.parametrize(("encoding", "told"), [("gzip", "Not in GZIP format"), ("deflate", "not in deflate format: ")])
def test_a_body_not_in_its_encoding_is_told(encoding: str, told: str) -> None:
    with pytest.raises(IoFailed) as caught:
        read_body(response(b"\xff\xffabc", content_encoding=encoding), 100)
    assert str(caught.value).startswith(told)


def test_a_compressed_body_that_ends_too_early_is_told() -> None:
    with pytest.raises(BodyBroken):
        read_body(response(gzip.compress(TEXT)[:-9], content_encoding="gzip"), 10_000)


#   what arrives                                        encoding
LARGE = [
    (b"x" * 1001, ""),
    (gzip.compress(b"x" * 1001), "gzip"),
    (gzip.compress(b"x" * 500) * 3, "gzip"),
    (zlib.compress(b"x" * 1001), "deflate"),
    (gzip.compress(b"") * 1000, "gzip"),  # Nothing, at length.
]


@pytest.mark.parametrize(("sent", "encoding"), LARGE)
def test_a_body_beyond_the_limit_is_refused(sent: bytes, encoding: str) -> None:
    headers = {"content_encoding": encoding} if encoding else {}
    with pytest.raises(BodyTooLarge):
        read_body(response(sent, **headers), 1000)
    assert b"x" * len(read_body(response(sent, **headers), 1000, is_cut=True)) == read_body(response(sent, **headers), 1000, is_cut=True)


@pytest.mark.parametrize(("sent", "encoding"), [(b"x" * 1000, ""), (gzip.compress(b"x" * 1000), "gzip")])
def test_a_body_at_the_limit_is_taken(sent: bytes, encoding: str) -> None:
    assert len(read_body(response(sent, content_encoding=encoding), 1000)) == 1000


def test_a_bomb_is_not_inflated() -> None:
    """100 MB of zeros in 100 kB take no more memory than the limit and a piece or two."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    answer = response(bomb, content_encoding="gzip")
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            read_body(answer, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read() -> None:
    body = io.BytesIO(b"x" * 5000)
    answer = HTTPResponse(body, headers={"content-length": "5000"}, preload_content=False)
    with pytest.raises(BodyTooLarge):
        read_body(answer, 1000)
    assert body.tell() == 0


def test_all_values_of_a_header_are_kept() -> None:
    answer = response(b"")
    for name, value in (("X-M", "a"), ("X-M", "b"), ("x-m", "c"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")):
        answer.headers.add(name, value)
    assert read_headers(answer) == {"X-M": ["a", "b", "c"], "Set-Cookie": ["a=1", "b=2"]}


def test_a_decoded_body_no_longer_has_its_encoding() -> None:
    answer = response(b"", content_encoding="gzip", content_length="20", x_a="b")
    assert read_headers(answer) == {"x-a": ["b"]}
    assert read_headers(response(b"", content_encoding="br", content_length="20")) == {"content-encoding": ["br"], "content-length": ["20"]}
