"""An open page of an execution that runs: what it asks for and draws again, while nothing about it changes and when something does."""

from __future__ import annotations

from typing import Any

from scenes import dynamic_fork, simple

from batuta.client import SyncClient, TaskResult
from batuta.testing import embedded

TASKS = 10_000
DONE = 8
# Counts how often each line of the timeline was drawn again.
COUNT = """() => {
    window.drawn = new Map();
    const rowOf = node => (node instanceof Element ? node : node.parentElement)?.closest("[role=listitem]");
    new MutationObserver(changes => {
        for (const row of new Set(changes.map(change => rowOf(change.target))))
            if (row) window.drawn.set(row.ariaPosInSet, (window.drawn.get(row.ariaPosInSet) ?? 0) + 1);
    }).observe(document.querySelector('[aria-label="Tasks in time"]'), { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def running(client: SyncClient) -> str:
    """A fork of ten thousand tasks, of which some at the beginning are done; what it was given is large."""
    client.register_workflow(dynamic_fork("wide"), overwrite=True)
    tasks = [simple(f"leaf_{n}", "leaf") for n in range(TASKS - 3)]
    started = client.start_workflow("wide", {"tasks": tasks, "inputs": {}})
    for _ in range(DONE):
        done(client)
    return started


def done(client: SyncClient) -> None:
    [task] = client.poll_tasks("leaf", count=1, worker_id="w", timeout_s=0.0)
    client.update_task(TaskResult(status="COMPLETED", task_id=task.id, execution_id=task.execution_id, worker_id="w"))


def test_a_page_of_ten_thousand_running_tasks_reads_and_draws_what_moved(page: Any) -> None:
    page.clock.install()
    with embedded() as server:
        started = running(server.client)
        server.clock.advance(hours=1)  # the axis of what began just now moves often
        with page.expect_response(lambda answer: "/timeline?since=" in answer.url):  # what may have moved until the page was told of changes
            page.goto(f"http://127.0.0.1:{server.port}/execution/{started}")
        rows = page.get_by_role("list", name="Tasks in time")
        rows.get_by_role("button", name="leaf_0", exact=True).wait_for()
        page.get_by_role("button", name="Live").wait_for()
        page.get_by_role("complementary", name="the task").get_by_role("heading", name="Input").wait_for()
        page.clock.run_for(1_000)

        asked: list[Any] = []
        page.on("request", lambda request: "/api/" in request.url and asked.append(request))
        page.evaluate(COUNT)
        page.clock.run_for(12_000)  # with a beat every ten seconds, less than it takes until a connection is given up
        told = [request.url for request in asked]
        assert not [url for url in told if "/console/executions/" in url or "/console/tasks/" in url], told
        assert len(told) <= 4, told  # who polls the queue that is waited for, every five seconds
        drawn = page.evaluate("() => Object.fromEntries(window.drawn)")
        ended = [int(drawn.get(str(place), 0)) for place in range(2, 2 + DONE)]
        assert max(ended) <= 2 < max(drawn.values(), default=0), drawn  # those that wait tell how long, each second

        for n in range(3):
            asked.clear()
            done(server.client)
            rows.get_by_role("listitem").nth(1 + DONE + n).get_by_text("Completed").wait_for(state="attached")
            page.clock.run_for(1_000)
            read = [request for request in asked if "/console/executions/" in request.url]
            assert len(read) <= 8, [request.url for request in read]  # two requests for a claim and two for a report, and both once more
            assert sum(len(request.response().body()) for request in read) < 40_000
