"""The testing kit: the server it holds, its clock, its workers."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from batuta.client import Failed, Unavailable, task_def, worker, workflow
from batuta.testing import EmbeddedServer, embedded

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def waiting(hours: int, steps: int) -> dict[str, Any]:
    flow = workflow("waiting")
    for n in range(steps):
        flow.wait(f"pause{n}", duration=f"{hours} hours")
    return flow.to_dict()


@worker("double")
def double(n: int) -> dict[str, int]:
    return {"n": 2 * n}


def doubling() -> dict[str, Any]:
    flow = workflow("doubling", input=["n"])
    task = flow.task("double", n=flow.input.n)
    return flow.output(n=task.output["n"]).to_dict()


def test_a_server_is_there_in_the_block_and_gone_after_it() -> None:
    threads = threading.active_count()
    with embedded() as server:
        url, client = server.url, server.client
        assert client.health()["healthy"] is True
        assert url == f"http://127.0.0.1:{server.port}/api"
    with pytest.raises(Unavailable):
        client.version()
    assert threading.active_count() <= threads


def test_servers_do_not_know_each_other() -> None:
    with embedded() as one, embedded() as other:
        one.client.register_workflow(doubling())
        assert [d["name"] for d in one.client.list_workflow_defs()] == ["doubling"]
        assert other.client.list_workflow_defs() == []


def test_a_server_that_cannot_start_leaves_nothing_behind() -> None:
    from batuta.errors import Invalid, Unavailable

    with embedded() as server, pytest.raises(Unavailable, match="cannot listen"), embedded(port=server.port):
        pass
    with pytest.raises(Invalid, match="store URL"), embedded(store="nonsense"):
        pass


def test_the_environment_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATUTA_PORT", "1")
    with embedded() as server:
        assert server.port != 1


def test_what_is_on_disk_is_there_for_the_next_one(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/batuta.db"
    with embedded(store=store, stands_still=True, now=NOON) as server:
        server.client.register_workflow(waiting(1, 1))
        execution_id = server.client.start_workflow("waiting")
    with embedded(store=store, stands_still=True, now=NOON + timedelta(hours=2)) as server:
        server.clock.settle()
        assert server.wait(execution_id).status == "COMPLETED"


@pytest.mark.parametrize("stands_still", [True, False])
def test_moving_the_clock_brings_about_all_that_falls_due_in_its_order(stands_still: bool) -> None:
    with embedded(stands_still=stands_still) as server:
        server.client.register_workflow(waiting(1, 3))
        execution_id = server.client.start_workflow("waiting")
        for done in (1, 2, 3):
            assert server.client.get_workflow(execution_id).status == "RUNNING"
            server.clock.advance(minutes=61)
            states = [task.status for task in server.client.get_workflow(execution_id).tasks]
            assert states == ["COMPLETED"] * done + ["IN_PROGRESS"] * (done < 3)


def test_one_leap_stops_at_every_instant_on_its_way() -> None:
    with embedded(stands_still=True, now=NOON) as server:
        server.client.register_workflow(waiting(8, 5))
        execution_id = server.client.start_workflow("waiting")
        server.clock.advance(days=7)
        execution = server.client.get_workflow(execution_id)
        ended = [datetime.fromtimestamp(task.json["endTime"] / 1000, UTC) for task in execution.tasks]
        assert ended == [NOON + timedelta(hours=8 * n) for n in range(1, 6)]
        assert server.clock.now() == NOON + timedelta(days=7)


def test_time_does_not_move_back() -> None:
    with embedded(stands_still=True, now=NOON) as server:
        with pytest.raises(ValueError, match="ahead only"):
            server.clock.advance(seconds=-1)
        assert server.clock.now() == NOON


def test_the_clock_may_be_moved_from_many_threads() -> None:
    with embedded(stands_still=True, now=NOON) as server:
        movers = [threading.Thread(target=lambda: server.clock.advance(minutes=1)) for _ in range(8)]
        for mover in movers:
            mover.start()
        for mover in movers:
            mover.join(20)
        assert NOON < server.clock.now() <= NOON + timedelta(minutes=8)


def test_workers_run_while_their_block_runs() -> None:
    with embedded() as server:
        with server.run_workers([double]) as host:
            assert server.run(doubling(), {"n": 21}).output == {"n": 42}
            assert server.run("doubling", {"n": 1}).output == {"n": 2}
            assert [w.name for w in host.workers] == ["double"]
        execution_id = server.client.start_workflow("doubling", {"n": 3})
        with pytest.raises(TimeoutError, match=f"{execution_id}.* is RUNNING after 0.05 s(.|\n)*double: double is SCHEDULED$"):
            server.wait(execution_id, timeout_s=0.05)


def test_a_worker_gets_an_input_that_is_too_large_to_come_with_its_task() -> None:
    @worker("measure")
    def measure(text: str) -> int:
        return len(text)

    flow = {"name": "flow", "tasks": [{"name": "measure", "taskReferenceName": "m", "inputParameters": {"text": "${workflow.input.text}"}}]}
    with embedded() as server, server.run_workers([measure]):
        done = server.run(flow, {"text": "x" * 4_000_000})
        assert (done.status, done.task("m").input, done.output) == ("COMPLETED", {}, {"result": 4_000_000})


def test_an_output_too_large_to_be_shown_is_fetched_by_who_waits_for_it() -> None:
    flow = {"name": "flow", "tasks": [{"name": "n", "taskReferenceName": "n", "type": "NOOP"}], "outputParameters": {"text": "${workflow.input.text}"}}
    with embedded() as server:
        done = server.run(flow, {"text": "x" * 6_000_000})
        assert (done.status, len(done.output["text"]), done.json["output"]) == ("COMPLETED", 6_000_000, {})


def test_waiting_in_vain_tells_which_task_nobody_polls_for() -> None:
    expected = r"double is SCHEDULED; no worker has polled for it(.|\n)*the clock stands still"
    with embedded(stands_still=True) as server, pytest.raises(TimeoutError, match=expected):
        server.run(doubling(), {"n": 1}, timeout_s=0.05)


def test_workers_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kit_workers_of_a_test.py").write_text(
        "from batuta.client import worker\n\n\n@worker('double')\ndef double(n: int) -> dict:\n    return {'n': n + n}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with embedded() as server, server.run_workers("kit_workers_of_a_test"):
        assert server.run(doubling(), {"n": 4}).output == {"n": 8}


def test_a_worker_that_fails_is_retried_when_its_time_comes() -> None:
    tries: list[int] = []

    @worker("double")
    def flaky(n: int) -> dict[str, int]:
        tries.append(n)
        if len(tries) == 1:
            raise Failed("not yet")
        return {"n": n}

    with embedded() as server, server.run_workers([flaky]):
        server.client.register_task_defs([task_def("double", retries=1, retry_delay_s=3600)])
        server.client.register_workflow(doubling())
        execution_id = server.client.start_workflow("doubling", {"n": 1})
        server.until(lambda: len(server.client.get_workflow(execution_id).tasks) == 2)
        server.clock.advance(hours=1)
        assert server.wait(execution_id).status == "COMPLETED"
        assert tries == [1, 1]


def test_being_the_worker_takes_one_task_and_reports_it() -> None:
    with embedded(stands_still=True) as server:
        server.client.register_workflow(doubling())
        execution_id = server.client.start_workflow("doubling", {"n": 5})
        task = server.do("double", {"n": 10})
        assert (task.input, task.execution_id) == ({"n": 5}, execution_id)
        assert server.wait(execution_id).output == {"n": 10}
        with pytest.raises(AssertionError, match="no task of type 'double' is due; waiting now or later: none at all"):
            server.do("double")


def test_a_task_that_is_not_due_yet_is_not_handed_out() -> None:
    with embedded(stands_still=True) as server:
        server.client.register_workflow(doubling())
        server.client.start_workflow("doubling", {"n": 5})
        server.do("double", status="IN_PROGRESS", callback_after_s=60)
        with pytest.raises(AssertionError, match=r"waiting now or later: \{'double': 1\}"):
            server.do("double")
        server.clock.advance(seconds=60)
        assert server.do("double", {"n": 1}).poll_count == 2


def test_a_condition_that_never_holds_ends_the_wait() -> None:
    with embedded() as server, pytest.raises(TimeoutError, match=r"did not hold within 0\.02 s"):
        server.until(lambda: False, timeout_s=0.02)


def test_the_fixture_is_a_server(batuta_server: EmbeddedServer) -> None:
    assert batuta_server.client.list_workflow_defs() == []


class TestOptions:
    @pytest.fixture
    def batuta_options(self) -> dict[str, Any]:
        return {"stands_still": True, "now": NOON}

    def test_the_fixture_is_made_as_asked(self, batuta_server: EmbeddedServer) -> None:
        assert batuta_server.clock.now() == NOON


def test_loading_the_plugin_loads_no_server() -> None:
    program = "import sys, pytest; import batuta.testing.plugin; print([m for m in sys.modules if m.startswith('batuta.') and 'testing' not in m])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
