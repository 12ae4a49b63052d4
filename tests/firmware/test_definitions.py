"""The definitions: valid on any Conductor server, complete, and free of the faults of the guides' form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from batuta_firmware import definitions
from batuta_firmware.workers import WORKERS

CORRECTED = definitions.load()
ORIGINAL = definitions.load("original")
BY_NAME = {workflow["name"]: workflow for workflow in CORRECTED.workflows}
NAMES = {"firmware-ci-cd-pipeline", "firmware-build", "firmware-deploy", "firmware-build-failure-handler", "deployment-rollback-handler"}
TASK_FIELDS = {"name", "taskReferenceName", "type", "inputParameters", "decisionCases", "defaultCase", "evaluatorType", "expression", "subWorkflowParam",
               "optional"}  # fmt: skip


def tasks_of(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    def walk(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for task in tasks:
            yield task
            for branch in [*task.get("decisionCases", {}).values(), task.get("defaultCase", [])]:
                yield from walk(branch)

    yield from walk(workflow["tasks"])


ALL = [
    pytest.param(workflow, id=f"{form}-{workflow['name']}")
    for form, loaded in (("corrected", CORRECTED), ("original", ORIGINAL))
    for workflow in loaded.workflows
]
OURS = [pytest.param(workflow, id=workflow["name"]) for workflow in CORRECTED.workflows]


def test_the_five_workflows_are_there() -> None:
    assert BY_NAME.keys() == NAMES


@pytest.mark.parametrize("workflow", ALL)
def test_references_are_unique_and_expressions_name_what_exists(workflow: dict[str, Any]) -> None:
    refs = [task["taskReferenceName"] for task in tasks_of(workflow)]
    assert len(refs) == len(set(refs))
    for expression in re.findall(r"\$\{([^}]*)\}", json.dumps(workflow)):
        assert expression.split(".")[0] in {*refs, "workflow"}, expression


@pytest.mark.parametrize("workflow", ALL)
def test_every_simple_task_has_a_worker(workflow: dict[str, Any]) -> None:
    assert {task["name"] for task in tasks_of(workflow) if task["type"] == "SIMPLE"} <= WORKERS.keys()


@pytest.mark.parametrize("workflow", OURS)
def test_every_simple_task_has_a_task_definition(workflow: dict[str, Any]) -> None:
    assert {task["name"] for task in tasks_of(workflow) if task["type"] == "SIMPLE"} <= {task["name"] for task in CORRECTED.tasks}


@pytest.mark.parametrize("workflow", OURS)
def test_a_workflow_is_bounded_owned_and_says_only_what_the_server_heeds(workflow: dict[str, Any]) -> None:
    assert workflow["timeoutPolicy"] == "TIME_OUT_WF"
    assert workflow["timeoutSeconds"] > 0
    assert workflow["ownerEmail"]
    assert workflow["schemaVersion"] == 2
    for task in tasks_of(workflow):
        assert task.keys() <= TASK_FIELDS, task["taskReferenceName"]


@pytest.mark.parametrize("workflow", OURS)
def test_operators_are_complete(workflow: dict[str, Any]) -> None:
    for task in tasks_of(workflow):
        match task["type"]:
            case "SWITCH":
                assert (task["evaluatorType"], task["expression"] in task["inputParameters"]) == ("value-param", True)
                assert all(task["decisionCases"].values()), "an empty case runs nothing"
            case "SUB_WORKFLOW":
                assert task["subWorkflowParam"]["name"] in NAMES
                assert task["subWorkflowParam"]["version"] == 1
            case "TERMINATE":
                assert task["inputParameters"]["terminationStatus"] == "FAILED"
            case kind:
                assert kind == "SIMPLE"


@pytest.mark.parametrize("workflow", OURS)
def test_no_address_stands_in_a_definition(workflow: dict[str, Any]) -> None:
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|/tmp", json.dumps(workflow))


@pytest.mark.parametrize("workflow", OURS)
def test_failure_workflows_exist_and_read_what_the_server_passes(workflow: dict[str, Any]) -> None:
    failure = workflow.get("failureWorkflow")
    if failure is not None:
        assert failure in NAMES
        assert "${workflow.input.workflowId}" in json.dumps(BY_NAME[failure])


def test_a_wrong_deployment_goes_to_the_rollback_and_a_wrong_build_to_its_handler() -> None:
    assert {name: workflow.get("failureWorkflow") for name, workflow in BY_NAME.items()} == {
        "firmware-ci-cd-pipeline": "firmware-build-failure-handler",
        "firmware-build": "firmware-build-failure-handler",
        "firmware-deploy": "deployment-rollback-handler",
        "deployment-rollback-handler": "firmware-build-failure-handler",
        "firmware-build-failure-handler": None,
    }


def test_a_build_alone_is_the_pipelines_build() -> None:
    alone, pipeline = BY_NAME["firmware-build"]["tasks"], json.loads(json.dumps(BY_NAME["firmware-ci-cd-pipeline"]["tasks"]))
    deploy = pipeline[-1]["decisionCases"]["true"].pop()
    assert deploy["taskReferenceName"] == "deploy"
    assert pipeline == alone


def test_the_longest_deployment_fits_its_workflow_and_the_workflow_the_pipeline() -> None:
    limits = {task["name"]: task for task in CORRECTED.tasks}
    ota, health = limits["deploy_firmware_ota"], limits["device_health_check"]
    waits = sum(min(ota["retryDelaySeconds"] * 2**attempt, ota["maxRetryDelaySeconds"]) for attempt in range(ota["retryCount"]))
    longest = (ota["retryCount"] + 1) * ota["timeoutSeconds"] + waits + (health["retryCount"] + 1) * health["timeoutSeconds"] + 2 * 10
    assert longest < BY_NAME["firmware-deploy"]["timeoutSeconds"] < BY_NAME["firmware-ci-cd-pipeline"]["timeoutSeconds"]


@pytest.mark.parametrize("task", CORRECTED.tasks, ids=lambda task: task["name"])
def test_a_task_definition_is_one_the_server_takes(task: dict[str, Any]) -> None:
    assert 1 <= task["responseTimeoutSeconds"] <= task["timeoutSeconds"]
    assert task["timeoutPolicy"] == "RETRY"
    assert task["retryLogic"] in ("FIXED", "EXPONENTIAL_BACKOFF")
    assert task["ownerEmail"]
    assert all(isinstance(key, str) for key in task["inputKeys"] + task["outputKeys"])


def test_the_original_form_is_what_the_guides_post() -> None:
    pipeline = next(workflow for workflow in ORIGINAL.workflows if workflow["name"] == "firmware-ci-cd-pipeline")
    kinds = {task["taskReferenceName"]: task["type"] for task in tasks_of(pipeline)}
    assert kinds["decision_deploy_or_fail"] == "DECISION"
    assert "192.168.1.104" in json.dumps(pipeline)
    assert all("responseTimeoutSeconds" not in task for task in ORIGINAL.tasks)
    assert pipeline["outputParameters"].keys() == {"build_success", "firmware_path", "deployment_status"}
