"""Failures and health in a browser: grouped by reason, tried again together, and what to do about what is not well."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage
from scenes import definition, simple


def fail(stage: Stage, name: str, task: str, count: int) -> list[str]:
    stage.server.client.register_workflow(definition(name, simple(task)), overwrite=True)
    ids = [stage.scenes.start(name) for _ in range(count)]
    for n in range(count):
        stage.scenes.do(task, status="FAILED_WITH_TERMINAL_ERROR", reason=f"disk {n} is full")
    return ids


def test_alike_failures_are_one_group_and_are_retried_together(page: Any, stage: Stage) -> None:
    ids = fail(stage, "fills-disks", "write_disk", 3)
    page.goto(f"{stage.url}/failures?workflow=fills-disks")
    group = page.get_by_role("listitem").filter(has_text="fills-disks")
    group.get_by_text(re.compile("disk . is full")).wait_for()
    group.get_by_role("img", name=re.compile("At most 3")).wait_for()
    group.get_by_role("button", name="Show them here").click()
    assert sorted(group.get_by_role("link", name=re.compile("^[0-9a-f]{8}-")).all_inner_texts()) == sorted(ids)
    group.get_by_role("button", name="Retry all 3").click()
    stage.server.client.request("DELETE", f"/workflow/{ids[0]}/remove")  # meanwhile one is gone
    page.get_by_role("alertdialog").get_by_role("button", name="Retry").click()
    outcome = page.get_by_role("dialog", name="Retry: 1 of 3 failed")
    outcome.get_by_role("link", name=ids[0]).wait_for()
    outcome.get_by_role("button", name="Close").click()
    page.get_by_text("Nothing that failed is like that").wait_for()
    assert {stage.server.client.request("GET", f"/workflow/{one}")["status"] for one in ids[1:]} == {"RUNNING"}


def test_a_group_leads_to_its_executions(page: Any, stage: Stage) -> None:
    fail(stage, "leads-on", "lead", 2)
    page.goto(f"{stage.url}/failures?within=1h&workflow=leads-on")
    page.get_by_role("link", name="2 executions").click()
    page.wait_for_url(re.compile("/executions"))
    page.get_by_role("table", name="Executions, 2 found").wait_for()


def test_health_says_what_to_look_at_and_which_settings_hold(page: Any, stage: Stage) -> None:
    stage.scenes.start("approve-release", {"version": "9"})
    page.goto(f"{stage.url}/server")
    findings = page.get_by_role("list", name="Findings")
    findings.get_by_text("See why under Failures.").wait_for()
    findings.get_by_role("link", name="Executions").click()
    page.wait_for_url(re.compile("/failures"))
    page.goto(f"{stage.url}/server")
    page.get_by_role("searchbox", name="Search settings").fill("retention")
    settings = page.get_by_role("table", name="Settings")
    settings.get_by_text("retention_days").wait_for()
    settings.get_by_text("port", exact=True).wait_for(state="detached")  # when the typing has ended
