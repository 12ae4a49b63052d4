"""Definitions in a browser: found, read, changed with what it affects said first, compared, made, deleted."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage
from scenes import definition, node, simple


def register(stage: Stage, name: str, *tasks: Any, version: int = 1, **more: Any) -> None:
    stage.server.client.register_workflow({**definition(name, *(tasks or (simple("pack"),)), **more), "version": version}, overwrite=True)


def replaced(page: Any, label: str, before: str, after: str) -> None:
    """Write something else into the editor, through its own keyboard."""
    editor = page.locator(f".cm-content[aria-label='{label}']").filter(has_text=before)
    text = editor.inner_text()
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text.replace(before, after))


def test_a_workflow_is_found_with_what_runs_and_fails_of_it(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/definitions")
    table = page.get_by_role("table")
    table.get_by_role("link", name="build-matrix", exact=True).wait_for()
    page.get_by_role("searchbox", name="Search definitions").fill("notify")
    page.wait_for_url(re.compile("q=notify"))
    assert table.get_by_role("link", name="build-matrix", exact=True).count() == 0
    row = table.get_by_role("row").nth(1)
    row.get_by_role("link", name="notify-customer", exact=True).wait_for()
    row.get_by_role("link", name=re.compile(r"^\d+$")).first.click()
    page.wait_for_url(re.compile(r"executions\?.*name=notify-customer"))


def test_what_is_wrong_is_told_at_its_place_and_keeps_it_from_being_saved(page: Any, stage: Stage, look: Any) -> None:
    register(stage, "told-wrong", simple("a"), simple("b"))
    page.goto(f"{stage.url}/definitions/told-wrong")
    page.get_by_text("It may be registered.").wait_for()
    with page.expect_response(re.compile("workflow/validate")) as said:
        replaced(page, "Definition", '"taskReferenceName": "b"', '"taskReferenceName": "a", "tpye": 1')
    assert said.value.status == 400
    problems = page.get_by_role("list", name="Problems")
    problems.get_by_text("should be unique").wait_for()
    assert problems.get_by_role("button").filter(has_text="should be unique").locator("code").inner_text() == "tasks[1]"
    problems.get_by_text('"tpye" is no field of it').wait_for()
    page.locator(".cm-lintRange-error").first.wait_for()
    assert page.get_by_role("button", name="Save…").is_disabled()
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("It may be registered.").wait_for()
    look.expect_refusals()  # the browser itself reports the 400


def test_a_change_becomes_a_new_version_unless_one_overwrites(page: Any, stage: Stage) -> None:
    register(stage, "packed")
    register(stage, "packing", {**node("SUB_WORKFLOW", "inner"), "subWorkflowParam": {"name": "packed"}})
    stage.scenes.start("packed")
    page.goto(f"{stage.url}/definitions/packed")
    replaced(page, "Definition", '"name": "packed",', '"name": "packed",\n  "description": "second",')
    page.get_by_role("button", name="Save…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("1 execution of version 1 is open: it keeps the definition it began with").wait_for()
    dialog.get_by_role("link", name="packing").wait_for()
    dialog.get_by_text("1 line added, 0 lines removed").wait_for()
    dialog.get_by_role("button", name="Save as version 2").click()
    page.wait_for_url(re.compile("/definitions/packed/2"))
    assert [one["version"] for one in stage.server.client.request("GET", "/metadata/workflow/packed/versions")] == [1, 2]
    replaced(page, "Definition", "second", "third")
    page.get_by_role("button", name="Save…").click()
    dialog.get_by_label(re.compile("Over version 2")).check()
    dialog.get_by_role("button", name="Overwrite version 2").click()
    dialog.wait_for(state="detached")
    latest = stage.server.client.request("GET", "/metadata/workflow/packed")
    assert (latest["version"], latest["description"]) == (2, "third") and latest["createTime"] and latest["updateTime"]


def test_who_would_notice_is_told_while_one_writes(page: Any, stage: Stage) -> None:
    mail = simple("deliver", inputParameters={"to": "${workflow.input.to}"})
    register(stage, "letter", mail, outputParameters={"messageId": "${deliver.output.id}"})
    sub = {"name": "letter", "taskReferenceName": "sent", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "letter"}, "inputParameters": {"to": "me"}}
    register(stage, "secretary", sub, outputParameters={"id": "${sent.output.messageId}"})
    stage.scenes.start("secretary")
    page.goto(f"{stage.url}/definitions/letter")
    replaced(page, "Definition", '"messageId"', '"id"')
    hint = page.get_by_role("region", name="What it would break")
    hint.get_by_role("listitem").filter(has_text="reads of its output messageId").get_by_role("link", name="secretary").wait_for()
    hint.get_by_role("link", name="1 open execution").wait_for()
    replaced(page, "Definition", "${workflow.input.to}", "${workflow.input.address}")
    hint.get_by_text("does not give what is read now: address").wait_for()
    replaced(page, "Definition", '"name": "deliver"', '"name": "deliver_by_pigeon"')
    hint.get_by_text("has no worker").wait_for()
    page.get_by_role("button", name="Save…").click()
    page.get_by_role("dialog").get_by_role("region", name="What it would break").get_by_role("link", name="secretary").first.wait_for()


def test_the_graph_follows_the_text_and_leads_to_it(page: Any, stage: Stage, look: Any) -> None:
    register(stage, "drawn", simple("first"), simple("second"))
    page.goto(f"{stage.url}/definitions/drawn")
    graph = page.locator(".react-flow")
    graph.get_by_text("second").wait_for()
    replaced(page, "Definition", '"taskReferenceName": "second"', '"taskReferenceName": "renamed"')
    graph.get_by_text("renamed").click()
    page.locator(".cm-activeLine").filter(has_text="{").wait_for()
    assert page.locator(".cm-activeLine").inner_text().strip() == "{"
    replaced(page, "Definition", '"renamed"', '"first"')
    graph.get_by_text("should be unique").first.wait_for()
    look.expect_refusals()  # the browser itself reports the 400


def test_two_versions_are_compared(page: Any, stage: Stage) -> None:
    register(stage, "compared", simple("a"), simple("b"), simple("c"), simple("d"))
    register(stage, "compared", simple("a"), simple("b"), simple("c"), simple("e"), version=2)
    page.goto(f"{stage.url}/definitions/compared?view=versions")
    diff = page.get_by_role("region", name="Version 1 and version 2")
    diff.get_by_text('"taskReferenceName": "d"').wait_for()
    assert diff.locator("tr[data-kind=added]").count() == 3 == diff.locator("tr[data-kind=removed]").count()
    diff.get_by_role("button", name=re.compile("unchanged lines")).first.click()
    diff.get_by_text('"taskReferenceName": "a"').wait_for()
    page.get_by_label("from").select_option("2")
    page.get_by_text("There is no difference.").wait_for()


def test_a_version_is_deleted_after_it_was_said_what_that_does(page: Any, stage: Stage) -> None:
    register(stage, "short-lived")
    stage.scenes.start("short-lived")
    page.goto(f"{stage.url}/definitions/short-lived")
    page.get_by_role("button", name="More to do").click()
    page.get_by_role("menuitem", name="Delete version 1…").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_text("1 open execution of it will go on").wait_for()
    dialog.get_by_text("It is the only version").wait_for()
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{stage.url}/definitions")
    assert "short-lived" not in stage.server.client.request("GET", "/metadata/workflow/names")


def test_a_new_one_begins_from_a_template(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/definitions")
    page.get_by_role("button", name="New workflow").click()
    page.locator("select").filter(has_text="Until it is done").select_option("Until it is done")
    page.wait_for_url(re.compile("template=loop"))
    replaced(page, "Definition", '"until_done"', '"made-here"')
    page.get_by_text("It may be registered.").wait_for()
    page.get_by_role("button", name="Save…").click()
    page.get_by_role("dialog").get_by_role("button", name="Save as version 1").click()
    page.wait_for_url(re.compile("/definitions/made-here/1"))
    assert stage.server.client.request("GET", "/metadata/workflow/made-here")["tasks"][0]["type"] == "DO_WHILE"


def test_every_template_may_be_registered(page: Any, stage: Stage) -> None:
    for key in ("steps", "http", "fork", "loop", "approval"):
        with page.expect_response(re.compile("workflow/validate")) as said:
            page.goto(f"{stage.url}/new/workflow?template={key}")
        assert said.value.status == 200, key
        page.get_by_text("It may be registered.").wait_for()


def test_the_editor_knows_what_may_be_written(page: Any, stage: Stage) -> None:
    register(stage, "completed-here")
    page.goto(f"{stage.url}/definitions/completed-here")
    replaced(page, "Definition", '"name": "completed-here",', '"name": "completed-here",\n  ')
    page.keyboard.press("Control+Home")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.type("timeoutP")
    page.get_by_role("option", name=re.compile("timeoutPolicy.*TIME_OUT_WF")).click()
    page.keyboard.type('"AL')
    page.get_by_role("option", name="ALERT_ONLY").wait_for()


def test_who_uses_a_workflow_and_who_serves_it_is_told(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/definitions/notify-customer?view=uses")
    page.get_by_role("link", name="order-fulfilment").wait_for()
    page.get_by_text("tell_customer").wait_for()
    page.get_by_text(re.compile(r"\d+ executions?")).first.wait_for()
    page.get_by_role("link", name="send_mail").wait_for()


def test_a_task_definition_is_made_changed_and_deleted(page: Any, stage: Stage) -> None:
    register(stage, "packs-things", simple("wrap"))
    page.goto(f"{stage.url}/tasks")
    page.get_by_role("link", name="platformio_compile").wait_for()
    page.get_by_role("button", name="New task").click()
    page.get_by_label("Name").fill("wrap")
    page.get_by_label("Owner").fill("pack@example.com")
    page.get_by_label("Retries").fill("7")
    page.get_by_label("How they are spaced").select_option("EXPONENTIAL_BACKOFF")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/tasks/wrap"))
    made = stage.server.client.request("GET", "/metadata/taskdefs/wrap")
    assert (made["retryCount"], made["retryLogic"], made["ownerEmail"]) == (7, "EXPONENTIAL_BACKOFF", "pack@example.com")
    page.get_by_role("tab", name="Used by (1)").click()
    page.get_by_role("link", name="packs-things").wait_for()
    page.get_by_role("tab", name="JSON").click()
    replaced(page, "Task definition", '"retryCount": 7', '"retryCount": 2')
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved wrap").first.wait_for()
    assert stage.server.client.request("GET", "/metadata/taskdefs/wrap")["retryCount"] == 2
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_text("packs-things use it").wait_for()
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{stage.url}/tasks")
