"""Results the server does not take: kept on disk, tried again, replayed, never lost without a word."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client_stage import WAIT_S, Play, ended, until
from conductor_fake import ConductorFake

from batuta.client import Client, TaskResult, WorkerHost, WorkerMetrics, worker
from batuta.client.backoff import Backoff, Reachability
from batuta.client.reports import Reporter
from batuta.client.spool import Spool, default_directory


def gated(name: str = "job", outcome: Any = None) -> tuple[Any, threading.Event]:
    """A worker that returns *outcome* once the event is set."""
    gate = threading.Event()

    @worker(name, lease_extension=False, cancel_check_s=None)
    def function() -> Any:
        gate.wait(WAIT_S)
        return {"y": 1} if outcome is None else outcome

    return function, gate


def files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_a_result_outlives_an_outage(fake: ConductorFake, play: Play, tmp_path: Path) -> None:
    """Finished while the server is away: on disk at once, reported when it is back, and gone from disk then."""
    job, gate = gated()
    task_id = fake.put_task("job")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.running.value("job") == 1)
        fake.stop()
        gate.set()
        await until(fake, lambda: host.metrics.reports.value("kept") == 1, "the result on disk")
        assert len(files(tmp_path)) == 1 and host.metrics.reports_pending.value() == 1
        fake.start()
        await ended(fake, task_id)
        await until(fake, lambda: host.metrics.reports.value("resent") == 1 and not files(tmp_path))

    _, farewell = play([job], scene, spool_dir=tmp_path)
    assert fake.tasks[task_id]["outputData"] == {"y": 1}
    assert farewell.is_clean


def test_a_server_that_is_back_hears_what_was_done_before_it_is_asked_for_more(fake: ConductorFake, play: Play, tmp_path: Path) -> None:
    """Else it would hand out again what it thinks nobody finished, for example to the very worker that did."""
    job, gate = gated()
    task_id = fake.put_task("job")

    async def scene(host: WorkerHost) -> list[str]:
        await until(fake, lambda: host.metrics.running.value("job") == 1)
        fake.stop()
        gate.set()
        await until(fake, lambda: host.metrics.reports.value("kept") == 1)
        fake.tasks[task_id]["status"] = "SCHEDULED"  # a claim that did not survive the crash
        fake._enqueue(fake.tasks[task_id], 0.0)
        before = len(fake.requests)
        fake.start()
        await ended(fake, task_id)
        await until(fake, lambda: len(fake.seen("GET /tasks/poll/batch/job")) >= 4)
        return [str(request) for request in fake.requests[before:]]

    requests, _ = play([job, job.replace(domain="d")], scene, spool_dir=tmp_path)
    assert requests[0] == "POST /tasks"
    assert fake.tasks[task_id]["pollCount"] == 1


def test_results_of_an_earlier_process_come_before_the_first_task(fake: ConductorFake, play: Play, tmp_path: Path) -> None:
    job, gate = gated()
    gate.set()
    task_id = fake.put_task("job")
    assert Spool(tmp_path, fake.url).put(_result(fake, task_id))

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([job], scene, spool_dir=tmp_path)
    assert fake.tasks[task_id]["pollCount"] == 0


def test_a_result_that_is_not_taken_is_reported_by_the_next_process(fake: ConductorFake, play: Play, tmp_path: Path) -> None:
    job, gate = gated()
    task_id = fake.put_task("job")

    async def outage(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.running.value("job") == 1)
        fake.stop()
        gate.set()
        await until(fake, lambda: host.metrics.reports.value("kept") == 1)

    _, farewell = play([job], outage, spool_dir=tmp_path, drain_s=0.1)
    assert (farewell.cut_off, farewell.unsent) == (0, 1)
    [kept] = files(tmp_path)
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(kept.read_bytes())["output"] == {"y": 1}

    fake.start()

    async def later(host: WorkerHost) -> None:
        await ended(fake, task_id)
        await until(fake, lambda: not files(tmp_path))

    _, farewell = play([job], later, spool_dir=tmp_path)
    assert fake.tasks[task_id]["outputData"] == {"y": 1} and farewell.is_clean


def test_a_kept_result_waits_on_disk_when_it_was_tried_long_enough(fake: ConductorFake, play: Play, tmp_path: Path) -> None:
    job, gate = gated()
    fake.put_task("job")
    gate.set()
    fake.fault("POST /tasks", 500, {"status": 500, "message": "never"}, times=10_000)

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.reports.value("kept") == 1)
        await until(fake, lambda: host.metrics.reports_pending.value() == 0, "the end of the tries")

    _, farewell = play([job], scene, spool_dir=tmp_path, report_for_s=0.2)
    assert farewell.unsent == 0 and len(files(tmp_path)) == 1


def test_a_fault_with_one_result_does_not_hold_up_the_others(fake: ConductorFake, tmp_path: Path) -> None:
    """A result the server fails on is tried again beside the rest; a result it never answers for would be `away`."""
    first, second = fake.put_task("a"), fake.put_task("b")
    fake.fault("POST /tasks", 500, times=2)

    async def scene(reporter: Reporter) -> None:
        assert not await reporter.deliver(_result(fake, first))
        assert not await reporter.deliver(_result(fake, second))
        await ended(fake, first, second)

    _with_reporter(fake, tmp_path, scene)
    assert len(fake.seen("POST /tasks")) == 4


#    answer of the server      what the task becomes           tries
REFUSALS = [
    (404,                      "SCHEDULED",                    1),  # unknown: nothing can be told
    (409,                      "SCHEDULED",                    1),
    (400,                      "FAILED_WITH_TERMINAL_ERROR",   2),  # the result itself is refused: the server is told so
    (413,                      "FAILED_WITH_TERMINAL_ERROR",   2),
    (405,                      "FAILED_WITH_TERMINAL_ERROR",   2),
    (401,                      "COMPLETED",                    2),  # credentials can be set right
    (403,                      "COMPLETED",                    2),
    (429,                      "COMPLETED",                    2),
    (500,                      "COMPLETED",                    2),
    (503,                      "COMPLETED",                    2),
]  # fmt: skip


@pytest.mark.parametrize(("status", "becomes", "tries"), REFUSALS)
def test_what_is_done_about_a_refusal(fake: ConductorFake, tmp_path: Path, status: int, becomes: str, tries: int) -> None:
    task_id = fake.put_task("a")
    fake.fault("POST /tasks", status, {"status": status, "message": "not this"})

    async def scene(reporter: Reporter) -> bool:
        is_settled = await reporter.deliver(_result(fake, task_id))
        if becomes != "SCHEDULED":
            await ended(fake, task_id)
        return is_settled

    is_settled, unsent = _with_reporter(fake, tmp_path, scene)
    task = fake.tasks[task_id]
    assert (task["status"], len(fake.seen("POST /tasks")), unsent, files(tmp_path)) == (becomes, tries, 0, [])
    assert is_settled == (status in (400, 404, 405, 409, 413))
    if becomes == "FAILED_WITH_TERMINAL_ERROR":
        assert "the server refused the worker's result (COMPLETED)" in task["reasonForIncompletion"] and "not this" in task["reasonForIncompletion"]


def test_a_result_refused_twice_is_dropped_and_said(fake: ConductorFake, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    task_id = fake.put_task("a")
    fake.fault("POST /tasks", 400, times=2)

    async def scene(reporter: Reporter) -> bool:
        return await reporter.deliver(_result(fake, task_id))

    assert _with_reporter(fake, tmp_path, scene) == (True, 0)
    assert sum("was refused" in record.getMessage() for record in caplog.records) == 2


def test_a_task_put_back_is_never_kept_for_later(fake: ConductorFake, tmp_path: Path) -> None:
    """Sent hours later, an IN_PROGRESS would take the task from whoever runs it by then."""
    task_id = fake.put_task("a")
    result = TaskResult(status="IN_PROGRESS", task_id=task_id, execution_id="e")

    async def scene(reporter: Reporter) -> None:
        fake.stop()
        assert not await reporter.deliver(result)
        assert files(tmp_path) == []

    assert _with_reporter(fake, tmp_path, scene) == (None, 1)
    assert files(tmp_path) == []


def test_polling_pauses_while_too_many_results_wait(fake: ConductorFake, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from batuta.client import reports

    monkeypatch.setattr(reports, "PENDING_MAX", 3)

    @worker("job")
    async def job() -> None: ...

    tasks = [fake.put_task("job") for _ in range(6)]
    fake.fault("POST /tasks", 500, times=10_000)

    async def scene(host: WorkerHost) -> int:
        await until(fake, lambda: host.metrics.reports_pending.value() >= 3)
        taken = sum(fake.tasks[i]["pollCount"] for i in tasks)
        fake.clear_faults()
        await ended(fake, *tasks)
        return taken

    taken, farewell = play([job], scene, spool_dir=tmp_path)
    assert taken <= 4 and farewell.is_clean


def test_a_spool_that_cannot_be_written_keeps_the_result_in_memory(
    fake: ConductorFake, play: Play, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    job, gate = gated()
    task_id = fake.put_task("job")
    gate.set()
    fake.fault("POST /tasks", 503, times=4)

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    _, farewell = play([job], scene, spool_dir=tmp_path / "spool", report_for_s=0.01)
    assert farewell.is_clean
    assert any("cannot be kept" in record.getMessage() for record in caplog.records)


# ---- the spool itself


def test_each_server_has_a_spool_of_its_own(tmp_path: Path) -> None:
    one, other = Spool(tmp_path, "http://a:1/api"), Spool(tmp_path, "http://a:1/other/api")
    assert one.put(TaskResult(status="COMPLETED", task_id="t", execution_id="e"))
    assert [result.task_id for result in one.results()] == ["t"]
    assert list(other.results()) == []
    assert one.folder.name.startswith("a-1-")


def test_a_result_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "http://a/api")
    result = TaskResult(status="FAILED", output={"a": [1, None, {"b": "ü"}]}, reason="r", logs=["x"], task_id="t/../1", execution_id="e", worker_id="w")
    spool.put(result)
    assert list(spool.results()) == [result]
    assert [path.parent for path in files(tmp_path)] == [spool.folder]  # a strange id does not lead elsewhere
    spool.remove(result)
    spool.remove(result)
    assert list(spool.results()) == [] == files(tmp_path)


def test_results_come_oldest_first_and_a_broken_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool(tmp_path, "http://a/api")
    for age, task_id in ((30, "old"), (10, "new"), (20, "middle")):
        spool.put(TaskResult(status="COMPLETED", task_id=task_id))
        os.utime(spool.folder / f"{task_id}.json", (1_000_000 - age, 1_000_000 - age))
    (spool.folder / "broken.json").write_text("{")
    (spool.folder / "half.json.1.tmp").write_text("{")
    assert [result.task_id for result in spool.results()] == ["old", "middle", "new"]
    assert (spool.folder / "broken.bad").exists()
    assert "is set aside" in caplog.text


def test_a_full_spool_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("batuta.client.spool.FILES_MAX", 2)
    spool = Spool(tmp_path, "http://a/api")
    assert [spool.put(TaskResult(status="COMPLETED", task_id=str(n))) for n in range(3)] == [True, True, False]
    assert "there are 2 results already" in caplog.text and len(files(tmp_path)) == 2


def test_the_spool_lies_in_the_users_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_directory() == tmp_path / "batuta" / "spool"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_directory() == Path("/home/someone/.local/state/batuta/spool")


def _result(fake: ConductorFake, task_id: str) -> TaskResult:
    return TaskResult(status="COMPLETED", task_id=task_id, execution_id=fake.tasks[task_id]["workflowInstanceId"])


def _with_reporter(fake: ConductorFake, directory: Path, scene: Callable[[Reporter], Any]) -> tuple[Any, int]:
    """What *scene* returned, and how many results were left when the reporter closed."""
    async def run() -> tuple[Any, int]:
        logging.getLogger("batuta.client.worker").setLevel(logging.INFO)
        client, metrics = Client(fake.url, timeout_s=5), WorkerMetrics()
        reachability = Reachability(client.url, metrics.server_up)
        reporter = Reporter(client, Spool(directory, client.url), metrics, reachability, report_for_s=60, backoff=Backoff(0.01, 0.05))
        outcome = await scene(reporter)
        unsent = await reporter.close(0.3)
        await client.close()
        return outcome, unsent

    return asyncio.run(run())
