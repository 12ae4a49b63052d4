"""Many callers, few processes: who waits for whom, what a lost process costs, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from batuta.core.expr.script import Script, ScriptFailed, ScriptValue
from batuta.sandbox import Sandbox
from batuta.sandbox.process import Died, ScriptProcess
from batuta.sandbox.protocol import MIB, Call, Limits

QUICK = Script("javascript", "$.n + 1", {"n": 1})
SPIN = Script("javascript", "while (true) {}", {})
SPIN_IN_JQ = Script("jq", "def f: f; f", {})
PATIENCE_S = 30


def test_a_spinning_script_does_not_delay_another(make: "Make") -> None:
    box, threads = make(time_limit_s=20, children=2)
    spinning = threads.submit(box.evaluate, SPIN_IN_JQ)
    running = only_process(box)
    for _ in range(20):
        assert box.evaluate(QUICK) == ScriptValue(2)
    assert not spinning.done()
    os.kill(running.id, signal.SIGKILL)
    assert failure(spinning).kind == "unavailable"


def test_a_source_known_to_be_slow_leaves_one_process_to_the_others(make: "Make") -> None:
    box, threads = make(time_limit_s=0.4, children=2)
    assert failure(threads.submit(box.evaluate, SPIN)).kind == "timeout"
    spinning = [threads.submit(box.evaluate, SPIN) for _ in range(4)]
    eventually(lambda: len(box._seats._running) == 1 and len(box._seats._waiting) == 3)
    for _ in range(5):
        assert box.evaluate(QUICK) == ScriptValue(2)
    assert sum(end.done() for end in spinning) <= 1
    assert {failure(end).kind for end in spinning} == {"timeout"}


def test_a_source_that_is_quick_again_is_no_longer_held_back(make: "Make") -> None:
    box, _ = make(time_limit_s=0.4)
    source = "if ($.spin) { while (true) {} } 'quick'"
    assert isinstance(box.evaluate(Script("javascript", source, {"spin": True})), ScriptFailed)
    assert len(box._slow) == 1
    assert box.evaluate(Script("javascript", source, {})) == ScriptValue("quick")
    assert len(box._slow) == 0


def test_calls_from_many_threads_get_their_own_answers(make: "Make") -> None:
    box, threads = make(children=2)
    scripts = [Script("javascript", f"$.n * {n}", {"n": n}) for n in range(200)] + [Script("jq", f".n * {n}", {"n": n}) for n in range(200)]
    ends = list(threads.map(box.evaluate, scripts))
    assert ends == [ScriptValue(n * n) for n in range(200)] + [ScriptValue([n * n]) for n in range(200)]
    assert len(box._seats._idle) <= 2


def test_a_call_waits_for_a_process_no_longer_than_its_bound(make: "Make") -> None:
    box, threads = make(time_limit_s=20, children=1)
    box._wait_s = 0.05
    threads.submit(box.evaluate, SPIN_IN_JQ)
    running = only_process(box)
    assert box.evaluate(QUICK) == ScriptFailed("No script process was free within 0.05 seconds", "unavailable")
    assert box.syntax_error("javascript", "1 +") is None, "nobody was free to look"
    os.kill(running.id, signal.SIGKILL)


FROM_OUTSIDE = ScriptFailed("The script's process was ended from outside (SIGKILL)", "unavailable")
CRASHED = ScriptFailed("The script took its process down (SIGSEGV)", "error")


@pytest.mark.parametrize(("status", "end"), [(signal.SIGKILL, FROM_OUTSIDE), (signal.SIGSEGV, CRASHED)])
def test_a_process_lost_in_the_middle_of_a_call_costs_that_call_only(make: "Make", status: signal.Signals, end: ScriptFailed) -> None:
    box, threads = make(time_limit_s=20, children=1)
    lost = threads.submit(box.evaluate, SPIN_IN_JQ)
    waiting = threads.submit(box.evaluate, QUICK)
    os.kill(only_process(box).id, status)
    assert failure(lost) == end
    assert waiting.result(PATIENCE_S) == ScriptValue(2)


def test_a_process_lost_between_two_calls_costs_nothing(make: "Make") -> None:
    box, _ = make(children=1)
    assert box.evaluate(QUICK) == ScriptValue(2)
    ((_, idle),) = box._seats._idle
    idle._process.kill()
    idle._process.wait(PATIENCE_S)
    assert box.evaluate(QUICK) == ScriptValue(2)


def test_a_call_that_is_interrupted_leaves_no_answer_to_the_next(make: "Make", monkeypatch: pytest.MonkeyPatch) -> None:
    box, _ = make(children=1)
    assert box.evaluate(QUICK) == ScriptValue(2)
    ((_, process),) = box._seats._idle

    def interrupted(deadline: float) -> bytearray:
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "_receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        box.evaluate(Script("javascript", "'not for you'", {}))
    assert not process.is_alive
    assert box.evaluate(QUICK) == ScriptValue(2)


@pytest.mark.parametrize("language", ["javascript", "jq"])
def test_what_a_script_says_of_itself_is_cut_to_a_bearable_length(make: "Make", language: Literal["javascript", "jq"]) -> None:
    box, _ = make(output_bytes_max=10)
    end = box.evaluate(Script(language, {"javascript": "throw 'ü'.repeat(2e6)", "jq": 'error("ü" * 2000000)'}[language], {}))
    assert isinstance(end, ScriptFailed) and end.kind == "error" and 10_000 <= len(end.reason) < 10_100


def test_idle_processes_end_and_so_does_the_thread_that_ends_them(make: "Make") -> None:
    box, _ = make(idle_s=0.05)
    assert box.evaluate(QUICK) == ScriptValue(2)
    eventually(lambda: not box._seats._idle and box._seats._janitor is None)
    assert box.evaluate(QUICK) == ScriptValue(2)


def test_a_process_retires_after_so_many_calls(make: "Make", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batuta.sandbox.pool._CALLS_PER_PROCESS_MAX", 2)
    box, _ = make(children=1)
    ids = [box.evaluate(QUICK) and [process.id for _, process in box._seats._idle] for _ in range(3)]
    assert ids[0] and ids[1] == [] and ids[2] and ids[2] != ids[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the size of an address space")
def test_a_process_that_has_grown_asks_to_be_replaced() -> None:
    process = ScriptProcess(Limits(2.0, 64 * MIB, MIB))
    assert process.call(Call("javascript", "1", b"{}")).is_worn is False
    # Compiled queries are kept, and these are large.
    assert any(process.call(Call("jq", f'"{n}{"x" * 1_000_000}" | length', b"{}")).is_worn for n in range(60))
    process.kill()


def test_a_process_that_asked_for_it_is_replaced(make: "Make", monkeypatch: pytest.MonkeyPatch) -> None:
    box, _ = make(children=1)
    assert box.evaluate(QUICK) == ScriptValue(2)
    ((_, first),) = box._seats._idle
    answer = first.call
    monkeypatch.setattr(first, "call", lambda call: answer(call)._replace(is_worn=True))
    assert box.evaluate(QUICK) == ScriptValue(2)
    assert not box._seats._idle and not first.is_alive


def test_closing_refuses_those_who_wait_and_lets_those_who_run_finish(make: "Make") -> None:
    box, threads = make(time_limit_s=1, children=1)
    running = threads.submit(box.evaluate, SPIN)
    eventually(lambda: len(box._seats._running) == 1)
    waiting = threads.submit(box.evaluate, QUICK)
    eventually(lambda: len(box._seats._waiting) == 1)
    box.close()
    shutting_down = ScriptFailed("The server is shutting down", "unavailable")
    assert waiting.result(PATIENCE_S) == shutting_down
    assert box.evaluate(QUICK) == shutting_down
    assert failure(running).kind == "timeout"
    assert not box._seats._idle and not box._seats._running
    box.close()


def test_a_shutdown_signal_to_the_whole_group_does_not_disturb_a_running_script(make: "Make") -> None:
    process = ScriptProcess(Limits(20, 64 * MIB, MIB))
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(process.id, name)
    assert process.call(Call("javascript", "1 + 1", b"{}")).text == b"2"
    process.kill()


def test_a_process_whose_server_is_gone_ends_by_itself(tmp_path: Path) -> None:
    server = """
import os, sys, threading
from batuta.core.expr.script import Script
from batuta.sandbox import Sandbox
box = Sandbox(time_limit_s=0.5, children=2)
box.evaluate(Script("javascript", "1", {}))
threading.Thread(target=box.evaluate, args=(Script("jq", "def f: f; f", {}),), daemon=True).start()
while not box._seats._running or not box._seats._running[0].process: pass
print(box._seats._running[0].process.id, flush=True)
os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", server], stdout=subprocess.PIPE, cwd=tmp_path, timeout=PATIENCE_S)
    orphan = int(ended.stdout)
    eventually(lambda: not exists(orphan))


def test_a_process_that_cannot_start_says_why(make: "Make", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batuta.sandbox.process._PROGRAM", "raise SystemExit('no engine in this house')")
    box, _ = make()
    reason = "The script process ended before it was ready (exit status 1): no engine in this house"
    assert box.evaluate(QUICK) == ScriptFailed(reason, "unavailable")
    assert box.confinement() == []
    monkeypatch.setattr("batuta.sandbox.process.sys.executable", "/no/such/python")
    end = box.evaluate(QUICK)
    assert isinstance(end, ScriptFailed) and end.kind == "unavailable" and "/no/such/python" in end.reason


@pytest.mark.parametrize("answer", [b"\xff" * 100, b"\0\0\0\4more", b"\0\0\0\1xx", b"\0\0\0\4\0\0\0\0", b"\0"])
def test_an_answer_that_is_none_ends_the_process(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    program = f"import os; os.write(1, bytes(4)); os.read(0, 9); os.write(1, {answer!r})"
    monkeypatch.setattr("batuta.sandbox.process._PROGRAM", program)
    process = ScriptProcess(Limits(20, 64 * MIB, MIB))
    with pytest.raises(Died):
        process.call(Call("javascript", "1", b"{}"))
    assert not process.is_alive


Make = Callable[..., tuple[Sandbox, ThreadPoolExecutor]]


@pytest.fixture
def make() -> Iterator[Make]:
    """Sandboxes with threads to call them from; all closed at the end, nothing left running."""
    made: list[Sandbox] = []
    with leftovers_ended() as before, ThreadPoolExecutor(16) as threads:

        def one(**limits: float) -> tuple[Sandbox, ThreadPoolExecutor]:
            made.append(Sandbox(**limits))  # type: ignore[arg-type]
            return made[-1], threads

        yield one
        for box in made:
            box.close()
            for seat in list(box._seats._running):
                if seat.process:
                    os.kill(seat.process.id, signal.SIGKILL)
    assert before is not None


@contextmanager
def leftovers_ended() -> Iterator[set[str]]:
    """The janitors' threads that were there before; at the end no others are."""
    before = {thread.name for thread in threading.enumerate()}
    yield before
    eventually(lambda: {thread.name for thread in threading.enumerate()} <= before)


def only_process(box: Sandbox) -> ScriptProcess:
    """The process of the one call that is running, once it runs."""
    eventually(lambda: any(seat.process for seat in box._seats._running))
    (process,) = (seat.process for seat in box._seats._running if seat.process)
    return process


def failure(end: "Future[ScriptValue | ScriptFailed]") -> ScriptFailed:
    result = end.result(PATIENCE_S)
    assert isinstance(result, ScriptFailed)
    return result


def exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    # A zombie waits for an init that some containers lack; it runs nothing.
    status = Path(f"/proc/{process_id}/stat")
    return not (status.exists() and status.read_text().rpartition(") ")[2].startswith("Z"))


def eventually(claim: Callable[[], bool]) -> None:
    """Wait until *claim* holds; fail when it does not within a generous time."""
    pause = threading.Event()
    for _ in range(PATIENCE_S * 200):
        if claim():
            return
        pause.wait(0.005)
    raise AssertionError("it did not come true")
