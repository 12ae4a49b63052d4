"""A flow of 200 nodes: what is done to one card is drawn for one card, and looking around draws none. Frames a second: canvas_work.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from canvas_work import COUNTER, FREE, calm, drag, drawn, large
from canvaskit import card, opened
from studio import builder


def test_what_is_done_to_one_card_is_drawn_for_one_card(page: Any, tmp_path: Path) -> None:
    page.add_init_script(COUNTER)
    with builder(tmp_path) as flows:
        opened(page, flows, large())
        page.get_by_role("button", name="Checklist", exact=True).wait_for()
        calm(page)
        assert len(set(drawn(page))) == 200  # the counter counts

        drag(page, "Step 105")
        calm(page)
        assert set(drawn(page)) == {"n105"}

        x, y = page.evaluate(FREE)
        page.mouse.move(x, y)
        page.mouse.wheel(0, -400)
        page.mouse.wheel(0, 300)
        page.mouse.down()
        page.mouse.move(x + 90, y + 60, steps=5)
        page.mouse.up()
        calm(page)
        assert set(drawn(page)) <= {"n105"}  # no longer chosen

        card(page, "Step 100").click(position={"x": 8, "y": 3})
        page.locator("#field-n100-prompt").fill("Twice")
        calm(page)
        assert set(drawn(page)) <= {"n100", "n105"}


def test_an_output_is_found_by_name_among_all_that_fit(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        opened(page, flows, large())
        card(page, "Step 100").click(position={"x": 8, "y": 3})
        page.get_by_role("button", name="Link Prompt", exact=True).click()
        field = page.get_by_role("combobox", name="Outputs for Prompt")
        field.wait_for()
        assert page.get_by_role("option", name="Step 101 · text").count() == 0  # that would be a circle
        field.fill("Step 17 · text")
        page.get_by_role("option", name="Step 17 · text").wait_for()
        page.keyboard.press("Enter")
        page.get_by_role("complementary", name="Settings").get_by_text("Step 17 · text").wait_for()
