"""Much at once: a burst of updates does not freeze the tab nor make it ask for each of them, and what is shown in the end is what is there."""

from __future__ import annotations

import time
from typing import Any

import pytest
from lookkit import Look, Stage
from scenes import definition, dynamic_fork, node, simple

from batuta.client import SyncClient, TaskResult
from batuta.testing import embedded

FREEZE_MS = 2_000  # no burst holds a frame back for so long, also on a machine that does other things; bench/console.py has figures
WATCH_FRAMES = """() => {
    window.longest = 0;
    let last = performance.now();
    const look = now => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(look); };
    requestAnimationFrame(look);
}"""


class Watched:
    """A page from the moment a burst begins: what it asks of the API, and whether it froze."""

    def __init__(self, page: Any) -> None:
        self.page, self.asked, self.began = page, [], time.monotonic()
        page.evaluate(WATCH_FRAMES)
        page.on("request", lambda request: "/api/" in request.url and self.asked.append(request.url))

    def settle(self, a_second: float) -> None:
        """It did not freeze, and asked at most so often a second."""
        took = time.monotonic() - self.began
        assert self.page.evaluate("window.longest") < FREEZE_MS
        assert len(self.asked) <= 10 + a_second * took, (took, len(self.asked))


def test_a_burst_of_five_thousand_updates_does_not_freeze_the_list(page: Any) -> None:
    with embedded() as server:
        # Executions that start and end by themselves: their starts and ends and those of their tasks are all told.
        server.client.register_workflow(definition("burst", node("SET_VARIABLE", "a"), node("NOOP", "b")), overwrite=True)
        page.goto(f"http://127.0.0.1:{server.port}/executions")
        page.get_by_role("button", name="Live").wait_for()
        watched = Watched(page)
        for n in range(2_500):
            server.client.start_workflow("burst", {"n": n})
        page.get_by_text("2,500 executions").wait_for(timeout=60_000)
        watched.settle(2)  # a search a second, and nothing for a single execution
        assert not [url for url in watched.asked if "/api/console/executions/" in url]


@pytest.mark.parametrize("view", ["", "?view=graph", "?view=tasks"])
def test_nor_an_execution_of_many_tasks(page: Any, view: str) -> None:
    with embedded() as server:
        started = forked(server.client, 1_500)
        page.goto(f"http://127.0.0.1:{server.port}/execution/{started}{view}")
        page.locator("[role=listitem], .react-flow__node, [role=table] [role=row]").first.wait_for()
        page.get_by_role("button", name="Live").wait_for()
        watched = Watched(page)
        while tasks := server.client.poll_tasks("leaf", count=100, worker_id="w", timeout_s=0.0):
            for task in tasks:
                server.client.update_task(TaskResult(status="COMPLETED", task_id=task.id, execution_id=task.execution_id, worker_id="w"))
        server.client.update_task_by_ref(started, "publish", "COMPLETED")
        page.locator("main header").get_by_text("Completed", exact=True).wait_for(timeout=60_000)
        watched.settle(25)  # two requests at most ten times a second, and those of the task that is selected
        assert page.evaluate("document.querySelectorAll('*').length") < 3_000


def forked(client: SyncClient, branches: int) -> str:
    client.register_workflow(dynamic_fork("burst"), overwrite=True)
    return client.start_workflow("burst", {"tasks": [simple(f"leaf_{n}", "leaf") for n in range(branches)], "inputs": {}})


def test_an_execution_that_grows_is_followed(look: Look, stage: Stage) -> None:
    page = look.page
    started = stage.scenes.fanned(12, done=0, name="grow")
    page.goto(f"{stage.url}/execution/{started}")
    page.get_by_role("button", name="thumb_0", exact=True).wait_for()
    for _ in range(12):
        stage.scenes.do("grow", {"bytes": 1})
    page.get_by_role("list", name="Tasks in time").get_by_role("button", name="publish").wait_for()
    page.get_by_text("15 tasks").wait_for()
