"""Building a flow: without a pointer from the first node to its result, and by drawing a link to where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from canvaskit import card, kept, opened, saved
from studio import builder

Json = Any


def test_the_keyboard_is_enough_to_add_link_run_and_open_what_was_made(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(flows.url)
        page.get_by_role("button", name="Empty flow").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Choose a node on the left").wait_for()
        page.keyboard.press("Space")
        page.locator("input:focus[type=search]").wait_for()
        page.keyboard.type("text to text")
        page.keyboard.press("Enter")
        page.locator(".react-flow__node[data-id=text_to_text_1]:focus").wait_for()
        page.keyboard.press("Enter")  # into its settings
        page.locator("#field-text_to_text_1-prompt:focus").wait_for()
        page.keyboard.type("Tell of a fox")
        page.keyboard.press("Escape")  # and back
        page.locator(".react-flow__node[data-id=text_to_text_1]:focus").wait_for()
        page.keyboard.press("Space")
        page.locator("input:focus[type=search]").wait_for()
        page.keyboard.type("text to speech")
        page.keyboard.press("Enter")
        page.locator(".react-flow__node[data-id=text_to_speech_1]:focus").wait_for()
        saved(page)
        link = {"_type": "reference", "nodeId": "text_to_text_1", "outputKey": "text"}
        assert kept(flows)["nodes"][1]["config"]["text"] == link  # linked by itself; cut, and linked again by hand
        page.get_by_role("button", name="Cut the link").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Link Text", exact=True).focus()
        page.keyboard.press("Enter")
        page.get_by_role("combobox", name="Outputs for Text").wait_for()
        page.keyboard.type("text · text")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Cut the link").wait_for()
        saved(page)
        assert kept(flows)["nodes"][1]["config"]["text"] == link
        page.keyboard.press("Control+Enter")
        page.get_by_text("2 of 2 nodes").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("Alt+ArrowLeft")
        page.locator(".react-flow__node[data-id=text_to_text_1]:focus").wait_for()
        page.keyboard.press("Tab")
        result = card(page, "Text to Text").get_by_role("button", name="Open text of Text to Text")
        result.focus()
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Text to Text").get_by_text("text of text_to_text").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")


def test_a_link_that_is_drawn_to_nothing_asks_for_a_node_that_takes_it(page: Any, tmp_path: Path) -> None:
    nodes = [{"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": "a fox"}, "position": [0, 0]}]
    with builder(tmp_path) as flows:
        opened(page, flows, nodes)
        port = page.locator(".react-flow__handle.source[data-nodeid=pic][data-handleid=imageUrl]").bounding_box()
        page.mouse.move(port["x"] + 6, port["y"] + 6)
        page.mouse.down()
        page.mouse.move(port["x"] + 60, port["y"] + 60, steps=4)
        page.mouse.move(port["x"] + 130, port["y"] + 130, steps=4)
        page.mouse.up()
        page.get_by_text("What takes image").wait_for()
        palette = page.get_by_role("navigation", name="Add a node")
        assert palette.get_by_role("button", name="Text to Music").count() == 0
        palette.get_by_role("button", name="Image to Video").click()
        card(page, "Image to Video").wait_for()
        saved(page)
        made = kept(flows)["nodes"][1]
        assert made["config"]["imageUrl"] == {"_type": "reference", "nodeId": "pic", "outputKey": "imageUrl"}
        line = page.locator(".react-flow__edge-path").first
        assert line.evaluate("line => getComputedStyle(line).stroke") not in ("none", "")  # it can be seen
        page.locator(".react-flow__edge").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Cut the link Picture imageUrl into Image to Video imageUrl").click()
        saved(page)
        flows.until(lambda: kept(flows)["nodes"][1]["config"] == {})
