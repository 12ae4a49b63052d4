"""
The pictures of docs/howto/flow-builder.md: `PICTURES=1 python -m pytest tests/flows/test_canvas_pictures.py` makes them anew, in their place.

Without PICTURES they are made and thrown away, so that what the page shows can be shown.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from canvaskit import card
from flowkit import small
from studio import builder

from batuta_flows import templates

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# Every picture there is, and the still ones of films.
DECODED = """
() => Promise.all([...document.images, ...[...document.querySelectorAll('video[poster]')].map(film => Object.assign(new Image(), { src: film.poster }))]
  .map(image => image.decode().catch(() => undefined)))
"""
MADE_MS = 240_000  # a film of three scenes on a machine that has other things to do


def _taken(page: Any, name: str, tmp_path: Path) -> None:
    page.wait_for_load_state("load")
    page.evaluate(DECODED)
    page.get_by_text("The flow has run.").wait_for(state="detached")
    target = (IMAGES if os.environ.get("PICTURES") else tmp_path) / f"flows-{name}.png"
    page.screenshot(path=str(target))
    assert target.stat().st_size > 10_000


def test_a_picture_of_the_canvas_and_of_two_runs_is_made(browser: Any, tmp_path: Path) -> None:
    story = next(template for template in templates.all() if template["id"].endswith("story-to-video"))["document"]
    if not os.environ.get("PICTURES"):
        story = {**story, "nodes": [small(node) for node in story["nodes"]]}
    fox = {"nodes": [{"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": "A fox in a forest at night"}}]}
    with builder(tmp_path, real=True) as flows:
        context = browser.new_context(viewport={"width": 1280, "height": 720}, timezone_id="UTC", reduced_motion="reduce")
        page = context.new_page()
        flow = flows.ask("POST", "/flows", story)[1]["id"]
        page.goto(f"{flows.url}/?flow={flow}")
        card(page, "Film").wait_for()
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("7 of 7 nodes").wait_for(timeout=MADE_MS)
        card(page, "Film").locator("video").wait_for()
        _taken(page, "canvas", tmp_path)
        runs = []
        for prompt in ("A fox in a forest at night", "A city by the sea in the morning"):
            fox["nodes"][0]["config"] = {"prompt": prompt}
            runs.append(flows.run(fox["nodes"], workflowName="Postcard"))
        page.goto(f"{flows.url}/?view=compare&a={runs[0]}&b={runs[1]}")
        page.get_by_role("region", name="Picture").get_by_role("img").nth(1).wait_for(timeout=MADE_MS)  # the page looks again until both have ended
        _taken(page, "compare", tmp_path)
        context.close()
