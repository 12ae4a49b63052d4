"""
A real server with real executions, and a headless Chromium that looks at it. Skipped by name where one of them is missing.

Nothing is downloaded: the browser is the machine's own (Debian: apt install chromium), or the one CHROMIUM names.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.api.site import HOME, is_built
from batuta.testing import embedded

sys.path.insert(0, str(Path(__file__).parent))

from lookkit import Look, Stage
from scenes import Scenes

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMES = "MAP *.example 127.0.0.1, MAP batuta 127.0.0.1"  # names that strangers, and a network of containers, make lead here
# Chromium alone keeps pages of elsewhere from loopback; here it is to behave as other browsers do.
UNGUARDED = "BlockInsecurePrivateNetworkRequests,LocalNetworkAccessChecks"
ARGUMENTS = ["--no-sandbox", f"--host-resolver-rules={NAMES}", f"--disable-features={UNGUARDED}"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    if not is_built():
        pytest.skip(f"NOT TESTED: there is no console in {HOME}; run: make ui (needs Node 20.19 or newer)")
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: no Chromium was found (Debian: apt install chromium); CHROMIUM may name one")
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: playwright is not installed; run: make up")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A server filled with the scenes; tests that change one use one of their own."""
    with embedded() as server:
        scenes = Scenes(server.client)
        yield Stage(server, scenes, scenes.fill(large=10_000))


@pytest.fixture
def look(browser: Any) -> Iterator[Look]:
    """A fresh page of 1280 by 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="UTC", reduced_motion="reduce")
    found = Look(context.new_page())
    yield found
    context.close()
    assert not found.complaints, "\n".join(found.complaints)


@pytest.fixture
def page(look: Look) -> Any:
    """The same, as Playwright's page."""
    return look.page
