"""A run that was started is in the history, whatever became of the backend that started it; one that was not started is nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flowkit import flow, node
from studio import Builder, builder

from batuta.client import NotFound, Unavailable
from batuta_flows.runs import service as runs

STORY = flow(node("story", "text_to_text", prompt="a story"), name="Found again")


class Died(BaseException):
    """The backend was killed here."""


@pytest.fixture
def flows(tmp_path: Path) -> Any:
    with builder(tmp_path, workers=False) as running:
        yield running


def break_off(monkeypatch: pytest.MonkeyPatch, thing: Any, name: str, error: BaseException) -> None:
    """Every call of this ends with *error*, until `undo`."""

    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(thing, name, broken)


def open_starts(flows: Builder) -> int:
    return len(flows.backend.history.open_starts(2**62))


def test_a_run_whose_starter_did_not_live_to_hear_its_id_is_found(flows: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    break_off(monkeypatch, flows.backend.history, "begun", Died())
    with pytest.raises(Died):
        flows.backend.service.start(STORY, flow_id="kept")
    monkeypatch.undo()
    assert flows.backend.history.page() == [] and open_starts(flows) == 1
    monkeypatch.setattr(runs, "START_MS", 0)
    flows.until(lambda: open_starts(flows) == 0)  # a sweep has passed
    (found,) = flows.backend.history.page()
    assert (found.flow_id, found.name, found.status, found.nodes) == ("kept", "Found again", "running", 1)
    assert flows.status(found.run_id)["workflowId"] == found.run_id and found.document["nodes"][0]["id"] == "story"


def test_a_start_that_the_orchestrator_refused_leaves_nothing(flows: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    break_off(monkeypatch, flows.backend.service._client, "start_workflow", NotFound("no such definition"))
    with pytest.raises(NotFound):
        flows.backend.service.start(STORY)
    assert flows.backend.history.page() == [] and open_starts(flows) == 0


def test_a_start_that_never_arrived_is_forgotten_after_a_while(flows: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    break_off(monkeypatch, flows.backend.service._client, "start_workflow", Unavailable("connection lost"))
    with pytest.raises(Unavailable):
        flows.backend.service.start(STORY)
    monkeypatch.setattr(runs, "START_MS", 0)
    flows.backend.service.sweep()
    assert open_starts(flows) == 1  # it may be on its way
    monkeypatch.setattr(runs, "FORGET_START_MS", 0)
    flows.until(lambda: open_starts(flows) == 0)
    assert flows.backend.history.page() == []
