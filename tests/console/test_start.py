"""The start form in a browser: fields from a schema, from parameters, from the last input; and what was typed is what arrives."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage
from scenes import definition, simple

SCHEMA = {
    "type": "object",
    "required": ["order", "speed"],
    "properties": {
        "order": {"type": "integer", "title": "Order number"},
        "speed": {"enum": ["slow", "express"], "default": "slow"},
        "gift": {"type": "boolean"},
        "code": {"type": "string"},
    },
}


def started(page: Any, stage: Stage) -> dict[str, Any]:
    page.wait_for_url(re.compile(r"/execution/[^/?]+"))
    found: dict[str, Any] = stage.server.client.request("GET", f"/workflow/{page.url.rsplit('/', 1)[1]}")
    return found


def test_a_schema_becomes_a_form(page: Any, stage: Stage) -> None:
    stage.server.client.register_workflow(
        definition("ship-order", simple("ship"), enforceSchema=True, inputSchema={"name": "order", "version": 1, "type": "JSON", "data": SCHEMA}),
        overwrite=True,
    )
    page.goto(f"{stage.url}/start/ship-order")
    page.get_by_label("Order number").fill("many")
    page.get_by_role("button", name="Start").click()
    page.get_by_text('found "many", expected a number').wait_for()
    page.get_by_label("Order number").fill("4711")
    page.get_by_label("gift").select_option("true")
    page.get_by_label("code").fill("0017")
    page.get_by_text("Correlation, priority, idempotency").click()
    page.get_by_label("Correlation id").fill("from-the-form")
    page.get_by_label("Priority").fill("9")
    page.get_by_label("Idempotency key").fill("once")
    page.get_by_role("button", name="Start").click()
    found = started(page, stage)
    assert found["input"] == {"order": 4711, "speed": "slow", "gift": True, "code": "0017"}
    assert (found["correlationId"], found["priority"], found["idempotencyKey"]) == ("from-the-form", 9, "once")
    page.goto(f"{stage.url}/start/ship-order?options=1")  # the key was used: it leads to that execution
    page.get_by_label("Order number").fill("1")
    page.get_by_label("Idempotency key").fill("once")
    page.keyboard.press("Control+Enter")
    assert started(page, stage)["workflowId"] == found["workflowId"]


def test_an_execution_is_run_again_with_edited_input(page: Any, stage: Stage) -> None:
    page.goto(stage.of("failed"))
    page.get_by_role("button", name="More to do").click()
    page.get_by_role("menuitem", name="Run again with edited input…").click()
    page.wait_for_url(re.compile("/start/firmware-ci-cd-pipeline"))
    commit = page.get_by_label("commit")
    commit.wait_for()
    assert commit.input_value() == "d00dfee"
    commit.fill("beef123")
    page.get_by_role("button", name="Start").click()
    found = started(page, stage)
    assert found["input"]["commit"] == "beef123" and found["input"]["nested"]["list"] == list(range(30))


def test_an_input_is_written_as_json_too_and_the_last_ones_are_offered(page: Any, stage: Stage) -> None:
    stage.server.client.register_workflow(definition("asks-little", simple("pack"), inputParameters=["what"]), overwrite=True)
    before = stage.scenes.start("asks-little", {"what": {"deep": [1, 2]}, "more": True}, correlation_id="the-one-before")
    page.goto(f"{stage.url}/start/asks-little")
    page.get_by_label("Input of").select_option(before)
    page.get_by_role("tab", name="JSON").click()
    page.get_by_role("textbox", name="Input").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("[1]")
    page.get_by_role("button", name="Start").click()
    page.get_by_text("The input has to be a JSON object.").wait_for()
    page.get_by_role("textbox", name="Input").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text('{"what": {"deep": [3]}, "more": false}')
    page.get_by_role("tab", name="Form").click()
    page.get_by_text("Also given, as it was there: more").wait_for()
    page.get_by_role("button", name="Start").click()
    assert started(page, stage)["input"] == {"what": {"deep": [3]}, "more": False}
