"""What is large costs what is on the screen: rows, nodes and requests are counted here, since clocks tell of other programs too (bench has those)."""

from __future__ import annotations

import gzip
import re
import urllib.request
from typing import Any

import pytest
from lookkit import Stage

FIRST_LOAD_BYTES_MAX = 350 * 1024
ROWS_MAX = 80  # a screen holds 20 to 30; a virtual list keeps some above and below


def asked(page: Any) -> list[str]:
    """The paths that the page asks for from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(re.sub(r"^https?://[^/]+", "", request.url)))
    return found


def elements(page: Any) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def test_ten_thousand_tasks_are_as_many_rows_as_a_screen_holds(page: Any, stage: Stage) -> None:
    paths = asked(page)
    page.goto(stage.of("large"))
    rows = page.get_by_role("list", name="Tasks in time").get_by_role("listitem")
    rows.first.wait_for()
    page.get_by_role("button", name="Live").wait_for()
    page.get_by_text("10,000 tasks").wait_for()
    for place in (0, 0.5, 1):
        page.evaluate("at => { const list = document.querySelector('[aria-label=\"Tasks in time\"]'); list.scrollTop = at * list.scrollHeight }", place)
        page.locator(f'[aria-label="Tasks in time"] [aria-posinset="{max(int(place * 10_000), 1)}"]').wait_for()
        assert rows.count() <= ROWS_MAX and elements(page) < 3000
    assert len([path for path in paths if "/timeline" in path]) <= 2 and not [path for path in paths if re.match("/api/workflow/", path)]


def test_the_table_of_ten_thousand_tasks_too(page: Any, stage: Stage) -> None:
    page.goto(stage.of("large", "?view=tasks&panel=off"))
    page.get_by_role("table").get_by_text("step_0", exact=True).first.wait_for()
    assert page.get_by_role("table").get_by_role("row").count() <= ROWS_MAX and elements(page) < 3000


def test_a_fork_of_a_thousand_branches_is_a_few_nodes_and_needs_no_layout_engine(page: Any, stage: Stage) -> None:
    started = stage.scenes.fanned(1000, done=0, name="wide_leaf")
    paths = asked(page)
    page.goto(f"{stage.url}/execution/{started}?view=graph")
    page.get_by_text("1,000 branches").wait_for()
    assert page.locator(".react-flow__node").count() == 6 and elements(page) < 1500
    assert not [path for path in paths if "elk.worker" in path]
    stage.server.client.request("POST", f"/workflow/{started}/terminate")


def packed(url: str) -> int:
    """What it weighs on its way, as gzip packs it."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"accept-encoding": "gzip", "accept": "text/html,*/*"})) as answer:
        body = answer.read()
        return len(body) if answer.headers["content-encoding"] == "gzip" else len(gzip.compress(body))


@pytest.mark.parametrize("place", ["/", "/executions", "/execution/{failed}", "/definitions", "/queues", "/failures", "/schedules", "/server"])
def test_whichever_page_is_first_it_is_small(page: Any, stage: Stage, place: str) -> None:
    urls: set[str] = set()
    page.on("request", lambda request: urls.add(request.url))
    with page.expect_request(re.compile("/assets/Execution-.*js")):  # what is loaded ahead counts as well
        page.goto(stage.url + place.format(**stage.ids))
    page.get_by_role("heading").first.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    assert all(url.startswith((stage.url, "data:")) for url in urls)
    sizes = {url: packed(url) for url in urls if url.startswith(stage.url) and "/api/" not in url}
    assert len(sizes) > 5 and sum(sizes.values()) <= FIRST_LOAD_BYTES_MAX, sizes
