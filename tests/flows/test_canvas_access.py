"""Everybody can use the canvas: axe finds nothing against WCAG 2.2 AA, in both themes and both widths, and nothing sticks out of a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from studio import Builder, Studio, broken, builder

Json = Any
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def _ref(node: str, output: str) -> Json:
    return {"_type": "reference", "nodeId": node, "outputKey": output}


def _nodes(prompt: str) -> list[Json]:
    return [
        {"id": "words", "type": "text_to_text", "title": "Words", "config": {"prompt": prompt}, "position": [0, 0]},
        {"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": _ref("words", "text")}, "position": [340, 0]},
        {"id": "voice", "type": "text_to_speech", "title": "Voice", "config": {"text": _ref("words", "text")}, "position": [340, 420]},
        {
            "id": "bad",
            "type": "text_to_music",
            "title": "Music",
            "config": {"prompt": f"music for {prompt}"},
            "position": [680, 420],
            "after": ["pic", "voice"],
        },
        {"id": "open", "type": "clip_merger", "title": "Merged", "config": {}, "position": [680, 0], "enabled": False},
    ]


class Stage:
    """A Flow Builder with a flow, and two runs of it of which one failed."""

    def __init__(self, flows: Builder, studio: Studio) -> None:
        self.url = flows.url
        document = {"workflowName": "Foxes", "nodes": _nodes("a fox")}
        self.flow = str(flows.ask("POST", "/flows", document)[1]["id"])
        self.runs = []
        for prompt in ("a fox", "an owl"):
            studio.faults["/bad/"] = [broken("the provider says no")] if prompt == "an owl" else []
            run = flows.run([], document={"workflowName": "Foxes", "nodes": _nodes(prompt)[:-1]}, flowId=self.flow)
            flows.ended(run)
            self.runs.append(run)
        flows.until(lambda: all(run["status"] != "running" for run in flows.ask("GET", "/workflow/history")[1]))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    studio = Studio()
    with builder(tmp_path_factory.mktemp("access"), studio) as flows:
        yield Stage(flows, studio)


def _places(page: Any, stage: Stage, width: int) -> Iterator[str]:
    """One place after the other, each as it is looked at."""
    page.goto(stage.url)
    page.get_by_text("Begin with a template").wait_for()
    page.get_by_role("link", name="Foxes").wait_for()
    yield "home"
    page.goto(f"{stage.url}/?flow={stage.flow}&run={stage.runs[1]}")
    page.get_by_text("the provider says no").first.wait_for()
    yield "canvas"
    page.get_by_role("button", name="Checklist").click()
    page.get_by_text("One run:").or_(page.get_by_text("Merged")).first.wait_for()
    yield "checklist"
    page.get_by_role("button", name="Results").click()
    page.get_by_role("group", name="Voice").last.wait_for()
    yield "results"
    page.get_by_role("button", name="History").click()
    page.get_by_role("checkbox", name="Compare").first.wait_for()
    yield "history"
    page.get_by_role("button", name="History").click()
    page.locator(".react-flow__node[data-id=pic]").focus()
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Last run").wait_for()
    yield "settings"
    page.get_by_role("button", name="Link Prompt", exact=True).click()
    page.get_by_role("combobox", name="Outputs for Prompt").wait_for()
    yield "picker"
    page.keyboard.press("Escape")
    if width > 860:
        page.get_by_role("button", name="Open imageUrl of Picture").click()
        page.get_by_role("dialog", name="Picture").wait_for()
        yield "result"
    page.goto(f"{stage.url}/?view=runs")
    page.get_by_role("checkbox", name="Compare").first.wait_for()
    yield "gallery"
    page.goto(f"{stage.url}/?view=compare&a={stage.runs[0]}&b={stage.runs[1]}")
    page.get_by_role("region", name="Picture").wait_for()
    yield "compare"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Any, stage: Stage, theme: str, width: int) -> None:
    if not AXE.exists():
        pytest.skip("NOT TESTED: axe-core is not installed; run: make ui")
    # The policy of the page lets no script in from outside, a test's own neither.
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    faults = []
    for place in _places(page, stage, width):
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)
        faults += [f"{place}: {fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]}" for fault in found["violations"]]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{place}: wider than the screen")
    context.close()
    assert not faults, "\n".join(faults)
