"""Many at once, through the API and over SQLite: limits of tasks hold exactly, and a key starts one execution. Counted at every hand-out, not sampled."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from batuta.client import SyncClient
from batuta.client.errors import Conflict
from batuta.testing import EmbeddedServer, embedded

WORKERS = 16
STARTS = 50


class Crew:
    """Workers, each with a connection of its own, that count how many of them have a task."""

    def __init__(self, server: EmbeddedServer, *, wanted: int) -> None:
        self.server, self.wanted, self.chance = server, wanted, random.Random(wanted)
        self.lock, self.over = threading.Lock(), threading.Event()
        self.full = threading.Event()  # so many as may have had a task at once; until then everybody keeps his
        self.at_once = self.most = 0
        self.handed: Counter[str] = Counter()  # by the id of the attempt
        self.started: list[int] = []  # instants of hand-out by the server's clock
        self.done = 0

    def work(self, n: int) -> None:
        """Until it is over: take what there is, spend a moment on it, say how it went."""
        with SyncClient(self.server.url) as client:
            while not self.over.is_set():
                domain = {"domain": "d"} if n % 2 else {}
                tasks = client.request("GET", "/tasks/poll/batch/job", query={"count": 2, "timeout": 20, "workerid": f"w{n}", **domain}) or []
                self._taken(tasks)
                for task in tasks:
                    self._do(client, task)

    def _taken(self, tasks: list[dict[str, Any]]) -> None:
        with self.lock:
            self.at_once += len(tasks)
            self.most = max(self.most, self.at_once)
            self.handed.update(task["taskId"] for task in tasks)
            self.started += (task["startTime"] for task in tasks)
            if self.at_once >= self.wanted:
                self.full.set()

    def _do(self, client: SyncClient, task: dict[str, Any]) -> None:
        self.full.wait(5)
        threading.Event().wait(self.chance.random() / 500)
        with self.lock:
            status = self.chance.choice(["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"])
            self.at_once -= 1
            self.done += status == "COMPLETED"
        client.request("POST", "/tasks", body={"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": status})


def crewed(server: EmbeddedServer, count: int, meanwhile: Callable[[Crew], None], *, wanted: int = 1, **limits: int) -> Crew:
    """So many executions of one limited task, half of them in a domain, done by sixteen workers."""
    job = {"name": "job", "retryCount": 1000, "retryDelaySeconds": 0, "timeoutSeconds": 0, "ownerEmail": "t@example.com", **limits}
    server.client.register_task_defs([job])
    server.client.register_workflow({"name": "flow", "tasks": [{"name": "job", "taskReferenceName": "job", "type": "SIMPLE"}]})
    crew = Crew(server, wanted=wanted)
    with ThreadPoolExecutor(WORKERS) as threads:
        for n in range(count):
            domain = {"taskToDomain": {"job": "d"}} if n % 2 else {}
            server.client.request("POST", "/workflow", body={"name": "flow", "version": 1, "input": {}, **domain})
        working = [threads.submit(crew.work, n) for n in range(WORKERS)]
        try:
            meanwhile(crew)
        finally:
            crew.over.set()
        for each in working:
            each.result()
    return crew


@pytest.mark.parametrize("limit", [1, 5])
def test_never_more_than_the_limit_run_at_once_and_as_many_do(limit: int, tmp_path: Path) -> None:
    with embedded(store=f"sqlite:///{tmp_path / 'b.db'}") as server:
        crew = crewed(server, 120, lambda crew: server.until(lambda: crew.done == 120, timeout_s=30), wanted=limit, concurrentExecLimit=limit)
        assert crew.most == limit and set(crew.handed.values()) == {1}
        server.until(lambda: server.client.request("GET", "/workflow/search", query={"query": "status = COMPLETED"})["totalHits"] == 120)


def test_no_span_of_the_rate_limit_holds_one_too_many_and_none_is_wasted(tmp_path: Path) -> None:
    with embedded(store=f"sqlite:///{tmp_path / 'b.db'}", stands_still=True) as server:

        def time_goes_by(crew: Crew) -> None:
            for span in itertools.count(1):
                server.until(lambda span=span: len(crew.started) == 5 * span or crew.done == 40)
                if crew.done == 40:
                    return
                server.clock.advance(seconds=8.999)
                server.clock.advance(seconds=0.001)

        crew = crewed(server, 40, time_goes_by, rateLimitPerFrequency=5, rateLimitFrequencyInSeconds=9)
    at = sorted(crew.started)
    assert max(sum(begin <= other < begin + 9_000 for other in at) for begin in at) == 5
    assert at[-1] - at[0] == (len(at) - 1) // 5 * 9_000  # every span is used to the full
    assert len(at) == len(crew.handed) >= 40


#    strategy             how many of fifty at once are answered with an id, the others with 409
STRATEGIES = [
    ("RETURN_EXISTING",   STARTS),
    ("FAIL",              1),
    ("FAIL_ON_RUNNING",   1),
]  # fmt: skip


@pytest.mark.parametrize(("strategy", "answered"), STRATEGIES)
def test_fifty_starts_at_once_under_one_key_make_one_execution(strategy: str, answered: int, tmp_path: Path) -> None:
    with embedded(store=f"sqlite:///{tmp_path / 'b.db'}") as server:
        server.client.register_workflow({"name": "flow", "tasks": [{"name": "w", "taskReferenceName": "w", "type": "WAIT"}]})

        def fifty() -> list[str | None]:
            gate = threading.Barrier(STARTS)
            wish = {"name": "flow", "version": 1, "input": {}, "idempotencyKey": "k", "idempotencyStrategy": strategy}

            def one(_: int) -> str | None:
                with SyncClient(server.url) as client:
                    gate.wait()
                    try:
                        return str(client.request("POST", "/workflow", body=wish))
                    except Conflict:
                        return None

            with ThreadPoolExecutor(STARTS) as threads:
                return list(threads.map(one, range(STARTS)))

        def total() -> int:
            return int(server.client.request("GET", "/workflow/search", query={"query": "workflowType = flow"})["totalHits"])

        ids = fifty()
        assert len([id for id in ids if id]) == answered and len({id for id in ids if id}) == total() == 1
        server.client.request("DELETE", f"/workflow/{next(id for id in ids if id)}")
        again = {id for id in fifty() if id}
        assert total() == (2 if strategy == "FAIL_ON_RUNNING" else 1)  # the first has ended: only this one lets another start
        assert len(again) == (0 if strategy == "FAIL" else 1)
