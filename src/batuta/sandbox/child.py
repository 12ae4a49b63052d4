"""
A script process from the inside: read a call, answer it, until the server hangs up.

Started by process.py with an empty environment. Nothing of the server is in its memory: it was not forked but started anew.
"""

import os
import signal
import sys
from typing import Final, NoReturn

from batuta.sandbox import confine
from batuta.sandbox.javascript import JavaScript, function_body
from batuta.sandbox.jqlang import Jq
from batuta.sandbox.protocol import LENGTH_BYTES, MIB, Call, Limits, Reply, framed, unframed

# The server kills a process that overruns. If the server is gone, the process does so itself, this long after the limit.
_ORPHAN_GRACE_S: Final = 2.0

# Beyond what a script may have: frames and their copies.
_ROOM_BYTES: Final = 64 * MIB

# A process that has kept this much, or half of what a script may use, asks to be replaced.
_WORN_BYTES_MIN: Final = 16 * MIB


class Engines:
    """Both languages."""

    def __init__(self, limits: Limits) -> None:
        self._javascript = JavaScript(limits)
        self._jq = Jq(limits)

    def answer(self, call: Call) -> Reply:
        """How *call* ends."""
        try:
            if call.language == "jq":
                return self._jq.check(call.source) if call.check_only else self._jq.evaluate(call.source, call.data)
            source = function_body(call.source) if call.language == "lambda" else call.source
            return self._javascript.check(source) if call.check_only else self._javascript.evaluate(source, call.data)
        except MemoryError:
            return Reply("memory", is_worn=True)

    def prepare(self) -> None:
        """Use the time between two calls."""
        self._javascript.prepare()


def main() -> NoReturn:
    """Serve calls on standard input until it ends. The first arguments are the limits; the first message says what is confined."""
    limits = Limits(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    engines = Engines(limits)
    confinement = confine.confine(limits.memory_bytes_max + 4 * limits.output_bytes_max + _ROOM_BYTES)
    worn_bytes = confine.address_space_bytes() + max(_WORN_BYTES_MIN, limits.memory_bytes_max // 2)
    _write([name.encode() for name in confinement])
    while True:
        call = Call.of(unframed(_read(int.from_bytes(_read(LENGTH_BYTES), "big"))))
        signal.setitimer(signal.ITIMER_REAL, limits.time_limit_s + _ORPHAN_GRACE_S)
        reply = engines.answer(call)
        if confine.address_space_bytes() > worn_bytes:
            reply = reply._replace(is_worn=True)
        _write(reply.parts())
        signal.setitimer(signal.ITIMER_REAL, 0)
        engines.prepare()


def _read(count: int) -> bytes:
    """*count* bytes from the server; without them there is no reason to live on."""
    chunk = os.read(0, min(count, MIB))
    if len(chunk) == count and count:
        return chunk
    got = bytearray(chunk)
    while len(got) < count:
        chunk = os.read(0, min(count - len(got), MIB))
        if not chunk:
            os._exit(0)
        got += chunk
    return bytes(got)


def _write(parts: list[bytes]) -> None:
    rest = memoryview(framed(parts))
    while rest:
        try:
            rest = rest[os.write(1, rest) :]
        except BrokenPipeError:
            os._exit(0)
