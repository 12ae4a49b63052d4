"""Home in a browser: every number leads to what it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from lookkit import Stage
from scenes import Scenes

from batuta.testing import embedded


@pytest.fixture(scope="module")
def still() -> Iterator[Stage]:
    """A server in which nothing moves while it is counted."""
    with embedded() as server:
        scenes = Scenes(server.client)
        yield Stage(server, scenes, scenes.fill(many=20))


#    what is counted       the table that lists it
COUNTED = [
    ("Running", "Executions, {} found"),
    ("Paused", "Executions, {} found"),
    ("Failed", "Executions, {} found"),
    ("Timed out", "Executions, {} found"),
    ("Completed", "Executions, {} found"),
    ("Terminated", "Executions, {} found"),
    ("tasks waiting", "Tasks, {} found"),
]


@pytest.mark.parametrize(("word", "table"), COUNTED)
def test_a_number_leads_to_as_many_rows(page: Any, still: Stage, word: str, table: str) -> None:
    page.goto(still.url)
    link = page.get_by_role("main").get_by_role("link", name=re.compile(rf"^\d+ ?{word}$")).first
    number = re.match(r"\d+", link.inner_text())
    assert number is not None
    link.click()
    page.get_by_role("table", name=table.format(number[0]), exact=True).wait_for()


def test_workers_alive_lead_to_workers(page: Any, still: Stage) -> None:
    page.goto(still.url)
    page.get_by_role("link", name=re.compile(r"^\d+ ?workers alive$")).click()
    page.get_by_text(re.compile(r"\d+ alive: asked within a minute")).wait_for()


def test_what_failed_of_how_many_and_what_waits_are_links_too(page: Any, still: Stage) -> None:
    page.goto(still.url)
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="firmware-ci-cd-pipeline", exact=True)).first
    failed, ended = row.get_by_role("link").nth(1), row.get_by_role("link").nth(2)
    counts = [failed.inner_text(), ended.inner_text()]
    failed.click()
    page.get_by_role("table", name=f"Executions, {counts[0]} found").wait_for()
    page.go_back()
    ended.click()
    page.get_by_role("table", name=f"Executions, {counts[1]} found").wait_for()
    page.goto(still.url)
    alone = page.get_by_role("listitem").filter(has_text="never asked for").filter(has_text="build_esp32c3")
    alone.get_by_role("link", name="1", exact=True).click()
    page.get_by_role("table", name="Tasks, 1 found").wait_for()


def test_the_numbers_of_the_charts_lead_to_what_they_draw(page: Any, still: Stage) -> None:
    page.goto(still.url)
    page.get_by_role("figure").filter(has_text="Executions a minute").get_by_role("listitem").filter(has_text="failed").get_by_role("link").click()
    page.wait_for_url(re.compile(r"status=FAILED%2CTIMED_OUT&within=15m|within=15m.*status"))
    page.get_by_role("table", name=re.compile("Executions, [1-9]")).wait_for()
