"""What stands around an execution: who started it, who handles its failure, what holds it, and tasks it has not come to."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage
from scenes import definition, node, simple


def registered(stage: Stage, *tasks: Any, name: str, **more: Any) -> None:
    stage.server.client.register_workflow(definition(name, *tasks, **more), overwrite=True)


def test_the_reason_is_the_cause_and_the_failure_workflow_is_a_click_away(page: Any, stage: Stage) -> None:
    registered(stage, simple("sweep"), name="sweep-up")
    registered(stage, simple("import_feed"), name="feed-import", failureWorkflow="sweep-up")
    failed = stage.scenes.start("feed-import")
    stage.scenes.do("import_feed", status="FAILED_WITH_TERMINAL_ERROR", reason="403 from feed.example.com")
    page.goto(f"{stage.url}/execution/{failed}")
    header = page.locator("header").filter(has_text="feed-import")
    header.get_by_text("403 from feed.example.com", exact=True).wait_for()
    header.get_by_text("failure handled by").get_by_role("link").click()
    page.get_by_role("heading", name="sweep-up").wait_for()
    page.get_by_text("handles the failure of").get_by_role("link").click()
    page.wait_for_url(re.compile(failed))
    page.goto(f"{stage.url}/executions?name=feed-import")
    page.get_by_role("table").get_by_text("403 from feed.example.com", exact=True).wait_for()


def test_a_failure_workflow_that_could_not_be_started_is_told(page: Any, stage: Stage) -> None:
    registered(stage, simple("never"), name="half-done", failureWorkflow="nowhere-registered")
    started = stage.scenes.start("half-done")
    stage.scenes.do("never", status="FAILED_WITH_TERMINAL_ERROR", reason="no")
    page.goto(f"{stage.url}/execution/{started}")
    page.get_by_text("Error workflow nowhere-registered failed to start").wait_for()


def test_a_task_that_is_not_reached_is_shown_and_skipped(page: Any, stage: Stage) -> None:
    registered(stage, simple("first_of_all"), simple("checks"), simple("at_last"), name="may-skip")
    started = stage.scenes.start("may-skip")
    page.goto(f"{stage.url}/execution/{started}/checks")
    panel = page.get_by_role("complementary", name="the task")
    panel.get_by_text("not reached yet").wait_for()
    panel.get_by_role("button", name="Skip…").click()
    dialog = page.get_by_role("dialog", name="Skip a task")
    assert dialog.get_by_role("combobox", name="Task").input_value() == "checks"
    dialog.get_by_role("textbox", name="Output, for what reads it").fill('{"passed": true}')
    dialog.get_by_role("button", name="Skip it").click()
    dialog.wait_for(state="detached")
    panel.get_by_text("Skipped").wait_for()
    stage.server.client.update_task_by_ref(started, "first_of_all", "COMPLETED")
    page.get_by_role("list", name="Tasks in time").get_by_role("button", name="at_last").wait_for()
    rows = {task.ref: (str(task.status), task.output) for task in stage.server.client.get_workflow(started).tasks}
    assert rows["checks"] == ("SKIPPED", {"passed": True})
    page.get_by_role("button", name="More to do").click()
    assert page.get_by_role("menuitem", name="Skip a task…").get_attribute("aria-disabled") == "true"  # none is left


def test_in_the_graph_a_task_that_is_not_reached_can_be_looked_at(page: Any, stage: Stage) -> None:
    page.goto(stage.of("human", "?view=graph"))
    page.get_by_role("tabpanel").get_by_text("announce", exact=True).first.click()
    page.wait_for_url(re.compile("/announce"))
    page.get_by_role("complementary", name="the task").get_by_text("not reached yet").wait_for()


def test_what_a_task_started_and_did_not_wait_for_is_a_click_away(page: Any, stage: Stage) -> None:
    registered(stage, simple("greet"), name="greeting")
    begin = node("START_WORKFLOW", "begin", inputParameters={"startWorkflow": {"name": "greeting"}})
    registered(stage, begin, simple("go_on"), name="starts-another")
    page.goto(f"{stage.url}/execution/{stage.scenes.start('starts-another')}/begin")
    panel = page.get_by_role("complementary", name="the task")
    panel.get_by_text("Started", exact=True).wait_for()
    panel.get_by_role("link").click()
    page.get_by_role("heading", name="greeting").wait_for()


def test_an_execution_that_waits_for_a_place_says_so(page: Any, stage: Stage) -> None:
    registered(stage, simple("one_by_one"), name="rationed", rateLimitConfig={"rateLimitKey": "all", "concurrentExecLimit": 1})
    stage.scenes.start("rationed")
    held = stage.scenes.start("rationed")
    page.goto(f"{stage.url}/execution/{held}")
    page.get_by_text("only 1 may run at a time").wait_for()


def test_an_output_from_the_cache_and_what_is_masked_are_told(page: Any, stage: Stage) -> None:
    cached = simple("render_pdf", inputParameters={"page": "${workflow.input.page}"}, cacheConfig={"key": "${page}", "ttlInSecond": 600})
    registered(stage, cached, name="pdf", maskedFields=["password"])
    stage.scenes.start("pdf", {"page": 7, "password": "open sesame"})
    stage.scenes.do("render_pdf", {"bytes": 5})
    again = stage.scenes.start("pdf", {"page": 7, "password": "open sesame"})
    page.goto(f"{stage.url}/execution/{again}/render_pdf?view=data")
    page.get_by_role("complementary", name="the task").get_by_text("from the cache").wait_for()
    page.get_by_text("masked password").wait_for()
    page.get_by_text("stands for a secret").wait_for()
    assert "open sesame" not in page.content()


def test_on_a_narrow_screen_the_view_that_was_asked_for_is_seen(browser: Any, stage: Stage) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(stage.of("human"))
    page.get_by_role("list", name="Tasks in time").get_by_role("button", name="approval").click()
    page.get_by_role("complementary", name="the task").get_by_role("button", name="Report…").wait_for()
    page.goto(stage.of("failed", "?view=tasks"))
    page.get_by_role("table", name="Tasks").get_by_title("clean_build_env").wait_for()
    assert page.get_by_role("complementary", name="the task").count() == 0
    page.goto(stage.of("failed"))  # of what failed the error is seen at once
    page.get_by_role("complementary", name="the task").get_by_text("unused variable").first.wait_for()
    context.close()


def test_a_start_by_the_clock_names_its_schedule(page: Any, stage: Stage) -> None:
    registered(stage, node("NOOP", "tick"), name="clockwork")
    started = stage.scenes.start("clockwork", {"_startedByScheduler": "every-night", "_scheduledTime": 1_700_000_000_000})
    page.goto(f"{stage.url}/execution/{started}")
    page.get_by_text("by schedule").get_by_role("link", name="every-night").wait_for()
