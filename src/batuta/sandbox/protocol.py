"""
What the server and a script process say to each other: the messages and their frames.

A message is a few byte strings. On the pipe stands its length (four bytes, big-endian), then each part with its own length before it.
User JSON travels as the JSON text it is: no number is rounded and no value encoded twice. Written out by hand, because what the child
imports is what a new child costs: with a serialiser it takes 60 ms to come up, so 30.

Both ends import this module; it knows nothing of processes or engines.
"""

from typing import Final, NamedTuple

LENGTH_BYTES: Final = 4
MIB: Final = 1 << 20

# Conductor cuts a task's reason to 500 characters; its output shows this many.
_COMPLAINT_CHARS_MAX: Final = 10_000


class Limits(NamedTuple):
    """What one script may use. Time is the processor's for JavaScript and the wall clock's for jq; memory is the script's own."""

    time_limit_s: float
    memory_bytes_max: int
    output_bytes_max: int


class Call(NamedTuple):
    """Run *source* on *data* (JSON text), or with *check_only* just read it."""

    language: str
    source: str
    data: bytes
    check_only: bool = False

    def parts(self) -> list[bytes]:
        # A lone surrogate, which no JSON text can hold but a caller's string may, becomes "?".
        return [self.language.encode(), self.source.encode("utf-8", "replace"), self.data, b"check" if self.check_only else b""]

    @classmethod
    def of(cls, parts: list[bytes]) -> "Call":
        language, source, data, check = parts
        return cls(language.decode(), source.decode(), data, check == b"check")


class Reply(NamedTuple):
    """
    How a call ended: `value`, `error`, `timeout`, `memory` or `output`.

    *text* is the JSON text of the value (for jq: of the list of outputs), or for an error what the script threw, at *line* if that is
    known (else 0). *is_worn*: the process has grown and asks to be replaced.
    """

    kind: str
    text: bytes = b""
    line: int = 0
    is_worn: bool = False

    def parts(self) -> list[bytes]:
        return [self.kind.encode(), self.text, str(self.line).encode(), b"worn" if self.is_worn else b""]

    @classmethod
    def of(cls, parts: list[bytes]) -> "Reply":
        kind, text, line, worn = parts
        return cls(kind.decode(), text, int(line), worn == b"worn")

    @classmethod
    def complaint(cls, said: str, line: int = 0) -> "Reply":
        """The reply for a script that threw, cut to a bearable length."""
        return cls("error", said[:_COMPLAINT_CHARS_MAX].encode("utf-8", "replace"), line)


def framed(parts: list[bytes]) -> bytes:
    """A message as it goes over the pipe."""
    pieces = [b""]
    for part in parts:
        pieces += (len(part).to_bytes(LENGTH_BYTES, "big"), part)
    pieces[0] = sum(map(len, pieces)).to_bytes(LENGTH_BYTES, "big")
    return b"".join(pieces)


def unframed(body: bytes | bytearray) -> list[bytes]:
    """
    The parts of a message; *body* is its frame without the length in front.

    Raises:
        ValueError: the lengths inside do not fit.
    """
    parts = []
    at = 0
    while at < len(body):
        end = at + LENGTH_BYTES + int.from_bytes(body[at : at + LENGTH_BYTES], "big")
        if end > len(body):
            raise ValueError(f"a part of a message ends at byte {end} of {len(body)}")
        parts.append(bytes(body[at + LENGTH_BYTES : end]))
        at = end
    return parts
