"""The canvas in a real browser, on a real Flow Builder: from a template to a picture, what goes wrong, and what stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from canvaskit import add, card, kept, saved
from studio import Studio, broken, builder

from batuta_flows.api import site

PROMPT = '<img src=x onerror="document.title=1"> a fox'


def test_from_a_template_to_the_first_picture_without_any_key(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path, real=True) as flows:
        page.goto(flows.url)
        page.get_by_role("button", name="Product shot").click()
        page.get_by_role("button", name="Run", exact=True).click()
        picture = card(page, "Product photo").locator("img")
        picture.wait_for()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        assert page.get_by_text("This machine").first.is_visible()
        page.get_by_role("button", name="Cancel").or_(page.get_by_text("The flow has run.")).first.wait_for()


def test_a_failed_node_is_red_and_says_why_and_is_tried_again(page: Any, tmp_path: Path) -> None:
    studio = Studio()
    studio.faults["/text_to_image_1/"] = [broken("the provider says no: no foxes on Sundays")]
    with builder(tmp_path, studio) as flows:
        page.goto(f"{flows.url}/?flow=new")
        add(page, "Text to Image")
        page.locator("#field-text_to_image_1-prompt").fill(PROMPT)
        page.keyboard.press("Control+Enter")
        bad = card(page, "Text to Image").and_(page.locator("[data-status=failed]"))
        bad.get_by_text("no foxes on Sundays").wait_for()
        page.get_by_role("button", name="Retry").click()
        made = card(page, "Text to Image").and_(page.locator("[data-status=completed]"))
        made.wait_for()
        page.reload()
        made.locator("img").wait_for()  # the address knows the run


def test_what_was_not_kept_yet_is_kept_when_one_leaves_and_back_leads_to_it(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(flows.url)
        page.get_by_role("button", name="Empty flow").click()
        add(page, "Text to Text")
        page.get_by_label("Name of the flow").fill("Of foxes")
        page.get_by_role("button", name="All flows").click()
        page.get_by_role("link", name="Of foxes").click()
        card(page, "Text to Text").wait_for()
        page.go_back()
        page.get_by_text("Begin with a template").wait_for()


def test_what_is_drawn_is_kept_and_linked_and_taken_back(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(f"{flows.url}/?flow=new")
        add(page, "Text to Text")
        page.locator("#field-text_to_text_1-prompt").fill(PROMPT)
        add(page, "Text to Image")  # behind the selected one, and linked to it
        page.locator(".react-flow__edge").wait_for(state="attached")
        saved(page)
        assert kept(flows)["nodes"][1]["config"]["prompt"] == {"_type": "reference", "nodeId": "text_to_text_1", "outputKey": "text"}
        page.wait_for_url(re.compile("flow=flow_"))
        page.reload()
        card(page, "Text to Image").click()
        page.get_by_role("button", name="Cut the link").click()
        saved(page)
        assert "prompt" not in kept(flows)["nodes"][1]["config"]
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Cut the link").wait_for()
        card(page, "Text to Text").click()
        assert page.locator("#field-text_to_text_1-prompt").input_value() == PROMPT
        page.locator(".react-flow__pane").click(position={"x": 20, "y": 500})
        card(page, "Text to Text").click()
        page.keyboard.press("Delete")
        saved(page)
        assert [node["id"] for node in kept(flows)["nodes"]] == ["text_to_image_1"]


def test_links_are_drawn_by_hand_where_they_fit_and_nowhere_else(page: Any, tmp_path: Path) -> None:
    def port(node: str, name: str, side: str) -> Any:
        return page.locator(f".react-flow__handle.{side}[data-nodeid={node}][data-handleid={name}]")

    nodes = [
        {"id": "words", "type": "text_to_text", "title": "Words", "config": {"prompt": "a fox"}, "position": [0, 0]},
        {"id": "voice", "type": "text_to_speech", "title": "Voice", "config": {"text": "hello"}, "position": [360, 0]},
        {"id": "merged", "type": "clip_merger", "title": "Merged", "config": {}, "position": [720, 0]},
    ]
    with builder(tmp_path) as flows:
        _, flow = flows.ask("POST", "/flows", {"workflowName": "By hand", "nodes": nodes})
        page.goto(f"{flows.url}/?flow={flow['id']}")
        card(page, "Merged").get_by_text("Clips is needed").wait_for()
        port("words", "text", "source").drag_to(port("voice", "text", "target"))
        page.locator(".react-flow__edge").first.wait_for(state="attached")
        port("voice", "audioUrl", "source").drag_to(port("merged", "clips", "target"))
        page.get_by_text("audio does not fit: this takes video.").wait_for()
        saved(page)
        found = {node["id"]: node["config"] for node in kept(flows)["nodes"]}
        assert found["voice"]["text"]["nodeId"] == "words" and found["merged"] == {}


def test_somebody_else_saved_meanwhile(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        document = {"workflowName": "Shared", "nodes": [{"id": "a", "type": "text_to_text", "title": "A", "config": {}}]}
        _, flow = flows.ask("POST", "/flows", document)
        page.goto(f"{flows.url}/?flow={flow['id']}")
        card(page, "A").wait_for()
        flows.ask("PUT", f"/flows/{flow['id']}", {**document, "workflowName": "Theirs"}, {"If-Match": '"1"'})
        page.get_by_label("Name of the flow").fill("Mine")
        page.get_by_text("saved somewhere else meanwhile").wait_for()
        page.get_by_role("button", name="Keep mine as a copy").click()
        saved(page)
        _, listed = flows.ask("GET", "/flows")
        assert {one["name"] for one in listed["flows"]} == {"Theirs", "Mine (copy)"}


def test_without_the_files_a_page_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "HOME", tmp_path / "nowhere")
    with builder(tmp_path) as flows:
        code, body = flows.ask("GET", "/")
        assert code == 200 and b"make ui" in body
        assert flows.ask("GET", "/assets/nothing.js")[0] == 404
