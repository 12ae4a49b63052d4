"""The graph of an execution in a browser: the way it took, what is inside its boxes, and how one walks it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from lookkit import Look, Stage

GRAPH = "?view=graph"


def card(page: Any, ref: str) -> Any:
    """The node of a task."""
    return page.locator(f'.react-flow__node [data-ref="{ref}"]')


def test_the_way_that_was_taken_is_strong_and_the_rest_is_faint(page: Any, stage: Stage) -> None:
    page.goto(stage.of("completed", GRAPH))
    card(page, "sign").wait_for()
    assert card(page, "reject").get_attribute("data-faint") == "true" and card(page, "sign").get_attribute("data-faint") is None
    assert page.locator('[data-edge="warnings > sign"]').get_attribute("data-strong") == "true"
    assert page.locator('[data-edge="warnings > reject"]').get_attribute("data-faint") == "true"


def test_what_is_selected_is_so_in_every_view(page: Any, stage: Stage) -> None:
    page.goto(stage.of("failed", GRAPH))
    panel = page.get_by_role("complementary", name="the task")
    panel.get_by_role("heading", name="platformio_compile").wait_for()
    assert card(page, "platformio_compile").get_attribute("data-selected") == "true"
    card(page, "clean_build_env").click()
    panel.get_by_role("heading", name="clean_build_env").wait_for()
    page.wait_for_url(re.compile(r"/execution/[^/]+/[0-9a-f-]+\?view=graph"))
    page.get_by_role("tab", name="Tasks").click()
    page.locator('[role="row"][data-current]').get_by_text("clean_build_env").first.wait_for()


def test_the_keyboard_walks_it(page: Any, stage: Stage) -> None:
    page.goto(stage.of("forked", GRAPH))
    card(page, "matrix").click()
    page.get_by_role("group", name="Graph of build-matrix").focus()
    for key, ref in (("ArrowDown", "build_esp32s3"), ("ArrowLeft", "build_esp32"), ("ArrowDown", "test_esp32"), ("ArrowDown", "matrix_done")):
        page.keyboard.press(key)
        page.locator(f'[data-ref="{ref}"][data-selected]').wait_for()
    page.get_by_role("complementary", name="the task").get_by_role("heading", name="matrix_done").wait_for()


def test_a_fork_of_a_thousand_branches_is_one_node_at_once(page: Any, stage: Stage) -> None:
    started = stage.scenes.fanned(1000, done=0)
    page.goto(stage.of("completed", GRAPH))
    card(page, "sign").wait_for()  # the code is there
    took = []
    for _ in range(3):  # the best of three: what it can do, not what else the machine does
        began = time.perf_counter()
        page.goto(f"{stage.url}/execution/{started}{GRAPH}")
        page.get_by_text("1,000 branches").wait_for()
        took.append(time.perf_counter() - began)
    assert min(took) < 2.0, took  # the bar is one second; twice that on a machine that does other things
    page.get_by_role("button", name=re.compile("1,000 ?Scheduled")).click()
    page.get_by_role("complementary", name="the task").get_by_role("heading", name="thumb_0").wait_for()
    page.get_by_role("button", name="Show all 1000 branches").click()
    page.get_by_role("button", name="Stack the branches").wait_for()
    page.get_by_role("searchbox", name="Find tasks").fill("thumb_777")
    page.keyboard.press("Enter")
    page.get_by_role("complementary", name="the task").get_by_role("heading", name="thumb_777").wait_for()
    page.locator('[data-ref="thumb_777"][data-selected]').wait_for()


def test_a_loop_shows_the_turn_one_asks_for(page: Any, stage: Stage) -> None:
    page.goto(stage.of("looped", GRAPH))
    card(page, "probe__3").wait_for()
    page.get_by_role("button", name="Turn before of probe_loop").click()
    card(page, "probe__2").wait_for()
    first = stage.server.client.get_workflow(stage.ids["looped"]).tasks[1]
    page.goto(stage.of("looped", f"/{first.id}{GRAPH}"))
    card(page, "probe__1").wait_for()  # the turn of the task that is selected


def test_a_child_opens_in_place_and_lives_there(page: Any, stage: Stage) -> None:
    started = stage.scenes.start("order-fulfilment", {"order": 1})
    stage.server.client.update_task_by_ref(started, "reserve_stock", "COMPLETED")
    page.goto(f"{stage.url}/execution/{started}{GRAPH}")
    page.get_by_role("button", name="Open the sub-workflow of tell_customer in place").click()
    card(page, "render_mail").wait_for()
    assert card(page, "send_mail").get_attribute("data-faint") == "true"
    child = stage.server.client.request("GET", f"/workflow/{started}")["tasks"][1]["subWorkflowId"]
    stage.server.client.update_task_by_ref(child, "render_mail", "COMPLETED")
    page.locator('[data-ref="send_mail"]:not([data-faint])').wait_for()
    page.get_by_role("button", name="Close the sub-workflow of tell_customer").click()
    card(page, "render_mail").wait_for(state="detached")


def test_it_moves_as_the_execution_does(page: Any, stage: Stage) -> None:
    started = stage.scenes.start("approve-release", {"version": "8"})
    page.goto(f"{stage.url}/execution/{started}{GRAPH}")
    page.locator('[data-ref="approval"][data-faint]').wait_for()
    stage.server.client.update_task_by_ref(started, "prepare", "COMPLETED")
    page.locator('[data-ref="approval"][data-tone="waiting"]').wait_for()


def test_without_a_layout_there_is_a_list(look: Look, stage: Stage) -> None:
    page = look.page
    page.route("**/elk.worker-*", lambda route: route.abort())
    page.goto(stage.of("failed", GRAPH))
    page.get_by_role("alert").get_by_text("could not be drawn").wait_for()
    page.get_by_role("table", name=re.compile("Graph of")).get_by_text("clean_build_env").click()
    page.get_by_role("complementary", name="the task").get_by_role("heading", name="clean_build_env").wait_for()
    page.unroute("**/elk.worker-*")
    page.get_by_role("button", name="Try again").click()
    card(page, "clean_build_env").wait_for()
    look.expect_refusals()  # the browser itself reports the request that failed


@pytest.mark.parametrize("scene", ["odd", "human", "paused", "terminated", "timed", "fanned", "large"])
def test_every_scene_has_a_graph(page: Any, stage: Stage, scene: str) -> None:
    page.goto(stage.of(scene, GRAPH))
    page.locator(".react-flow__node").first.wait_for()
    assert page.locator("img[src=x], svg[onload]").count() == 0
