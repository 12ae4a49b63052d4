"""The list of executions in a browser: found, followed, acted on."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage


def test_a_search_stands_in_the_address(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/executions")
    page.get_by_role("group", name="Status").get_by_role("button", name="Failed").click()
    page.wait_for_url(re.compile("status=FAILED"))
    table = page.get_by_role("table")
    table.get_by_text("is full").first.wait_for()
    assert table.get_by_text("Running").count() == 0
    page.get_by_role("combobox", name="Workflow").fill("firmware-ci-cd-pipeline")
    page.wait_for_url(re.compile("name=firmware"))
    table.get_by_text("platformio_compile").first.wait_for()
    page.reload()
    page.get_by_role("table").get_by_text("platformio_compile").first.wait_for()
    assert page.get_by_role("table").get_by_text("notify-customer").count() == 0


def test_a_query_that_is_none_is_told(page: Any, stage: Stage, look: Any) -> None:
    page.goto(f"{stage.url}/executions?q=status")
    page.get_by_role("alert").wait_for()  # once
    look.expect_refusals()  # the browser itself reports the 400


def test_what_starts_appears(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/executions")
    page.get_by_role("button", name="Live").wait_for()
    stage.scenes.start("cool-down", correlation_id="just-begun")
    page.get_by_role("table").get_by_text("just-begun").wait_for()


def test_many_are_acted_on_and_each_outcome_is_told(page: Any, stage: Stage) -> None:
    for n in range(2):
        stage.scenes.start("cool-down", correlation_id=f"bulk-{n}")
    page.goto(f"{stage.url}/executions?correlation=bulk-*")
    table = page.get_by_role("table")
    table.get_by_text("bulk-1").wait_for()
    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Terminate", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_text("2 executions of cool-down").wait_for()
    dialog.get_by_role("button", name="Terminate").click()
    page.get_by_text("Terminate: done for 2 executions").wait_for()
    table.get_by_text("Terminated").nth(1).wait_for()
    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Pause").click()
    page.get_by_role("dialog", name=re.compile("2 of 2 failed")).wait_for()
