"""What is shown is what is: after a kill, beside a server that hangs, in a tab that slept, was hidden or held, and in several at once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lookkit import Look, Stage
from scenes import WAITING

from batuta.client import SyncClient

sys.path.append(str(Path(__file__).parents[1] / "compat"))

from serving import Served, free_port, launch

HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[Served]]:
    """A server in a process of its own, the last of the list; a test may end it and add its successor."""
    servers = [launch(tmp_path, free_port())]
    with SyncClient(servers[0].url) as client:
        client.register_workflow(WAITING)
    yield servers
    for server in servers:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGCONT)
            server.kill()


def badge(page: Any, word: str) -> None:
    """Wait until the connection calls itself so."""
    page.locator("header button[data-state]").get_by_text(word).wait_for(timeout=20_000)


def row(page: Any, text: str) -> None:
    page.get_by_role("list", name="Tasks in time").get_by_text(text).first.wait_for(timeout=20_000)


def opened(look: Look, url: str, client: SyncClient) -> tuple[Any, str]:
    """The page of an execution whose first task is open."""
    started = client.start_workflow("approve-release", {})
    look.page.goto(f"{url}/execution/{started}")
    row(look.page, "prepare")
    badge(look.page, "Live")
    return look.page, started


def test_after_a_kill_it_shows_what_the_next_server_knows(look: Look, served: list[Served], tmp_path: Path) -> None:
    look.expect_refusals()
    first = served[0]
    with SyncClient(first.url) as client:
        page, started = opened(look, first.url.removesuffix("/api"), client)
        first.kill()
        badge(page, "Disconnected")
        served.append(launch(tmp_path, first.port))
        client.update_task_by_ref(started, "prepare", "COMPLETED")
        badge(page, "Live")
        row(page, "approval")
        client.update_task_by_ref(started, "approval", "COMPLETED")
        row(page, "announce")


def test_a_page_that_nobody_answered_comes_by_itself_when_the_server_is_back(look: Look, served: list[Served], tmp_path: Path) -> None:
    look.expect_refusals()
    page, first = look.page, served[0]
    url = first.url.removesuffix("/api")
    page.goto(f"{url}/schedules")  # so that the page itself is there, and only what it shows is not
    page.get_by_text("Nothing is started by the clock").wait_for()
    page.goto(f"{url}/definitions")
    page.get_by_role("link", name="approve-release", exact=True).wait_for()
    first.kill()
    page.get_by_role("link", name="Schedules").click()
    page.get_by_role("heading", name="The server does not answer.").wait_for()
    served.append(launch(tmp_path, first.port))
    page.get_by_text("Nothing is started by the clock").wait_for(timeout=20_000)


def test_a_server_that_hangs_is_not_live(look: Look, served: list[Served]) -> None:
    look.expect_refusals()
    server = served[0]
    look.page.clock.install()
    with SyncClient(server.url) as client:
        page, started = opened(look, server.url.removesuffix("/api"), client)
        server.process.send_signal(signal.SIGSTOP)
        page.clock.fast_forward(30_000)  # the connection is open, and nothing comes
        badge(page, "Disconnected")
        server.process.send_signal(signal.SIGCONT)
        client.update_task_by_ref(started, "prepare", "COMPLETED")
        page.clock.fast_forward(6_000)
        badge(page, "Live")
        row(page, "approval")


def test_a_tab_that_slept_shows_the_present(look: Look, stage: Stage) -> None:
    page, started = opened(look, stage.url, stage.server.client)
    cdp = page.context.new_cdp_session(page)
    cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
    stage.server.client.update_task_by_ref(started, "prepare", "COMPLETED")
    cdp.send("Page.setWebLifecycleState", {"state": "active"})
    row(page, "approval")
    badge(page, "Live")


def test_a_hidden_tab_asks_for_nothing_and_then_shows_the_present(look: Look, stage: Stage) -> None:
    page, started = opened(look, stage.url, stage.server.client)
    page.evaluate(HIDE, True)
    badge(page, "Held")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()
    stage.server.client.update_task_by_ref(started, "prepare", "COMPLETED")
    page.clock.fast_forward(120_000)
    assert asked == []
    page.clock.resume()
    page.evaluate(HIDE, False)
    badge(page, "Live")
    row(page, "approval")
    assert "since=" in next(url for url in asked if "/events" in url)  # it goes on where it was


def test_what_is_held_stays_as_it_is_and_says_so(look: Look, stage: Stage) -> None:
    page, started = opened(look, stage.url, stage.server.client)
    page.get_by_role("button", name="Live").click()
    badge(page, "Held")
    other = page.context.new_page()
    other.goto(f"{stage.url}/execution/{started}")
    badge(other, "Live")
    stage.server.client.update_task_by_ref(started, "prepare", "COMPLETED")
    row(other, "approval")  # by now this page would show it too
    assert page.get_by_role("list", name="Tasks in time").get_by_text("approval").count() == 0
    badge(page, "Held")
    page.get_by_role("button", name="Held").click()
    badge(page, "Live")
    row(page, "approval")


def test_several_tabs_are_live_at_once(look: Look, stage: Stage) -> None:
    page, started = opened(look, stage.url, stage.server.client)
    tabs = [page, *(page.context.new_page() for _ in range(3))]
    for tab, path in zip(tabs[1:], (f"/execution/{started}", f"/execution/{started}?view=graph", "/executions"), strict=True):
        tab.goto(stage.url + path)
        badge(tab, "Live")
    stage.server.client.update_task_by_ref(started, "prepare", "COMPLETED")
    for tab in tabs[:2]:
        row(tab, "approval")
    tabs[2].locator('[data-ref="approval"][data-tone="waiting"]').wait_for()
    stage.server.client.request("POST", f"/workflow/{started}/terminate")
    tabs[3].get_by_role("row").filter(has=tabs[3].locator(f'a[href="/execution/{started}"]')).get_by_text("Terminated").wait_for()
