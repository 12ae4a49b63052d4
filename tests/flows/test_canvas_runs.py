"""Runs on the canvas: the gallery with its filters, two of them side by side, the flow as it was in one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from canvaskit import card, kept, opened, saved
from studio import Builder, Studio, broken, builder

Json = Any


def fox(prompt: str) -> list[Json]:
    return [
        {"id": "words", "type": "text_to_text", "title": "Words", "config": {"prompt": "Tell of it"}, "position": [0, 0]},
        {"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": prompt}, "position": [360, 0]},
    ]


def ran(flows: Builder, nodes: list[Json], flow: str, name: str = "Foxes") -> str:
    _, answer = flows.ask("POST", "/workflow/run", {"document": {"workflowName": name, "nodes": nodes}, "flowId": flow})
    run = str(answer["workflowId"])
    flows.until(lambda: any(one["workflowId"] == run and one["status"] == "completed" for one in flows.ask("GET", "/workflow/history")[1]))
    return run


def test_two_runs_are_held_against_each_other_and_the_flow_of_one_comes_back(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        flow = opened(page, flows, fox("an owl"), "Foxes")
        first, second = ran(flows, fox("a fox"), flow), ran(flows, fox("an owl"), flow)
        page.get_by_role("button", name="History").click()
        boxes = page.get_by_role("checkbox", name=re.compile("Compare"))
        boxes.nth(1).wait_for()
        for box in boxes.all():
            box.check()
        page.get_by_role("button", name="Compare", exact=True).click()
        page.wait_for_url(re.compile(f"view=compare.*a={first}&b={second}"))
        page.get_by_text("1 node of 2 differs.").wait_for()
        pictures = page.get_by_role("region", name="Picture")
        assert pictures.get_by_role("row", name="Prompt").locator("del").inner_text() == "a fox"
        assert pictures.get_by_role("row", name="Prompt").locator("ins").inner_text() == "an owl"
        assert pictures.get_by_role("img").count() == 2  # beside each other, and not the same
        assert len({image.get_attribute("src") for image in pictures.get_by_role("img").all()}) == 2
        page.get_by_label("Only what differs").check()
        page.get_by_role("region", name="Words").wait_for(state="detached")
        page.get_by_role("button", name="Back to the flow").click()

        card(page, "Picture").wait_for()
        page.get_by_role("button", name="History").click()
        page.get_by_role("button", name="More about Foxes").last.click()
        page.get_by_role("menuitem", name="Restore the flow").click()
        page.get_by_text("as it was in that run").wait_for()
        saved(page)
        flows.until(lambda: kept(flows)["nodes"][1]["config"]["prompt"] == "a fox")
        page.get_by_role("button", name="Undo").click()
        flows.until(lambda: kept(flows)["nodes"][1]["config"]["prompt"] == "an owl")


def test_the_gallery_finds_runs_by_flow_status_and_name_and_opens_them(page: Any, tmp_path: Path) -> None:
    studio = Studio()
    studio.faults["/pic/"] = [broken("no foxes on Sundays")]
    with builder(tmp_path, studio) as flows:
        _, other = flows.ask("POST", "/flows", {"workflowName": "Owls", "nodes": fox("an owl")})
        failed = flows.run(fox("a fox"))
        flows.ended(failed)
        owl = ran(flows, fox("an owl"), other["id"], "Owls")
        page.goto(flows.url)
        page.get_by_role("button", name="Runs").click()
        show = page.get_by_role("button", name=re.compile("^Show "))
        show.nth(1).wait_for()
        page.get_by_text("no foxes on Sundays").wait_for()
        page.get_by_label("Status", exact=True).select_option("completed")
        show.nth(1).wait_for(state="detached")
        page.get_by_label("Status", exact=True).select_option("")
        show.nth(1).wait_for()
        page.get_by_label("Flow", exact=True).select_option("Owls")
        page.wait_for_url(re.compile(f"of={other['id']}"))
        show.nth(1).wait_for(state="detached")
        show.click()
        page.wait_for_url(re.compile(f"flow={other['id']}.*run={owl}"))
        card(page, "Picture").locator("img").wait_for()
        # a run that was started without a flow becomes one
        page.goto(f"{flows.url}/?view=runs&status=failed")
        page.get_by_role("button", name="More about Test").click()
        page.get_by_role("menuitem", name="Restore the flow").click()
        page.wait_for_url(re.compile(f"flow=flow_.*run={failed}"))
        card(page, "Picture").get_by_text("no foxes on Sundays").wait_for()
        page.get_by_label("Search runs").wait_for(state="detached")
