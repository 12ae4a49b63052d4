"""A whole worker process: signals, exit codes, discovery by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conductor_fake import ConductorFake

from batuta.client import find_workers, worker

WORKERS = '''
import asyncio, threading
from batuta.client import TaskContext, run_workers, worker

@worker("gentle", poll_timeout_s=0.05)
def gentle(context: TaskContext) -> str:
    pause = threading.Event()
    while not context.is_draining:
        pause.wait(0.01)
    return "drained"

@worker("stuck", poll_timeout_s=0.05)
def stuck() -> None:
    threading.Event().wait()

@worker("quick", poll_timeout_s=0.05)
async def quick(x: int) -> int:
    return x + 1
'''

MAIN = """
import sys
from batuta.client import run_workers
sys.exit(run_workers(["my_workers"], drain_s=float(sys.argv[1]), backoff_s=(0.01, 0.1)))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "my_workers.py").write_text(WORKERS)
    return tmp_path


@contextmanager
def process(fake: ConductorFake, home: Path, drain_s: float = 20.0) -> Iterator[subprocess.Popen[str]]:
    """A worker process at work; killed at the end if it has not left."""
    environment = {**os.environ, "CONDUCTOR_SERVER_URL": fake.url, "XDG_STATE_HOME": str(home / "state")}
    one = subprocess.Popen(
        [sys.executable, "-c", MAIN, str(drain_s)], cwd=home, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        yield one
    finally:
        if one.poll() is None:
            one.kill()
        one.communicate(timeout=20)


def running(fake: ConductorFake, task_id: str) -> None:
    fake.wait_until(lambda: fake.tasks[task_id]["status"] == "IN_PROGRESS", f"task {task_id} taken")
    kind = fake.tasks[task_id]["taskType"]
    polls = len(fake.seen(f"GET /tasks/poll/batch/{kind}"))  # one slot: it polls no more while it runs
    fake.wait_until(lambda: len(fake.seen("GET /tasks/poll/batch/quick")) > polls + 2, "the process polling on")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(fake: ConductorFake, home: Path, number: signal.Signals) -> None:
    """No more polls; the running task ends in its own time and is reported; exit code 0."""
    task_id = fake.put_task("gentle")
    with process(fake, home) as one:
        running(fake, task_id)
        one.send_signal(number)
        _, errors = one.communicate(timeout=20)
    assert one.returncode == 0
    assert fake.tasks[task_id]["outputData"] == {"result": "drained"}
    assert f"{number.name}: draining" in errors and "Traceback" not in errors


def test_a_task_that_outlasts_the_drain_is_reported_failed(fake: ConductorFake, home: Path) -> None:
    """A stuck thread neither keeps the process alive nor its task in the dark; exit code 1."""
    task_id = fake.put_task("stuck")
    with process(fake, home, drain_s=0.2) as one:
        running(fake, task_id)
        one.send_signal(signal.SIGTERM)
        _, errors = one.communicate(timeout=20)
    assert one.returncode == 1
    assert fake.tasks[task_id]["status"] == "FAILED"
    assert "left with 1 tasks cut off" in errors


def test_a_second_signal_leaves_at_once(fake: ConductorFake, home: Path) -> None:
    task_id = fake.put_task("stuck")
    with process(fake, home) as one:
        running(fake, task_id)
        one.send_signal(signal.SIGTERM)
        assert one.stderr is not None
        for line in one.stderr:
            if "draining: waiting" in line:
                break
        one.send_signal(signal.SIGTERM)
        assert one.wait(20) == 128 + signal.SIGTERM
    assert fake.tasks[task_id]["status"] == "IN_PROGRESS"


def test_a_second_signal_writes_down_a_result_on_its_way(fake: ConductorFake, home: Path) -> None:
    """The result of a task that ended is not lost, even if its report hangs when the process is told to go."""
    task_id = fake.put_task("quick", {"x": 1})
    with fake.held("POST /tasks"), process(fake, home) as one:
        fake.wait_until(lambda: fake.seen("POST /tasks"), "the report")
        one.send_signal(signal.SIGTERM)
        assert one.stderr is not None
        for line in one.stderr:
            if "draining: waiting" in line:
                break
        one.send_signal(signal.SIGTERM)
        assert one.wait(20) == 128 + signal.SIGTERM
        assert len(list((home / "state").rglob(f"{task_id}.json"))) == 1


def test_a_killed_process_leaves_its_unsent_result_to_the_next(fake: ConductorFake, home: Path) -> None:
    task_id = fake.put_task("quick", {"x": 1})
    fake.fault("POST /tasks", 503, b"", times=10_000)
    with process(fake, home) as one:
        fake.wait_until(lambda: len(fake.seen("POST /tasks")) >= 2, "a second try")  # the first is on disk by then
        one.kill()
        one.wait(20)
    fake.clear_faults()
    with process(fake, home) as one:
        fake.wait_ended(task_id)
        one.send_signal(signal.SIGTERM)
        one.communicate(timeout=20)
    assert one.returncode == 0
    assert fake.tasks[task_id]["outputData"] == {"result": 2}
    assert not list((home / "state").rglob("*.json"))


def test_a_process_starts_before_its_server(fake: ConductorFake, home: Path) -> None:
    task_id = fake.put_task("quick", {"x": 1})
    fake.stop()
    with process(fake, home) as one:
        assert one.stderr is not None
        for line in one.stderr:
            if "is away" in line:
                break
        fake.start()
        fake.wait_ended(task_id)
        one.send_signal(signal.SIGTERM)
        one.communicate(timeout=20)
    assert one.returncode == 0


# ---- discovery


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "disc_workers.py").write_text(WORKERS + "\nboth = [gentle, quick]\nagain = gentle\nnumber = 3\ndef made(): return both\n")
    (tmp_path / "disc_empty.py").write_text("x = 1\n")
    (tmp_path / "disc_broken.py").write_text("import no_such_module_at_all\n")
    return tmp_path


#    target                       workers
TARGETS = [
    (("disc_workers",),                        ["gentle", "stuck", "quick"]),
    (("disc_workers:quick",),                  ["quick"]),
    (("disc_workers:both",),                   ["gentle", "quick"]),
    (("disc_workers:made",),                   ["gentle", "quick"]),
    (("disc_workers:quick", "disc_workers"),   ["quick", "gentle", "stuck"]),
]  # fmt: skip


@pytest.mark.parametrize(("targets", "names"), TARGETS)
def test_workers_are_found_by_name(modules: Path, targets: tuple[str, ...], names: list[str]) -> None:
    assert [one.name for one in find_workers(*targets)] == names


#    target                       what is said
MISSES = [
    ("disc_nowhere",              "no module 'disc_nowhere'"),
    ("disc_nowhere.deeper",       "no module 'disc_nowhere'"),
    ("disc_empty",                "no worker at its top level"),
    ("disc_workers:nothing",      "has no attribute 'nothing'"),
    ("disc_workers:number",       "is int 3; expected a worker"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "said"), MISSES)
def test_a_target_without_workers_is_said(modules: Path, target: str, said: str) -> None:
    with pytest.raises(LookupError, match=said):
        find_workers(target)


def test_a_module_that_cannot_be_imported_says_its_own_reason(modules: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        find_workers("disc_broken")


def test_find_workers_leaves_callables_of_workers_alone() -> None:
    assert worker("x")(lambda: 1)() == 1
