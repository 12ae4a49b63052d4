"""Hands for the canvas in a browser: finding cards, adding nodes, waiting until all is kept."""

from __future__ import annotations

import time
from typing import Any

from studio import Builder

Json = Any


def until(page: Any, expression: str, limit_s: float = 30) -> None:
    """Wait until this is true in the page. Playwright's own way evaluates text there, which the page's policy forbids."""
    deadline = time.monotonic() + limit_s
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"awaited in vain: {expression}"
        page.wait_for_timeout(50)


def card(page: Any, title: str) -> Any:
    return page.get_by_role("article", name=title, exact=True)


def add(page: Any, title: str) -> None:
    page.get_by_role("searchbox", name="Search nodes").fill(title)
    page.keyboard.press("Enter")
    page.locator(".react-flow__node:focus").wait_for()  # the keys that follow are for the canvas


def saved(page: Any) -> None:
    page.get_by_text("Saved", exact=True).wait_for()


def kept(flows: Builder) -> Json:
    """The document of the flow that was saved last."""
    _, listed = flows.ask("GET", "/flows")
    return flows.ask("GET", f"/flows/{listed['flows'][0]['id']}")[1]["document"]


def opened(page: Any, flows: Builder, nodes: list[Json], name: str = "Test", **address: str) -> str:
    """The id of a flow of these nodes, open on the canvas."""
    _, flow = flows.ask("POST", "/flows", {"workflowName": name, "nodes": nodes})
    page.goto(f"{flows.url}/?flow={flow['id']}" + "".join(f"&{key}={value}" for key, value in address.items()))
    page.locator("[data-flow-canvas] article").first.wait_for()
    return str(flow["id"])
