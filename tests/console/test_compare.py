"""Two executions side by side in a browser: where they first part, and everything that differs."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Look, Stage


def card(page: Any, title: str) -> Any:
    """One of the first differences."""
    return page.get_by_role("group", name="First differences").locator("section").filter(has=page.get_by_role("heading", name=title, exact=True))


def test_the_first_differences_are_told(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/compare?a={stage.ids['completed']}&b={stage.ids['failed']}")
    path, given = card(page, "Path"), card(page, "Input")
    path.get_by_text("platformio_compile").wait_for()
    assert "ended otherwise" in path.inner_text() and "Failed" in path.inner_text()
    given.get_by_text('"737e3d8"').first.wait_for()
    given.get_by_text('"d00dfee"').first.wait_for()
    given.get_by_text("validate_commit").wait_for()
    card(page, "Output").get_by_text("platformio_compile").click()
    panel = page.get_by_role("complementary", name="the differences")
    panel.get_by_text("warnings").wait_for()
    panel.get_by_text("artifact").wait_for()
    page.wait_for_url(re.compile("task=platformio_compile"))


def test_two_rows_are_compared(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/executions?name=firmware-ci-cd-pipeline")
    for n in (1, 2):
        page.get_by_role("checkbox", name=f"Select row {n}", exact=True).check()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("region", name="Execution B").get_by_text("firmware-ci-cd-pipeline").wait_for()
    first = page.get_by_role("region", name="Execution A").get_by_role("link").get_attribute("href")
    page.get_by_role("button", name="Swap").click()
    page.locator(f'[aria-label="Execution B"] a[href="{first}"]').wait_for()


def test_one_is_compared_with_the_last_that_completed(page: Any, stage: Stage) -> None:
    page.goto(stage.of("failed"))
    page.get_by_role("button", name="More to do").click()
    page.get_by_role("menuitem", name="Compare with the last one").click()
    page.wait_for_url(re.compile(f"/compare\\?a={stage.ids['failed']}&b={stage.ids['completed']}"))
    page.get_by_role("region", name="Execution B").get_by_text("Completed").wait_for()


def test_those_that_went_alike_say_so(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/compare?a={stage.ids['timed']}&b={stage.ids['timed']}")
    page.get_by_text("Both went the same way").wait_for()
    page.get_by_role("checkbox", name="Only where").uncheck()
    page.get_by_role("table", name="Tasks of both").get_by_text("pause_between").wait_for()


def test_what_is_not_there_is_said(look: Look, stage: Stage) -> None:
    page = look.page
    look.expect_refusals()  # the browser itself reports the answer 404
    page.goto(f"{stage.url}/compare")
    page.get_by_text("Choose two executions").wait_for()
    page.goto(f"{stage.url}/compare?a={stage.ids['failed']}&b=nobody")
    page.get_by_role("heading", name="One of them is not here").wait_for()
    page.get_by_role("link", name="Choose among all").wait_for()


def test_texts_are_not_taken_for_html(page: Any, stage: Stage) -> None:
    other = stage.scenes.start("odd-texts", {"texts": []})
    page.goto(f"{stage.url}/compare?a={stage.ids['odd']}&b={other}&whole=1")
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    assert page.locator("img[src=x], svg[onload]").count() == 0
