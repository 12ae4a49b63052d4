"""What was written and is not saved: no way out of it, in the console or of the browser, loses it without a question."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage
from scenes import definition, simple


def asked(page: Any, answer: str) -> None:
    dialog = page.get_by_role("alertdialog", name="Discard what was written?")
    dialog.get_by_role("button", name=answer).click()
    dialog.wait_for(state="detached")


def editor_of(page: Any, stage: Stage, name: str) -> Any:
    """The editor of a new definition, in which something was written."""
    stage.server.client.register_workflow(definition(name, simple("a_step")), overwrite=True)
    page.goto(f"{stage.url}/definitions")
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_text("It may be registered.").wait_for()
    editor = page.get_by_role("textbox", name="Definition")
    step = '{"name": "a_step", "taskReferenceName": "a_step", "type": "SIMPLE"}'
    editor.fill('{"name": "written-by-hand", "version": 1, "tasks": [' + step + "]}")
    page.get_by_text("not saved").wait_for()
    return editor


def test_a_link_a_key_and_the_step_back_ask_first(page: Any, stage: Stage) -> None:
    editor = editor_of(page, stage, "guarded")
    rail = page.get_by_role("navigation", name="Pages")
    rail.get_by_role("link", name="Home").click()
    asked(page, "Cancel")
    page.get_by_role("heading", name="guarded").click()
    page.keyboard.press("g")
    page.keyboard.press("q")
    asked(page, "Cancel")
    page.go_back()
    asked(page, "Cancel")
    assert page.url.endswith("/definitions/guarded") and "written-by-hand" in editor.inner_text()
    page.get_by_role("tab", name="Used by").click()  # of the same page: nothing is lost
    page.get_by_role("tab", name="Definition").click()
    page.get_by_text("written-by-hand").first.wait_for()
    page.go_back()
    asked(page, "Discard")
    page.wait_for_url(re.compile("/definitions$"))
    rail.get_by_role("link", name="Home").click()
    page.wait_for_url(f"{stage.url}/")  # it does not ask twice


def test_a_reload_asks_through_the_browser(page: Any, stage: Stage) -> None:
    editor_of(page, stage, "reloaded")
    said: list[str] = []
    page.once("dialog", lambda dialog: (said.append(dialog.type), dialog.accept()))
    page.reload()
    page.get_by_text("It may be registered.").wait_for()
    assert said == ["beforeunload"] and page.get_by_text("not saved").count() == 0


def test_what_is_saved_asks_no_more(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/new/task")
    page.get_by_label("Name").fill("saved_by_hand")
    page.get_by_label("Owner").fill("me@example.com")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/tasks/saved_by_hand"))
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Home").click()
    page.wait_for_url(f"{stage.url}/")


def test_a_start_that_was_filled_in_asks(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/start/firmware-ci-cd-pipeline?like={stage.ids['failed']}")
    page.get_by_label("commit").fill("feedbee")
    page.get_by_role("link", name="firmware-ci-cd-pipeline").click()
    asked(page, "Cancel")
    assert page.get_by_label("commit").input_value() == "feedbee"
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile("/execution/"))
    stage.server.client.request("POST", f"/workflow/{page.url.rpartition('/')[2]}/terminate")  # its task stays in nobody's way


def test_a_dialog_with_something_written_in_it_asks_before_it_closes(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/schedules?new=1")
    dialog = page.get_by_role("dialog", name="New schedule")
    dialog.get_by_role("button", name="Save").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")  # nothing was written
    page.get_by_role("button", name="New schedule").click()
    dialog.get_by_label("Name").fill("half-written")
    page.keyboard.press("Escape")
    asked(page, "Cancel")
    assert dialog.get_by_label("Name").input_value() == "half-written"
    dialog.get_by_role("button", name="Cancel").click()
    asked(page, "Discard")
    dialog.wait_for(state="detached")
