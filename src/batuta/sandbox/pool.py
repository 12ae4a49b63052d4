"""
The script engine of the server: a few processes, and who gets one when.

Here: `Sandbox`, its queue, and the words for what went wrong. Not here: one process (process.py), what runs in it (child.py).

Fairness. Calls are served in the order they came. A source that has lately been slow is remembered and may hold all processes but one:
the rest stays free for everybody else, however many of the slow ones are waiting.
"""

import json
import threading
import time
from collections import OrderedDict, deque
from typing import Any, Final, Literal

import msgspec

from batuta.core.expr.script import Script, ScriptEngine, ScriptFailed, ScriptValue
from batuta.sandbox import exact
from batuta.sandbox.process import Died, Overran, ScriptProcess
from batuta.sandbox.protocol import MIB, Call, Limits, Reply

# A context needs 0.3 MiB before it does anything.
_MEMORY_BYTES_MIN: Final = 2 * MIB

# Engines leave a little behind in every call; a new process costs 0.1 s.
_CALLS_PER_PROCESS_MAX: Final = 10_000

# From this part of the time limit on a source counts as slow, until a run of it is quick again.
_SLOW_SHARE: Final = 0.25
_SLOW_SOURCES_MAX: Final = 256

# How long a call waits for a process, in time limits: a few turns of a full house.
_WAIT_LIMITS: Final = 10


class Sandbox(ScriptEngine):
    """
    Runs scripts in confined processes of their own, at most *children* at a time; safe from any thread.

    Processes start when they are first needed (0.1 s), answer a trivial script in about 0.1 ms, and end after *idle_s* without work.
    A script that passes a limit, or takes its process down, fails alone: the next call gets another process.
    """

    def __init__(
        self,
        *,
        time_limit_s: float = 2.0,
        memory_bytes_max: int = 64 * MIB,
        output_bytes_max: int = 10 * MIB,
        children: int = 2,
        idle_s: float = 60.0,
    ) -> None:
        """
        Raises:
            ValueError: a limit under which nothing can run.
        """
        if time_limit_s <= 0 or memory_bytes_max < _MEMORY_BYTES_MIN or output_bytes_max < 1 or children < 1 or idle_s <= 0:
            raise ValueError(
                f"limits of scripts: time_limit_s={time_limit_s!r}, memory_bytes_max={memory_bytes_max!r}, "
                f"output_bytes_max={output_bytes_max!r}, children={children!r}, idle_s={idle_s!r}; "
                f"expected all above 0 and at least {_MEMORY_BYTES_MIN} bytes of memory"
            )
        self._limits = Limits(time_limit_s, memory_bytes_max, output_bytes_max)
        self._seats = _Seats(children, idle_s)
        self._wait_s = time_limit_s * _WAIT_LIMITS
        self._slow: OrderedDict[int, None] = OrderedDict()
        self._confinement: list[str] | None = None

    def evaluate(self, script: Script) -> ScriptValue | ScriptFailed:
        try:
            data = msgspec.json.encode(script.data)
        except RecursionError:
            return ScriptFailed("The script's input is nested too deeply to hand it over", "error")
        reply = self._call(Call(script.language, script.source, data))
        if isinstance(reply, ScriptFailed):
            return reply
        if reply.kind != "value":
            return self._failure(script.language, reply)
        try:
            value = _decoded(reply.text)
            if script.language != "jq" and exact.may_hold_large_integers(data):
                value = exact.restored(value, msgspec.json.decode(data))
        except RecursionError:
            return ScriptFailed("The script's result is nested too deeply", "output")
        except ValueError as error:
            return ScriptFailed(f"The script's result is no JSON: {error}", "error")
        return ScriptValue(value)

    def syntax_error(self, language: str, source: str) -> str | None:
        reply = self._call(Call(language, source, b"null", check_only=True))
        if isinstance(reply, ScriptFailed):
            return None if reply.kind == "unavailable" else reply.reason
        return None if reply.kind == "value" else self._failure(language, reply).reason

    def confinement(self) -> list[str]:
        """What keeps a script process in on this machine, for whoever runs the server; tries one if none has run. Empty: none starts."""
        if self._confinement is None:
            self.syntax_error("javascript", "")
        return list(self._confinement or [])

    def close(self) -> None:
        """No further calls: those waiting fail as unavailable, those running end within their limit. Safe to repeat."""
        self._seats.close()

    def _call(self, call: Call) -> Reply | ScriptFailed:
        source = hash((call.language, call.source, call.check_only))
        is_slow = source in self._slow
        seat = self._seats.take(is_slow, self._wait_s)
        if seat is None:
            why = "The server is shutting down" if self._seats.is_closed else f"No script process was free within {self._wait_s:g} seconds"
            return ScriptFailed(why, "unavailable")
        started_at = time.monotonic()
        try:
            if seat.process is None or seat.process.has_ended():
                seat.process = None
                seat.process = ScriptProcess(self._limits)
                self._confinement = seat.process.confinement
                started_at = time.monotonic()
            reply = seat.process.call(call)
            seat.is_worn = reply.is_worn or seat.process.calls >= _CALLS_PER_PROCESS_MAX
            return reply
        except Overran:
            if seat.process is None:
                return ScriptFailed("The script process did not come up in time", "unavailable")
            return self._failure(call.language, Reply("timeout"))
        except Died as death:
            return self._post_mortem(call.language, death, came_up=seat.process is not None)
        except OSError as error:
            return ScriptFailed(f"No script process could be started: {error}", "unavailable")
        except BaseException:
            if seat.process is not None:
                seat.process.kill()  # an answer may still be on its way, and the next call would take it for its own
            raise
        finally:
            self._remember(source, is_slow, time.monotonic() - started_at)
            self._seats.give_back(seat)

    def _remember(self, source: int, was_slow: bool, took_s: float) -> None:
        # Single operations on the dictionary, each atomic; two threads at once may at worst forget one source too many.
        if took_s >= self._limits.time_limit_s * _SLOW_SHARE:
            self._slow[source] = None
            if len(self._slow) > _SLOW_SOURCES_MAX:
                self._slow.popitem(last=False)
        elif was_slow:
            self._slow.pop(source, None)

    def _failure(self, language: str, reply: Reply) -> ScriptFailed:
        what = "Query" if language == "jq" else "Script"
        limits = self._limits
        match reply.kind:
            case "timeout":
                return ScriptFailed(f"{what} not evaluated within {limits.time_limit_s:g} seconds, interrupted.", "timeout")
            case "memory":
                return ScriptFailed(f"{what} needed more than {limits.memory_bytes_max // MIB} MiB of memory, stopped.", "memory")
            case "output":
                return ScriptFailed(f"{what} gave more than {limits.output_bytes_max} bytes of output, stopped.", "output")
        said = reply.text.decode("utf-8", "replace")
        if language == "jq":
            return ScriptFailed(said, "error")
        return ScriptFailed(f"Error evaluating the script `{said}`" + (f" at line {reply.line}" if reply.line else ""), "error")

    def _post_mortem(self, language: str, death: Died, *, came_up: bool) -> ScriptFailed:
        if not came_up:
            last_words = death.words.rpartition("\n")[2][:500]
            return ScriptFailed(f"The script process ended before it was ready ({death.how}): {last_words}", "unavailable")
        if "cannot allocate memory" in death.words or "MemoryError" in death.words:  # jq's last words, and Python's
            return self._failure(language, Reply("memory"))
        if death.how == "SIGKILL" and death.words:
            return ScriptFailed(f"The script's process was ended: {death.words}", "error")
        if death.how == "SIGKILL":
            return ScriptFailed("The script's process was ended from outside (SIGKILL)", "unavailable")
        return ScriptFailed(f"The script took its process down ({death.how})", "error")


class _Seat:
    """The right to run one call, with a process to run it in, or none yet."""

    def __init__(self, is_slow: bool) -> None:
        self.is_slow = is_slow
        self.process: ScriptProcess | None = None
        self.is_worn = False
        self.is_refused = False
        self.settled = threading.Event()


class _Seats:
    """Who runs, who waits, and which processes are idle since when."""

    def __init__(self, count: int, idle_s: float) -> None:
        self._count = count
        self._count_for_slow = max(1, count - 1)
        self._idle_s = idle_s
        self._lock = threading.Condition()
        self._waiting: deque[_Seat] = deque()
        self._running: list[_Seat] = []
        self._idle: list[tuple[float, ScriptProcess]] = []  # with the instant each is to end; the longest idle first
        self._janitor: threading.Thread | None = None
        self.is_closed = False

    def take(self, is_slow: bool, wait_s: float) -> _Seat | None:
        """A seat, after all who came before have theirs; None if there is none within *wait_s*, or no longer any."""
        seat = _Seat(is_slow)
        with self._lock:
            if self.is_closed:
                return None
            self._waiting.append(seat)
            self._seat_those_waiting()
        if not seat.settled.is_set() and not seat.settled.wait(wait_s):
            with self._lock:
                if not seat.settled.is_set():
                    self._waiting.remove(seat)
                    return None
        return None if seat.is_refused else seat

    def give_back(self, seat: _Seat) -> None:
        """The seat is free for the next one; its process, if it is still good, is kept for a while."""
        process = seat.process
        with self._lock:
            self._running.remove(seat)
            if process and process.is_alive and not seat.is_worn and not self.is_closed:
                self._idle.append((time.monotonic() + self._idle_s, process))
                self._have_janitor()
                process = None
            self._seat_those_waiting()
        if process:
            process.kill()

    def close(self) -> None:
        """Refuse all who wait or come, end what is idle; the running seats end their processes when they are given back."""
        with self._lock:
            self.is_closed = True
            gone = [process for _, process in self._idle]
            self._idle.clear()
            for seat in self._waiting:
                seat.is_refused = True
                seat.settled.set()
            self._waiting.clear()
            self._lock.notify_all()
        for process in gone:
            process.kill()

    def _seat_those_waiting(self) -> None:
        slow = sum(seat.is_slow for seat in self._running)
        for seat in list(self._waiting):
            if len(self._running) >= self._count:
                return
            if seat.is_slow and slow >= self._count_for_slow:
                continue
            slow += seat.is_slow
            self._waiting.remove(seat)
            self._running.append(seat)
            seat.process = self._idle.pop(0)[1] if self._idle else None  # it has had the time to prepare
            seat.settled.set()

    def _have_janitor(self) -> None:
        if self._janitor is None:
            self._janitor = threading.Thread(target=self._end_the_idle, name="batuta-scripts-idle", daemon=True)
            self._janitor.start()

    def _end_the_idle(self) -> None:
        """Wait for the next process to have been idle too long, end it, and go when none is left: no process, no thread."""
        while True:
            with self._lock:
                while self._idle and (left := self._idle[0][0] - time.monotonic()) > 0:
                    self._lock.wait(left)
                if not self._idle:
                    self._janitor = None
                    return
                _, process = self._idle.pop(0)
            process.kill()


def _decoded(text: bytes) -> Any:
    """
    JSON as an engine wrote it. Two things in it are no JSON to others: half a surrogate pair, for which Java writes "?", and a number
    beyond all doubles, which becomes the largest one.

    Raises:
        ValueError: no JSON at all.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        value = json.loads(text, parse_float=_finite, parse_constant=_refused)
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _finite(digits: str) -> float:
    number = float(digits)
    return max(-1.7976931348623157e308, min(number, 1.7976931348623157e308))


def _refused(word: str) -> Literal[0]:
    raise ValueError(f"{word} is not JSON")
