"""Following an execution: drawn over on a screen, line by line through a pipe."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from clistage import Program, single

from batuta.cli import terminal
from batuta.cli.failure import Exit
from batuta.cli.workflow import watch
from batuta.client import SyncClient, Unavailable

AT = 1_700_000_000_000


def task(n: int, status: str, **more: Any) -> dict[str, Any]:
    ref = f"t{n}"
    instants = {"scheduledTime": AT + n, "startTime": AT + n, "endTime": AT + n if status == "COMPLETED" else 0}
    return {"taskId": ref, "referenceTaskName": ref, "taskType": ref, "taskDefName": ref, "status": status, **instants, **more}


def execution(status: str, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"workflowId": "e1", "workflowName": "w", "workflowVersion": 1, "status": status, "startTime": AT, "tasks": list(tasks), **more}


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "width", lambda: 60)
    monkeypatch.setattr(terminal, "height", lambda: 14)


def test_a_screen_is_drawn_over_its_last_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    screen = watch._Screen()
    screen.show(execution("RUNNING", task(1, "IN_PROGRESS")))
    first = capsys.readouterr().out
    screen.show(execution("COMPLETED", task(1, "COMPLETED"), output={"done": True}))
    second = capsys.readouterr().out
    assert first.startswith("\x1b[J") and "RUNNING" in first
    assert second.startswith(f"\x1b[{first.count(chr(10))}A\r\x1b[J") and "COMPLETED" in second and '{"done": true}' in second


def test_a_drawing_never_scrolls_while_the_execution_runs(capsys: pytest.CaptureFixture[str]) -> None:
    screen, many = watch._Screen(), [task(n, "COMPLETED") for n in range(50)]
    screen.show(execution("RUNNING", *many))
    drawn = capsys.readouterr().out
    assert drawn.count("\n") < 14 and "lines above" in drawn and "t49" in drawn
    screen.show(execution("COMPLETED", *many))
    assert "t0 " in capsys.readouterr().out  # at the end all of it


def test_a_line_that_is_too_long_does_not_wrap(capsys: pytest.CaptureFixture[str]) -> None:
    watch._Screen().show(execution("FAILED", task(1, "FAILED", reasonForIncompletion="very long " * 30), correlationId="c" * 100))
    assert all(terminal.columns_of(line) <= 60 for line in click.unstyle(capsys.readouterr().out).replace("\x1b[J", "").splitlines())


def test_lines_tell_each_change_once_in_the_order_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines = watch._Lines()
    lines.show(execution("RUNNING", task(2, "IN_PROGRESS"), task(1, "COMPLETED")))
    lines.show(execution("RUNNING", task(2, "IN_PROGRESS"), task(1, "COMPLETED")))
    lines.show(execution("RUNNING", task(2, "COMPLETED"), task(1, "COMPLETED"), task(3, "SCHEDULED", retryCount=1, reasonForIncompletion="before")))
    lines.show(execution("COMPLETED", task(2, "COMPLETED"), task(1, "COMPLETED"), task(3, "COMPLETED", retryCount=1)))
    told = [" ".join(line.split()[3:]) for line in click.unstyle(capsys.readouterr().out).splitlines()]
    assert told[:6] == ["e1 running", "t1 completed", "t2 in progress", "t2 completed", "t3 (attempt 2) scheduled", "t3 (attempt 2) completed"]
    assert told[6].startswith("COMPLETED") and len(told) == 8


def test_a_restart_of_the_server_is_waited_out_and_told(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path), "--ui-port", "0", "--json")
    with Program("server", "--port", "0", *data, cwd=tmp_path) as first:
        ready = json.loads(first.line())
        with SyncClient(ready["url"]) as client:
            client.register_workflow(single())
            execution_id = client.start_workflow("single")
        with Program("workflow", "watch", execution_id, "--url", ready["url"], cwd=tmp_path) as watching:
            watching.until("scheduled")
            first.process.kill()
            first.process.wait()
            assert watching.process.stderr is not None
            assert "waiting up to 60 s" in watching.process.stderr.readline()
            with Program("server", "--port", str(ready["port"]), *data, cwd=tmp_path) as second:
                second.line()
                with SyncClient(ready["url"]) as client:
                    polled = client.poll_task("step", worker_id="w")
                    assert polled is not None
                    client.update_task_by_ref(execution_id, "step", "COMPLETED", {})
                ran = watching.ended()
    assert (ran.code, "It is back." in ran.err, "COMPLETED" in ran.out) == (Exit.OK, True, True), ran


def test_a_server_that_stays_away_ends_the_watching(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(watch, "OUTAGE_S_MAX", 0.1)
    monkeypatch.setattr(watch, "PAUSE_S", 0.02)

    class Leaving:
        """A server that answers once."""

        answers = 1

        def get_workflow(self, execution_id: str) -> Any:
            if self.answers:
                self.answers -= 1
                return SimpleNamespace(json=execution("RUNNING"))
            raise Unavailable("nobody is there")

    with pytest.raises(Unavailable):
        watch.follow(Leaving(), "e1")  # type: ignore[arg-type]
    assert "does not answer" in capsys.readouterr().err
