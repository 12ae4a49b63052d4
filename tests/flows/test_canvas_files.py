"""Flows as text and as files: copied and pasted, brought in and out, in two tabs at once; and cards that are put in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from canvaskit import add, card, kept, opened, saved
from studio import builder

Json = Any
LINK = {"_type": "reference", "nodeId": "words", "outputKey": "text"}
NODES: list[Json] = [
    {"id": "words", "type": "text_to_text", "title": "Words", "config": {"prompt": "a fox"}, "position": [0, 0]},
    {"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": LINK}, "position": [10, 20]},
]


def test_what_is_chosen_is_copied_as_json_and_pasted_with_its_links_into_another_flow(page: Any, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with builder(tmp_path) as flows:
        opened(page, flows, NODES)
        page.locator(".react-flow__node[data-id=words]").focus()
        page.keyboard.press("Control+a")
        page.get_by_role("heading", name="2 nodes").wait_for()
        page.keyboard.press("Control+c")
        copied = json.loads(page.evaluate("() => navigator.clipboard.readText()"))
        assert [node["id"] for node in copied["nodes"]] == ["words", "pic"]
        page.goto(f"{flows.url}/?flow=new")
        add(page, "Text to Music")
        page.keyboard.press("Control+v")
        page.get_by_role("heading", name="2 nodes").wait_for()
        saved(page)
        flows.until(lambda: len(kept(flows)["nodes"]) == 3)
        assert kept(flows)["nodes"][2]["config"]["prompt"] == {**LINK, "nodeId": "text_to_text_1"}
        page.keyboard.press("Control+d")
        flows.until(lambda: len(kept(flows)["nodes"]) == 5)
        page.keyboard.press("Delete")
        flows.until(lambda: len(kept(flows)["nodes"]) == 3)
        page.keyboard.press("Control+z")
        flows.until(lambda: len(kept(flows)["nodes"]) == 5)


def test_files_of_the_original_come_in_and_go_out_and_cards_are_put_in_order(page: Any, tmp_path: Path) -> None:
    original = {
        "workflowName": "Of old",
        "nodes": [
            {"id": "node-1", "type": "text_to_text", "title": "1. Story", "status": "not_run", "config": {"prompt": "a fox"}, "execution": {}},
            {"id": "node-2", "type": "text_to_image", "title": "2. Picture", "config": {"prompt": {**LINK, "nodeId": "node-1"}}, "execution": {}},
        ],
    }
    file = tmp_path / "old.json"
    file.write_text(json.dumps(original))
    with builder(tmp_path / "data") as flows:
        page.goto(flows.url)
        page.get_by_text("Begin with a template").wait_for()
        page.get_by_label("Flow file").set_input_files(str(file))
        card(page, "2. Picture").wait_for()
        page.locator(".react-flow__edge").wait_for(state="attached")

        def exported(item: str) -> Json:
            page.get_by_role("button", name="Flow", exact=True).click()
            with page.expect_download() as waiting:
                page.get_by_role("menuitem", name=item).click()
            return json.loads(Path(waiting.value.path()).read_text())

        assert exported("Export as JSON")["format"].startswith("batuta-flow/")
        again = exported("Export for the original")
        assert [node["type"] for node in again["nodes"]] == ["text_to_text", "text_to_image"] and "format" not in again
        assert again["nodes"][1]["config"]["prompt"]["_type"] == "reference"

        page.get_by_role("button", name="Flow", exact=True).click()
        page.get_by_role("menuitem", name="Tidy up").click()
        flows.until(lambda: all(node.get("position") for node in kept(flows)["nodes"]))
        (left, _), (right, _) = (node["position"] for node in kept(flows)["nodes"])
        assert right >= left + 240  # beside each other, in the direction things flow


def test_a_flow_that_is_open_in_two_tabs_is_not_overwritten_in_silence(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        opened(page, flows, NODES, "Shared")
        other = page.context.new_page()
        other.goto(page.url)
        other.get_by_label("Name of the flow").fill("Theirs")
        flows.until(lambda: kept(flows)["workflowName"] == "Theirs")
        page.get_by_label("Name of the flow").fill("Mine")
        page.get_by_text("saved somewhere else meanwhile").wait_for()
        assert kept(flows)["workflowName"] == "Theirs"
        page.get_by_role("button", name="Load theirs").click()
        page.get_by_text("saved somewhere else meanwhile").wait_for(state="detached")
        page.locator("input[value=Theirs]").wait_for()
