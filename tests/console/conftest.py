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
from batuta.testing import EmbeddedServer, embedded

sys.path.insert(0, str(Path(__file__).parent))

from scenes import Scenes

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMES = "MAP *.example 127.0.0.1, MAP batuta 127.0.0.1"  # names that strangers, and a network of containers, make lead here
# Chromium alone keeps pages of elsewhere from loopback; here it is to behave as other browsers do.
UNGUARDED = "BlockInsecurePrivateNetworkRequests,LocalNetworkAccessChecks"
ARGUMENTS = ["--no-sandbox", f"--host-resolver-rules={NAMES}", f"--disable-features={UNGUARDED}"]
# How Chromium begins to tell of a request that failed, and of a host that it does not trust.
REFUSED = ("Failed to load resource", "Access to ", "The Cross-Origin-Opener-Policy header has been ignored")
GONE = "Failed to load resource: net::ERR_"  # a server of the test's own has ended before the page was closed; what the page says then: test_live.py
LOOK_MS = 10_000  # for anything to appear; only a fault takes so long


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


class Stage:
    """The server, and where its executions are."""

    def __init__(self, server: EmbeddedServer, scenes: Scenes, ids: dict[str, str]) -> None:
        self.server, self.scenes, self.ids = server, scenes, ids
        self.url = f"http://127.0.0.1:{server.port}"

    def of(self, scene: str, tail: str = "") -> str:
        """The address of a scene's execution."""
        return f"{self.url}/execution/{self.ids[scene]}{tail}"


class Look:
    """A page that must not complain: what it logs as an error, and what it throws, fails the test."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._refusals = False
        page.set_default_timeout(LOOK_MS)
        page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))
        page.on("console", lambda said: said.type == "error" and self.note(said.text))

    def note(self, text: str) -> None:
        if text.startswith(GONE) or (self._refusals and text.startswith(REFUSED)):
            return
        self.complaints.append(text)

    def expect_refusals(self) -> None:
        """Requests fail or are refused here, as the test wants it: what the browser itself reports of that, sooner or later, is no complaint."""
        self._refusals = True
        self.complaints = [text for text in self.complaints if not text.startswith(REFUSED)]


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
