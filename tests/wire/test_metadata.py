"""Definitions as Conductor stores them, held to what was recorded from a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batuta.errors import Invalid
from batuta.wire.metadata import (
    classifier_of,
    created_task,
    created_workflow,
    read_task,
    read_tasks,
    read_workflow,
    read_workflows,
    replaced_task,
    replaced_workflow,
)

RECORDED = Path(__file__).parents[1] / "compat" / "golden" / "recorded"
NOW = 1_700_000_000_000


def recorded(scenario: str, step: str) -> dict[str, Any]:
    """The body of a recorded answer, with its instants as <ms>."""
    steps = json.loads((RECORDED / f"{scenario}.json").read_text())
    body: dict[str, Any] = next(s["body"] for s in steps if s["step"] == step)
    return body


def unstamped(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition as recordings show it: instants as <ms>, and without who did it."""
    shown = {k: "<ms>" if v == NOW else v for k, v in definition.items()}
    return {k: v for k, v in shown.items() if k not in ("createdBy", "updatedBy", "ownerApp", "isolationGroupId")}


def test_a_bare_workflow_gets_every_default() -> None:
    sent = {"name": "bare", "tasks": [{"name": "t", "taskReferenceName": "t"}]}
    assert unstamped(created_workflow(read_workflow(sent), NOW)) == recorded("metadata_workflows/defaults_are_filled_in_on_read_back", "read")


def test_a_bare_task_gets_every_default() -> None:
    assert unstamped(created_task(read_task({"name": "bare"}), NOW)) == recorded("metadata_tasks/a_name_is_enough", "read")


@pytest.mark.parametrize(
    "scenario",
    ["metadata_workflows/a_full_definition_comes_back_as_sent", "metadata_workflows/defaults_are_filled_in_on_read_back"],
)
def test_a_stored_workflow_read_again_is_the_same(scenario: str) -> None:
    stored = recorded(scenario, "read") | {"createTime": NOW}
    assert read_workflow(stored) == stored


def test_a_stored_task_read_again_is_the_same() -> None:
    stored = recorded("metadata_tasks/a_full_definition_comes_back_as_sent", "read") | {"createTime": NOW}
    assert read_task(stored) == stored


def task(**fields: Any) -> dict[str, Any]:
    """One task of a workflow, read."""
    read: dict[str, Any] = read_workflow({"tasks": [{"name": "t", "taskReferenceName": "t", **fields}]})["tasks"][0]
    return read


def test_unknown_members_are_dropped_at_every_level() -> None:
    read = read_workflow({"name": "w", "tint": 1, "tasks": [{"colour": 2, "loopOver": [{"shape": 3}]}], "inputSchema": {"taste": 4}})
    text = json.dumps(read)
    assert not any(word in text for word in ("tint", "colour", "shape", "taste"))


def test_the_type_may_come_by_its_alias() -> None:
    assert task(type="SIMPLE", workflowTaskType="WAIT")["type"] == "WAIT"
    assert "workflowTaskType" not in task(workflowTaskType="WAIT")
    with pytest.raises(Invalid, match=r"^tasks\[0\].workflowTaskType is the text 'NOSUCH'; expected one of SIMPLE, "):
        task(workflowTaskType="NOSUCH")


def test_a_type_is_any_word_but_never_null() -> None:
    assert task(type="HOME_MADE")["type"] == "HOME_MADE"
    with pytest.raises(Invalid, match=r"^tasks\[0\].type is null; expected a task type$"):
        task(type=None)


def test_a_child_inside_gives_its_name_and_version() -> None:
    child = {"name": "q", "version": 3, "tasks": []}
    param = task(subWorkflowParam={"name": "n", "version": 9, "workflowDefinition": child})["subWorkflowParam"]
    assert (param["name"], param["version"]) == ("q", 3)
    assert param["workflowDefinition"] == read_workflow(child)
    assert task(subWorkflowParam={"name": "n"})["subWorkflowParam"] == {"name": "n"}


def test_a_child_may_be_an_expression_and_no_other_text() -> None:
    param = {"name": "n", "workflowDefinition": "${workflow.input.d}"}
    assert task(subWorkflowParam=param)["subWorkflowParam"] == param
    with pytest.raises(Invalid, match="workflowDefinition is the text 'x'; expected a workflow definition or an expression"):
        task(subWorkflowParam={"workflowDefinition": "x"})


def test_a_task_definition_inside_is_filled_in_too() -> None:
    assert task(taskDefinition={"name": "x"})["taskDefinition"] == read_task({"name": "x"})


#    timeoutSeconds  responseTimeoutSeconds sent  stored
TIMEOUTS = [
    (0,              None,                        3600),
    (60,             None,                        60),    # Conductor refuses this one
    (3599,           None,                        3599),
    (3600,           None,                        3600),
    (9000,           None,                        3600),
    (60,             30,                          30),
    (60,             3600,                        3600),  # as sent: validation will refuse it
    (-1,             None,                        3600),
]  # fmt: skip


@pytest.mark.parametrize(("timeout", "sent", "stored"), TIMEOUTS)
def test_the_response_timeout_that_is_not_sent_fits_the_timeout(timeout: int, sent: int | None, stored: int) -> None:
    said = {} if sent is None else {"responseTimeoutSeconds": sent}
    assert read_task({"name": "n", "timeoutSeconds": timeout, **said})["responseTimeoutSeconds"] == stored


SENT = {"name": "n", "createTime": 5, "updateTime": 6, "createdBy": "me", "updatedBy": "you", "ownerApp": "app"}
STAMPS = ("ownerApp", "createTime", "updateTime", "createdBy", "updatedBy")


def stamps(definition: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(definition.get(key) for key in STAMPS)


def test_who_sets_which_stamp() -> None:
    workflow, one = read_workflow(SENT), read_task(SENT)
    #                                                         ownerApp createTime updateTime createdBy updatedBy
    assert stamps(created_workflow(workflow, NOW)) == ("app", NOW, 6, "me", "you")
    assert stamps(replaced_workflow(workflow, NOW)) == ("app", 5, NOW, "me", "you")
    assert stamps(created_task(one, NOW)) == ("app", NOW, 0, "", None)
    former = created_task(read_task({"name": "n"}), 7)
    assert stamps(replaced_task(one, former, NOW)) == ("app", 7, NOW, "", "")
    assert list(replaced_task(one, former, NOW))[:5] == list(STAMPS)


#    metadata                                       kind
KINDS: list[tuple[dict[str, Any], str]] = [
    ({},                                            "workflow"),
    ({"classifier": "Agent"},                       "Agent"),
    ({"classifier": 5, "agent_sdk": "python"},      "agent"),
    ({"agentDef": {}},                              "agent"),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "kind"), KINDS)
def test_what_kind_a_workflow_is(metadata: dict[str, Any], kind: str) -> None:
    assert classifier_of(read_workflow({"metadata": metadata})) == kind


def test_lists_name_the_member_that_cannot_be_meant() -> None:
    with pytest.raises(Invalid, match=r"^\[1\]\.tasks\[0\]\.startDelay is the text 'soon'; expected a whole number$"):
        read_workflows([{}, {"tasks": [{"startDelay": "soon"}]}])
    with pytest.raises(Invalid, match=r"^\[0\] is null; expected an object$"):
        read_tasks([None])
    with pytest.raises(Invalid, match=r"^the body is an object; expected a list$"):
        read_workflows({})
