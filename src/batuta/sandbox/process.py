"""
One script process as the server sees it: start it, call it, kill it.

The process is this interpreter, started anew and isolated: no environment, no inherited descriptors, its own session, "/" as its place,
and on its path only where the three packages it imports are. Every wait here has a deadline and holds no lock of the interpreter.
Not here: which process gets which call (pool.py) and what happens inside (child.py).
"""

import contextlib
import importlib.util
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from batuta.sandbox.protocol import LENGTH_BYTES, Call, Limits, Reply, framed, unframed

# A process starts in 30-60 ms; on a machine that swaps or is starved, later.
_START_LIMIT_S: Final = 15.0

# On top of a script's limit, before the process is killed: the way there and back, and on a busy machine the wait for a processor.
_WALL_GRACE_S: Final = 0.25

# More of an answer than its output: the frame, a reason.
_ENVELOPE_BYTES_MAX: Final = 64 * 1024

# What a pipe holds.
_CHUNK_BYTES: Final = 64 * 1024

_PROGRAM: Final = "import sys; sys.path += sys.argv[4:]; from batuta.sandbox.child import main; main()"


class Overran(Exception):
    """No answer within the limit; the process has been killed."""


class Died(Exception):
    """The process ended under a call: *status* as `Popen.returncode` has it, *words* its last on standard error or ours on why we ended it."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"status {status}: {words}")
        self.status, self.words = status, words

    @property
    def how(self) -> str:
        """`SIGSEGV`, or `exit status 1`."""
        return signal.Signals(-self.status).name if self.status < 0 else f"exit status {self.status}"


class ScriptProcess:
    """
    A confined process that answers one call at a time.

    Not safe for two threads at once. After `Overran` or `Died` it is gone, and `is_alive` says so.
    """

    def __init__(self, limits: Limits) -> None:
        """
        Raises:
            Died: it did not come up; *words* say why.
            Overran: it did not come up in time.
            OSError: the system starts no process.
        """
        self.calls = 0
        self.is_alive = True
        self._limits = limits
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM, *map(str, limits), *_import_paths()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in, self._out, self._err = (stream.fileno() for stream in (self._process.stdin, self._process.stdout, self._process.stderr))
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(self._out, select.POLLIN)
        self._writable.register(self._in, select.POLLOUT)
        self.confinement = [name.decode() for name in unframed(self._receive(time.monotonic() + _START_LIMIT_S))]

    @property
    def id(self) -> int:
        """The system's number for the process."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether it is gone, perhaps since the last call: a look of 1 µs."""
        if self.is_alive and self._process.poll() is not None:
            self._end("")
        return not self.is_alive

    def call(self, call: Call) -> Reply:
        """
        The answer of the process.

        Raises:
            Overran: there was none in time, or it was larger than any answer may be.
            Died: the process ended instead.
        """
        self.calls += 1
        deadline = time.monotonic() + self._limits.time_limit_s + _WALL_GRACE_S
        self._send(framed(call.parts()), deadline)
        try:
            return Reply.of(unframed(self._receive(deadline)))
        except ValueError:
            raise self._end("it gave an unreadable answer")

    def kill(self) -> None:
        """Gone at once, nothing left of it. Safe to repeat."""
        if self.is_alive:
            self._end("")

    def _send(self, frame: bytes, deadline: float) -> None:
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[os.write(self._in, rest) :]
            except BlockingIOError:
                self._wait(self._writable, deadline)
            except BrokenPipeError:
                raise self._end("")

    def _receive(self, deadline: float) -> bytearray:
        """The body of the next frame."""
        got = bytearray()
        size = 0
        while not size or len(got) < size:
            self._wait(self._readable, deadline)
            try:
                chunk = os.read(self._out, _CHUNK_BYTES)
            except BlockingIOError:
                continue
            if not chunk:
                raise self._end("")
            got += chunk
            if not size and len(got) >= LENGTH_BYTES:
                size = LENGTH_BYTES + int.from_bytes(got[:LENGTH_BYTES], "big")
            if size > LENGTH_BYTES + self._limits.output_bytes_max + _ENVELOPE_BYTES_MAX:
                raise self._end("it gave a larger answer than any may be")
        if len(got) > size:
            raise self._end("it gave more than one answer")
        del got[:LENGTH_BYTES]
        return got

    def _wait(self, poll: select.poll, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            self._end("")
            raise Overran

    def _end(self, words: str) -> Died:
        """Kill it if it still lives, give back what it held; how it ended."""
        self.is_alive = False
        # It has closed its end: give it the moment it needs to die by itself, so that its own status is seen.
        with contextlib.suppress(subprocess.TimeoutExpired):
            if not words and self._hung_up():
                self._process.wait(1.0)
        self._process.kill()
        status = self._process.wait()
        with contextlib.suppress(OSError):
            words = words or os.read(self._err, _ENVELOPE_BYTES_MAX).decode("utf-8", "replace").strip()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        return Died(status, words)

    def _hung_up(self) -> bool:
        return any(event & select.POLLHUP for _, event in self._readable.poll(0))


def _import_paths() -> list[str]:
    """Where the child finds its packages: it gets no site-packages, no user's path, no .pth files."""
    paths = []
    for name in ("batuta", "_quickjs", "jq"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            place = Path(spec.origin).resolve().parent
            paths.append(str(place.parent if spec.submodule_search_locations else place))
    return list(dict.fromkeys(paths))
