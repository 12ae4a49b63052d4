"""The templates: each makes sense, and each runs to its end on this machine alone, with media of small size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flowkit import small
from studio import builder

from batuta_flows import templates
from batuta_flows.document.check import problems
from batuta_flows.document.flow import read_flow

Json = Any
FOUND = {found["id"]: found["document"] for found in templates.all()}


def test_there_are_the_six() -> None:
    assert list(FOUND) == ["story-to-video", "product-shot", "podcast-with-cover", "captioned-clip", "music-video", "avatar-talk"]
    assert all(found["title"] and found["summary"] for found in templates.all())


@pytest.mark.parametrize("id", FOUND)
def test_it_has_no_problem_without_any_key(id: str) -> None:
    assert [str(problem) for problem in problems(read_flow(FOUND[id]), frozenset())] == []


@pytest.mark.parametrize("id", FOUND)
def test_it_runs_to_its_end_on_this_machine(id: str, tmp_path: Path) -> None:
    with builder(tmp_path, real=True) as flows:
        run_id = flows.run([small(node) for node in FOUND[id]["nodes"]])
        flows.server.until(lambda: flows.status(run_id)["status"] not in ("running", "pending"), timeout_s=120)
        status = flows.status(run_id)
        assert status["status"] == "completed", status["error"]
        made = {result["nodeId"]: result["data"]["output"] for result in status["results"]}
        assert set(made) == {node["id"] for node in FOUND[id]["nodes"]}
        last = made[FOUND[id]["nodes"][-1]["id"]]
        code, film = flows.ask("GET", "/assets/" + last["videoUrl"].rpartition("/")[2])
        assert code == 200 and film[4:8] == b"ftyp"
