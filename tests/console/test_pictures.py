"""
The pictures of docs/howto/console.md: `PICTURES=1 python -m pytest tests/console/test_pictures.py` makes them anew, in their place.

Without PICTURES they are made and thrown away, so that what the page shows can be shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lookkit import Stage
from PIL import Image
from scenes import Scenes

from batuta.testing import embedded

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLOURS = 96  # of a picture as it is kept: a third of the bytes, and nobody sees it
#    picture             theme    address                                                    what must be there first
PICTURES = [
    ("executions", "light", "/executions", "firmware-ci-cd-pipeline"),
    ("failed", "light", "/execution/{failed}", "attempt 2"),
    ("graph", "light", "/execution/{failed}?view=graph", "flash_canary"),
    ("fork-dark", "dark", "/execution/{fanned}", "thumb_3"),
    ("compare", "light", "/compare?a={failed}&b={completed}", "ended otherwise"),
    ("failures", "light", "/failures", "is full"),
    ("definition", "light", "/definitions/firmware-ci-cd-pipeline", "flash_canary"),
    ("queues", "light", "/queues?queue=build_esp32c3", "Start one with"),
    ("schedules", "dark", "/schedules?name=nightly-release", "Next runs"),
    ("health", "light", "/server", "Settings in force"),
    ("home", "light", "/", "Running for longest"),
]


@pytest.fixture(scope="module")
def scheduled() -> Iterator[Stage]:
    """A server with the scenes and schedules of its own: what other tests start would push the scenes off a list's first page."""
    with embedded() as server:
        scenes = Scenes(server.client)
        stage = Stage(server, scenes, scenes.fill())
        for name, cron, workflow in (("nightly-release", "0 30 2 * * *", "approve-release"), ("weekly-build", "0 0 6 * * MON", "build-matrix")):
            schedule = {"name": name, "cronExpression": cron, "zoneId": "Europe/Prague", "startWorkflowRequest": {"name": workflow, "input": {"by": name}}}
            server.client.request("POST", "/scheduler/schedules", body=schedule)
        yield stage


@pytest.mark.parametrize(("name", "theme", "place", "text"), PICTURES)
def test_a_picture_is_made(browser: Any, scheduled: Stage, tmp_path: Path, name: str, theme: str, place: str, text: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme=theme, timezone_id="UTC", reduced_motion="reduce")
    page = context.new_page()
    page.goto(scheduled.url + place.format(**scheduled.ids))
    page.get_by_text(text).filter(visible=True).first.wait_for()  # not the entry of a closed list
    page.wait_for_load_state("networkidle" if name in ("home", "graph", "definition") else "load")  # what draws it comes later
    page.evaluate("document.fonts.ready.then(() => undefined)")
    taken = tmp_path / f"console-{name}.png"
    page.screenshot(path=str(taken))
    context.close()
    assert taken.stat().st_size > 10_000
    if os.environ.get("PICTURES"):
        IMAGES.mkdir(exist_ok=True)
        with Image.open(taken) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(IMAGES / taken.name, optimize=True)
