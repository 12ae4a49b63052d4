"""What an address names may be gone: each page says so, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from lookkit import Stage

#    address                              what is said                                    what may be done
GONE = [
    ("/execution/none", "There is no such execution", "All executions"),
    ("/definitions/none", "There is no workflow “none”", "all there are"),
    ("/definitions/notify-customer/99", "There is no workflow “notify-customer” version 99", "Its latest version"),
    ("/tasks/none", "There is no task definition “none”", "Make one here"),
    ("/start/none", "There is no workflow “none”", "all there are"),
    ("/compare?a=none&b=none", "One of them is not here", "Choose among all"),
    ("/compare", "Choose two executions", "executions"),
    ("/executions?name=none", "No execution is like that", "show all"),
    ("/queues/tasks?type=none", "No task is like that", "show all"),
    ("/queues?word=none", "No queue is called that", "Show all queues"),
    ("/workers?word=none", "No worker is like that", "Show all workers"),
    ("/failures?q=none", "Nothing that failed is like that", "Show all failures"),
    ("/nowhere", "There is nothing at this address", "Go to the beginning"),
]


@pytest.mark.parametrize(("place", "said", "way"), GONE)
def test_it_says_so_and_leads_on(page: Any, look: Any, stage: Stage, place: str, said: str, way: str) -> None:
    look.expect_refusals()
    page.goto(stage.url + place)
    page.get_by_role("heading", name=said).wait_for()
    page.get_by_role("main").get_by_role("link", name=way, exact=True).wait_for()


@pytest.mark.parametrize(("place", "said"), [("/schedules?name=none", "There is no schedule none"), ("/events?name=none", "There is no handler none")])
def test_a_panel_of_nothing_says_so(page: Any, stage: Stage, place: str, said: str) -> None:
    page.goto(stage.url + place)
    page.get_by_role("complementary").get_by_text(said).wait_for()


def test_a_task_that_is_not_in_the_execution_is_told(page: Any, stage: Stage) -> None:
    page.goto(stage.of("failed", "/no-such-task"))
    page.get_by_role("complementary", name="the task").get_by_text("There is no task no-such-task").wait_for()


def test_a_server_that_is_away_is_told_with_the_command_that_starts_it(page: Any, look: Any, stage: Stage) -> None:
    look.expect_refusals()
    page.route("**/api/**", lambda route: route.abort())
    page.goto(f"{stage.url}/failures")
    page.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
    page.get_by_role("alert").get_by_text("batuta server").wait_for()
    page.unroute("**/api/**")
    page.get_by_text("failed or timed out").wait_for()  # when it is back, so is the page, by itself
