"""Schedules in a browser: made with help, seen to fire, held, and deleted after a question."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage


def saved(stage: Stage, name: str, workflow: str = "cool-down", cron: str = "0 0 3 1 1 *", **more: Any) -> None:
    schedule = {"name": name, "cronExpression": cron, "zoneId": "Europe/Prague", "startWorkflowRequest": {"name": workflow}, **more}
    stage.scenes.client.request("POST", "/scheduler/schedules", body=schedule)


def test_a_schedule_is_made_with_its_next_ticks_before_ones_eyes(page: Any, stage: Stage, look: Any) -> None:
    page.goto(f"{stage.url}/schedules")
    page.get_by_role("button", name="New schedule").click()
    dialog = page.get_by_role("dialog", name="New schedule")
    dialog.get_by_label("Name").fill("reports")
    dialog.get_by_label("Expression", exact=True).last.fill("0 30 7")
    dialog.get_by_role("alert").get_by_text("has 3 fields; expected 6").wait_for()
    look.expect_refusals()  # the browser itself reports the 400
    dialog.get_by_label("Begin with").select_option(label="Workdays at 07:30")
    dialog.get_by_label("Time zone").fill("Europe/Prague")
    ticks = dialog.get_by_role("list", name="Next ticks of 0 30 7 * * MON-FRI")
    ticks.get_by_text(re.compile("07:30:00 CES?T")).first.wait_for()
    assert ticks.get_by_role("listitem").count() == 5
    dialog.get_by_label("Workflow").fill("cool-down")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    panel = page.get_by_role("complementary", name="Schedule")
    panel.get_by_text("It has not fired yet.").wait_for()
    made = stage.scenes.client.request("GET", "/scheduler/schedules/reports")
    assert (made["cronExpression"], made["zoneId"], made["startWorkflowRequest"]["name"]) == ("0 30 7 * * MON-FRI", "Europe/Prague", "cool-down")


def test_a_change_keeps_what_the_form_does_not_show(page: Any, stage: Stage) -> None:
    saved(stage, "kept", tags=[{"key": "team", "value": "mail"}], startWorkflowRequest={"name": "cool-down", "taskToDomain": {"a": "b"}, "input": {"n": 1}})
    page.goto(f"{stage.url}/schedules?edit=kept")
    dialog = page.get_by_role("dialog", name="Change kept")
    dialog.get_by_label("Description").fill("every new year")
    dialog.get_by_role("button", name="Another expression").click()
    dialog.get_by_label("Expression 2", exact=True).last.fill("@daily")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    now = stage.scenes.client.request("GET", "/scheduler/schedules/kept")
    assert now["description"] == "every new year" and [one["cronExpression"] for one in now["cronSchedules"]] == ["0 0 3 1 1 *", "@daily"]
    assert now["startWorkflowRequest"]["taskToDomain"] == {"a": "b"} and now["startWorkflowRequest"]["input"] == {"n": 1}
    assert stage.scenes.client.request("GET", "/scheduler/schedules/kept/tags") == [{"key": "team", "value": "mail"}]


def test_what_came_of_ticks_leads_to_the_executions(page: Any, stage: Stage) -> None:
    saved(stage, "each_second", cron="* * * * * *")
    saved(stage, "into_nothing", workflow="not-registered", cron="* * * * * *")
    page.goto(f"{stage.url}/schedules?name=into_nothing")
    page.get_by_role("complementary", name="Schedule").get_by_text("not-registered").nth(1).wait_for()
    page.goto(f"{stage.url}/schedules?name=each_second")
    panel = page.get_by_role("complementary", name="Schedule")
    panel.get_by_role("link", name=re.compile("^[0-9a-f-]{36}$")).first.click()
    page.get_by_role("heading", name="cool-down").wait_for()
    for name in ("each_second", "into_nothing"):
        stage.scenes.client.request("DELETE", f"/scheduler/schedules/{name}")


def test_many_are_paused_and_resumed_and_one_is_deleted(page: Any, stage: Stage) -> None:
    for n in range(2):
        saved(stage, f"yearly_{n}")
    page.goto(f"{stage.url}/schedules?word=yearly")
    table = page.get_by_role("table", name="Schedules")
    table.get_by_text("yearly_1").wait_for()
    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("alertdialog", name="Pause 2 schedules?").get_by_role("button", name="Pause").click()
    page.get_by_text("Paused 2 schedules").wait_for()
    table.get_by_text("Paused").nth(1).wait_for()
    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.get_by_text("Resumed 2 schedules").wait_for()
    table.get_by_role("link", name="yearly_0").click()
    page.get_by_role("complementary", name="Schedule").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("alertdialog", name="Delete yearly_0?")
    dialog.get_by_text("cool-down will not be started by it any more").wait_for()
    dialog.get_by_role("button", name="Delete").click()
    table.get_by_role("link", name="yearly_0").wait_for(state="detached")
    assert table.get_by_role("link", name="yearly_1").count() == 1
