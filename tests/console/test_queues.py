"""Tasks & queues, and workers, in a browser: what stands still is told with what to do, and tasks are found."""

from __future__ import annotations

import re
from typing import Any

from lookkit import Stage


def test_a_queue_without_a_worker_says_so_and_how_to_start_one(page: Any, stage: Stage) -> None:
    stage.scenes.client.register_workflow(
        {"name": "lonely", "version": 1, "tasks": [{"name": "flash_farm", "taskReferenceName": "flash", "type": "SIMPLE"}], "ownerEmail": "c@example.com"},
        overwrite=True,
    )
    stage.scenes.client.register_task_defs([{"name": "flash_farm", "concurrentExecLimit": 2, "rateLimitPerFrequency": 10, "rateLimitFrequencyInSeconds": 60}])
    for _ in range(2):
        stage.scenes.start("lonely", task_to_domain={"flash_farm": "bench-2"})
    page.goto(f"{stage.url}/queues")
    row = page.get_by_role("row").filter(has_text="bench-2:flash_farm")
    row.get_by_text("No worker has polled bench-2:flash_farm since the server started.").wait_for()
    row.get_by_text("2 at a time, 10 every 60 s").wait_for()
    row.get_by_role("link").click()
    panel = page.get_by_role("complementary", name="Queue")
    panel.get_by_text("batuta worker YOUR_MODULE --domain bench-2").wait_for()
    panel.get_by_role("link", name="2 tasks").click()
    page.wait_for_url(re.compile(r"/queues/tasks\?.*domain=bench-2.*status=SCHEDULED"))
    found = page.get_by_role("table", name="Tasks, 2 found")
    found.get_by_role("link", name="flash_farm").first.click()
    page.get_by_role("heading", name="lonely").wait_for()


def test_tasks_are_offered_again_after_a_question(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.url}/queues?queue=clean_build_env")
    panel = page.get_by_role("complementary", name="Queue")
    panel.get_by_text("firmware-ci-cd-pipeline").wait_for()  # a worker has it
    panel.get_by_role("button", name="Offer again").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_text("1 task with workers").wait_for()
    dialog.get_by_role("button", name="Offer again").click()
    page.get_by_text("1 task of clean_build_env offered again").wait_for()
    stage.scenes.take("clean_build_env")


def test_tasks_are_found_by_the_language_of_the_api(page: Any, stage: Stage, look: Any) -> None:
    page.goto(f"{stage.url}/queues/tasks?status=FAILED")
    page.get_by_role("button", name="Query").click()
    page.get_by_role("searchbox", name=re.compile("^Query, such as")).fill('taskType = "platformio_compile" AND queueWaitTime >= 0')
    page.wait_for_url(re.compile("q=taskType"))
    table = page.get_by_role("table")
    table.get_by_text("led.cpp:41").first.wait_for()
    assert table.get_by_text("mailbox").count() == 0
    page.goto(f"{stage.url}/queues/tasks?q=status")
    page.get_by_role("alert").first.wait_for()
    look.expect_refusals()  # the browser itself reports the 400


def test_a_worker_shows_what_it_polls_and_has_in_hand(page: Any, stage: Stage) -> None:
    stage.scenes.start("odd-texts", {"texts": []})
    stage.scenes.take("echo", worker="<b>bold</b>")
    page.goto(f"{stage.url}/workers")
    page.get_by_role("searchbox", name="Worker or queue").fill("bold")
    row = page.get_by_role("row").filter(has_text="<b>bold</b>")
    row.get_by_text("Alive").wait_for()
    row.get_by_role("link").click()
    panel = page.get_by_role("complementary", name="Worker")
    panel.get_by_role("heading", name="<b>bold</b>").wait_for()
    panel.get_by_role("heading", name="1 queue").wait_for()
    panel.get_by_role("link", name="echo", exact=True).nth(1).click()
    page.get_by_role("heading", name="odd-texts").wait_for()
