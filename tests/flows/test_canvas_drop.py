"""Files that are dropped: a flow, or a medium that carries one, is offered as a new flow; a field takes its own; the rest is told what it is not."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from canvaskit import add, card, kept, saved
from studio import Builder, builder, picture

Json = Any
NODES: list[Json] = [
    {"id": "words", "type": "text_to_text", "title": "Words", "config": {"prompt": "Tell of a fox"}, "position": [0, 0]},
    {"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": "a fox"}, "position": [360, 0]},
]
DRAGGED = """files => {
    const dragged = new DataTransfer();
    for (const [name, type, content] of files) dragged.items.add(new File([Uint8Array.from(atob(content), one => one.charCodeAt(0))], name, { type }));
    return dragged;
}"""


def drop(page: Any, target: Any, *files: tuple[str, str, bytes]) -> None:
    dragged = page.evaluate_handle(DRAGGED, [[name, kind, base64.b64encode(content).decode()] for name, kind, content in files])
    for event in ("dragenter", "dragover", "drop"):
        target.dispatch_event(event, {"dataTransfer": dragged})


def downloaded(flows: Builder) -> bytes:
    """The picture of a run as a person has it on their disk."""
    run = flows.run(NODES, workflowName="A fox")
    [made] = [one["data"]["output"]["imageUrl"] for one in flows.ended(run)["results"] if one["nodeId"] == "pic"]
    _, content = flows.ask("GET", f"/assets/{re.search('[0-9a-f]{16,}[.]png', str(made))[0]}/download?run={run}")  # type: ignore[index]
    assert isinstance(content, bytes)
    return content


def count(flows: Builder) -> int:
    return len(flows.ask("GET", "/flows")[1]["flows"])


def home(page: Any, flows: Builder) -> Any:
    page.goto(flows.url)
    page.get_by_role("heading", name="Begin with a template").wait_for()
    return page.get_by_role("main")


def test_a_picture_that_a_flow_made_opens_it_as_a_new_one(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        fox = ("fox.png", "image/png", downloaded(flows))
        drop(page, home(page, flows), fox)
        offer = page.get_by_role("alertdialog", name="Open the flow of fox.png?")
        offer.get_by_text("“A fox”, 2 nodes").wait_for()
        offer.get_by_role("button", name="Cancel").click()
        offer.wait_for(state="detached")
        assert count(flows) == 0

        drop(page, page.get_by_role("main"), fox)
        offer.get_by_role("button", name="Open it").click()
        card(page, "Picture").wait_for()
        page.wait_for_url(re.compile(r"[?]flow="))
        assert count(flows) == 1 and [node["id"] for node in kept(flows)["nodes"]] == ["words", "pic"]

        page.goto(f"{flows.url}/?flow=new")  # and onto an empty canvas
        page.get_by_text("Or drop a flow here").wait_for()
        drop(page, page.locator("[data-flow-canvas]"), fox)
        offer.get_by_role("button", name="Open it").click()
        card(page, "Words").wait_for()
        flows.until(lambda: count(flows) == 2)


def test_a_flow_is_dropped_as_a_file_too_and_what_was_open_stays(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(f"{flows.url}/?flow=new")
        page.get_by_text("Or drop a flow here").wait_for()
        add(page, "Text to Music")
        file = json.dumps({"workflowName": "From a file", "nodes": NODES}).encode()
        drop(page, page.locator("[data-flow-canvas]"), ("flow.json", "application/json", file))
        page.get_by_role("alertdialog").get_by_role("button", name="Open it").click()
        card(page, "Picture").wait_for()
        flows.until(lambda: count(flows) == 2)  # the new one, and what was drawn before
        names = {one["name"] for one in flows.ask("GET", "/flows")[1]["flows"]}
        assert names == {"From a file", "Untitled flow"}


def test_what_has_no_flow_is_told_so(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        main = home(page, flows)
        drop(page, main, ("plain.png", "image/png", picture(1)))
        page.get_by_text("There is no flow in plain.png. Only what was downloaded from a Flow Builder").wait_for()
        drop(page, main, ("notes.txt", "text/plain", b"Dear diary"))
        page.get_by_text("There is no flow in notes.txt. A flow is a JSON file").wait_for()
        drop(page, main, ("list.json", "application/json", b"[1, 2]"))
        page.get_by_text("There is no flow in list.json").wait_for()
        drop(page, main, ("a.json", "application/json", b"{}"), ("b.json", "application/json", b"{}"))
        page.get_by_text("2 files were dropped. Drop one").wait_for()
        assert count(flows) == 0 and page.get_by_role("alertdialog").count() == 0
        page.get_by_text("Looking for its flow").wait_for(state="detached")


def test_a_field_takes_what_is_dropped_on_it(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(f"{flows.url}/?flow=new")
        page.get_by_text("Or drop a flow here").wait_for()
        add(page, "Upload Files")
        field = page.get_by_placeholder("Address, then Enter")
        drop(page, field, ("song.mp3", "audio/mpeg", b"ID3"))
        page.get_by_text("song.mp3 does not fit here: this takes image.").wait_for()
        drop(page, field, ("a.png", "image/png", picture(1)), ("b.png", "image/png", picture(2)))
        page.get_by_role("button", name="Remove b.png").wait_for()
        saved(page)
        flows.until(lambda: len(kept(flows)["nodes"][0]["config"].get("files", [])) == 2)
        assert count(flows) == 1 and page.get_by_role("alertdialog").count() == 0
