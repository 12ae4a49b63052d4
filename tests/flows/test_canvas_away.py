"""The backend goes away while somebody draws: nothing is lost, pages say what is missing, and all goes on by itself when it is back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from canvaskit import add, kept, saved
from studio import builder


def test_what_could_not_be_saved_is_saved_when_somebody_answers_again(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(f"{flows.url}/?flow=new")
        add(page, "Text to Image")
        saved(page)
        page.route("**/flows/*", lambda route: route.abort())
        page.get_by_label("Name of the flow").fill("Drawn meanwhile")
        page.get_by_text("This flow could not be saved: The Flow Builder does not answer.").wait_for()
        page.unroute("**/flows/*")
        saved(page)
        assert kept(flows)["workflowName"] == "Drawn meanwhile"


def test_a_flow_that_is_not_there_leads_to_those_that_are(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.goto(f"{flows.url}/?flow=nothing")
        page.get_by_role("heading", name="there is no flow 'nothing'").wait_for()
        page.get_by_role("button", name="All flows").click()
        page.get_by_role("heading", name="Begin with a template").wait_for()


def test_a_page_that_nobody_answered_comes_by_itself(page: Any, tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        page.route("**/*", lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_())
        page.goto(flows.url)
        page.get_by_role("heading", name="The Flow Builder does not answer.").wait_for()
        page.get_by_text("batuta flows", exact=True).wait_for()
        page.unroute("**/*")
        page.get_by_role("heading", name="Begin with a template").wait_for()
