"""
The pictures of docs/howto/console.md: `PICTURES=1 python -m pytest tests/console/test_pictures.py` makes them anew, in their place.

Without PICTURES they are made and thrown away, so that what the page shows can be shown.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from conftest import Stage

IMAGES = Path(__file__).parents[2] / "docs" / "images"
#    picture             theme    address                           what must be there first
PICTURES = [
    ("home", "light", "/", "Running for longest"),
    ("executions", "light", "/executions", "firmware-ci-cd-pipeline"),
    ("failed", "light", "/execution/{failed}", "attempt 2"),
    ("failed-dark", "dark", "/execution/{failed}", "attempt 2"),
    ("fork-dark", "dark", "/execution/{fanned}", "thumb_3"),
    ("events", "light", "/execution/{looped}?view=events", "probe__3"),
]


@pytest.mark.parametrize(("name", "theme", "place", "text"), PICTURES)
def test_a_picture_is_made(browser: Any, stage: Stage, tmp_path: Path, name: str, theme: str, place: str, text: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme=theme, timezone_id="UTC", reduced_motion="reduce")
    page = context.new_page()
    page.goto(stage.url + place.format(**stage.ids))
    page.get_by_text(text).first.wait_for()
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => undefined)")
    target = (IMAGES if os.environ.get("PICTURES") else tmp_path) / f"console-{name}.png"
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=str(target))
    context.close()
    assert target.stat().st_size > 10_000
