"""What the Flow Builder's tests share; a browser for those of the canvas."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta_flows.api import site

sys.path.insert(0, str(Path(__file__).parent))

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOK_MS = 20_000  # for anything to appear; only a fault takes so long


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    if not (site.HOME / "flows.html").is_file():
        pytest.skip(f"NOT TESTED: there is no canvas in {site.HOME}; run: make ui (needs Node 20.19 or newer)")
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: no Chromium was found (Debian: apt install chromium); CHROMIUM may name one")
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: playwright is not installed; run: make up")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh page that must not complain: what it throws, or what its policy forbids, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="UTC", reduced_motion="reduce")
    found, complaints = context.new_page(), []
    found.set_default_timeout(LOOK_MS)
    found.on("pageerror", lambda error: complaints.append(f"thrown: {error}"))
    found.on("console", lambda said: said.type == "error" and "Failed to load resource" not in said.text and complaints.append(said.text))
    yield found
    context.close()
    assert not complaints, "\n".join(complaints)
