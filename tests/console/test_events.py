"""Event handlers and their messages in a browser: made, switched, followed; what failed is redelivered or dropped after a question."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lookkit import Stage


@pytest.fixture
def publish(stage: Stage) -> Any:
    """Starts a workflow whose EVENT task publishes what it is given."""
    tell = {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": "conductor:told", "inputParameters": {"amount": "${workflow.input.amount}"}}
    stage.scenes.client.register_workflow({"name": "teller", "version": 1, "tasks": [tell], "ownerEmail": "c@example.com"}, overwrite=True)
    return lambda amount: stage.scenes.start("teller", {"amount": amount})


def handler(stage: Stage, name: str, workflow: str, **more: Any) -> None:
    action = {"action": "start_workflow", "start_workflow": {"name": workflow, "input": {"amount": "${amount}"}}}
    whole = {"name": name, "event": "conductor:teller:told", "active": True, "actions": [action], **more}
    stage.scenes.client.request("POST", "/event", body=whole)


def gone(stage: Stage, *names: str) -> None:
    for name in names:
        stage.scenes.client.request("DELETE", f"/event/{name}")


def test_a_handler_is_made_and_its_message_leads_to_what_it_started(page: Any, stage: Stage, publish: Any) -> None:
    page.goto(f"{stage.url}/events")
    page.get_by_role("button", name="New handler").click()
    dialog = page.get_by_role("dialog", name="New event handler")
    dialog.get_by_label("Name").fill("thank_large")
    dialog.get_by_label("Event").fill("conductor:teller:told")
    dialog.get_by_label("Condition").fill("$.amount > 100")
    dialog.get_by_label("Workflow").fill("cool-down")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    panel = page.get_by_role("complementary", name="Event handler")
    panel.get_by_text("No message has come yet.").wait_for()
    publish(5)
    publish(250)
    panel.get_by_text("its condition did not hold").wait_for()
    panel.get_by_role("link", name="start_workflow").click()
    outcome = page.get_by_role("complementary", name="Message")
    outcome.get_by_role("link", name=re.compile("^[0-9a-f-]{36}$")).last.click()
    page.get_by_role("heading", name="cool-down").wait_for()
    gone(stage, "thank_large")


def test_the_form_and_the_json_are_one(page: Any, stage: Stage) -> None:
    handler(stage, "both", "cool-down", tags=[{"key": "team", "value": "mail"}])
    page.goto(f"{stage.url}/events?edit=both")
    dialog = page.get_by_role("dialog", name="Change both")
    dialog.get_by_role("tab", name="JSON").click()
    editor = dialog.get_by_role("textbox", name="Event handler")
    editor.get_by_text("conductor:teller:told").wait_for()
    text = stage.scenes.client.request("GET", "/event/conductor:teller:told")[0]
    editor.fill(str({**text, "description": "by hand"}).replace("'", '"').replace("True", "true").replace("False", "false"))
    dialog.get_by_role("tab", name="Form").click()
    dialog.get_by_label("Description").and_(page.locator("[value='by hand']")).wait_for()
    dialog.get_by_label("Version").fill("1")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    [now] = stage.scenes.client.request("GET", "/event/conductor:teller:told")
    assert now["description"] == "by hand" and now["actions"][0]["start_workflow"]["version"] == 1
    assert now["actions"][0]["start_workflow"]["input"] == {"amount": "${amount}"} and now["tags"] == [{"key": "team", "value": "mail"}]
    gone(stage, "both")


def test_a_handler_is_switched_tagged_and_deleted(page: Any, stage: Stage) -> None:
    handler(stage, "switched", "cool-down")
    page.goto(f"{stage.url}/events?name=switched")
    panel = page.get_by_role("complementary", name="Event handler")
    switch = panel.get_by_role("switch", name="switched is active")
    assert switch.get_attribute("aria-checked") == "true"
    switch.click()
    panel.locator("[role=switch][aria-checked=false]").wait_for()
    assert stage.scenes.client.request("GET", "/event/conductor:teller:told", query={"activeOnly": "true"}) == []
    panel.get_by_role("button", name="Change the tags").click()
    panel.get_by_role("textbox", name="Tags").fill("team:mail, urgent:yes")
    panel.get_by_role("button", name="Set").click()
    panel.get_by_text("team:mail").wait_for()
    panel.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("alertdialog", name="Delete switched?")
    dialog.get_by_text("starts cool-down").wait_for()
    dialog.get_by_role("button", name="Delete").click()
    page.get_by_role("table").get_by_role("link", name="switched").wait_for(state="detached")
    assert "switched" not in {one["name"] for one in stage.scenes.client.request("GET", "/event")}


def test_a_message_set_aside_is_redelivered_or_dropped(page: Any, stage: Stage, publish: Any) -> None:
    handler(stage, "into_nothing", "comes-later")
    publish("<b>one</b>")
    page.goto(f"{stage.url}/events?view=dead")
    page.get_by_role("row").filter(has_text="comes-later").get_by_role("link").click()
    panel = page.get_by_role("complementary", name="Message set aside")
    panel.get_by_text("<b>one</b>").wait_for()
    panel.get_by_role("button", name="Redeliver").click()
    page.get_by_text("It failed again").wait_for()
    wait = {"name": "later", "taskReferenceName": "later", "type": "WAIT"}
    stage.scenes.client.register_workflow({"name": "comes-later", "version": 1, "tasks": [wait], "ownerEmail": "c@example.com"}, overwrite=True)
    panel.get_by_role("button", name="Redeliver").click()
    page.get_by_text("Done: nothing of it is left").wait_for()
    page.get_by_role("heading", name="No message was set aside").wait_for()
    stage.scenes.client.request("DELETE", "/metadata/workflow/comes-later/1")
    publish(2)
    page.get_by_role("row").filter(has_text="comes-later").get_by_role("link").click()
    panel.get_by_role("button", name="Drop").click()
    dialog = page.get_by_role("alertdialog", name="Drop this message?")
    dialog.get_by_text("into_nothing").wait_for()
    dialog.get_by_role("button", name="Drop").click()
    page.get_by_role("heading", name="No message was set aside").wait_for()
    gone(stage, "into_nothing")
