"""What the console's tests look at: a server full of executions, and a page that must not complain."""

from __future__ import annotations

from typing import Any

from scenes import Scenes

from batuta.testing import EmbeddedServer

# How Chromium begins to tell of a request that failed, and of a host that it does not trust.
REFUSED = ("Failed to load resource", "Access to ", "The Cross-Origin-Opener-Policy header has been ignored")
GONE = "Failed to load resource: net::ERR_"  # a server of the test's own has ended before the page was closed; what the page says then: test_live.py
LOOK_MS = 10_000  # for anything to appear; only a fault takes so long


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
