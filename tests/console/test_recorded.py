"""
Everything a server may show, odd things included: every execution in the golden runs, which a real Conductor recorded, and statuses and types nobody knows.

They are put in the place of the server's answers, so that the console meets them as it would meet any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from conftest import Stage

RECORDED = Path(__file__).parents[1] / "compat" / "golden" / "recorded"
ID = "0198c1de-0000-7000-8000-000000000000"
T0 = 1_760_000_000_000
NODE_TYPES = [
    "SIMPLE", "DYNAMIC", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "DECISION", "SWITCH", "JOIN", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW", "EVENT", "WAIT",
    "HUMAN", "USER_DEFINED", "HTTP", "LAMBDA", "INLINE", "EXCLUSIVE_JOIN", "TERMINATE", "KAFKA_PUBLISH", "JSON_JQ_TRANSFORM", "SET_VARIABLE", "NOOP",
    "LLM_CHAT_COMPLETE", "A_TYPE_OF_TOMORROW",
]  # fmt: skip
STATUSES = [
    "SCHEDULED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED", "FAILED", "TIMED_OUT", "FAILED_WITH_TERMINAL_ERROR", "CANCELED",
    "A_STATUS_OF_TOMORROW", "", "constructor", "__proto__",
]  # fmt: skip
WORDS = {"SCHEDULED": "Scheduled", "COMPLETED_WITH_ERRORS": "Completed with errors", "A_STATUS_OF_TOMORROW": "A_STATUS_OF_TOMORROW", "": "no status"}


def executions(found: Any) -> Iterator[dict[str, Any]]:
    """Whatever looks like an execution with tasks, wherever it stands."""
    if isinstance(found, dict):
        if isinstance(found.get("tasks"), list) and "status" in found and any(isinstance(task, dict) and "taskId" in task for task in found["tasks"]):
            yield found
        for member in found.values():
            yield from executions(member)
    elif isinstance(found, list):
        for member in found:
            yield from executions(member)


def timeline(workflow: dict[str, Any]) -> dict[str, Any]:
    """Its tasks in columns, as wire/timeline.py makes them."""
    tasks = [task for task in workflow["tasks"] if isinstance(task, dict)]
    words: list[str] = [""]

    def word(task: dict[str, Any], key: str) -> int:
        text = str(task.get(key) or "")
        if text not in words:
            words.append(text)
        return words.index(text)

    def number(task: dict[str, Any], key: str, default: int) -> int:
        return task[key] if isinstance(task.get(key), int) else default

    shown: dict[str, Any] = {
        "workflowId": ID, "status": workflow["status"], "revision": 1, "createTime": T0, "updateTime": T0 + 100, "endTime": T0 + 100, "wakeAt": 0,
        "at": T0 + 200, "total": len(tasks), "whole": True, "n": list(range(len(tasks))),
    }  # fmt: skip
    texts = {
        "ref": "referenceTaskName", "base": "referenceTaskName", "type": "taskType", "name": "taskDefName", "statusOf": "status", "worker": "workerId",
        "loop": "", "fork": "", "queue": "taskDefName",
    }  # fmt: skip
    shown |= {column: [word(task, key) for task in tasks] for column, key in texts.items()}
    numbers = {"seq": "seq", "attempt": "retryCount", "iteration": "iteration", "polls": "pollCount"}
    shown |= {column: [number(task, key, 0) for task in tasks] for column, key in numbers.items()}
    instants = {"scheduled": "scheduledTime", "started": "startTime", "ended": "endTime", "updated": "updateTime"}
    shown |= {column: [index if task.get(key) else -1 for index, task in enumerate(tasks)] for column, key in instants.items()}
    shown |= {"retried": [int(bool(task.get("retried"))) for task in tasks], "words": words, "due": {}, "until": {}}
    maps = {"ids": "taskId", "retryOf": "retriedTaskId", "reasons": "reasonForIncompletion", "children": "subWorkflowId"}
    return shown | {column: {str(n): str(task[key]) for n, task in enumerate(tasks) if task.get(key)} for column, key in maps.items()}


def serve(page: Any, workflow: dict[str, Any]) -> None:
    """Let the console meet this execution under ID."""
    view = {
        "workflowName": "recorded", "workflowVersion": 1, "createTime": T0, "updateTime": T0, "endTime": T0 + 100, "input": {}, "output": {}, "variables": {},
        "priority": 0, "taskToDomain": {}, "failedReferenceTaskNames": [], "workflowDefinition": {"name": "recorded", "tasks": []}, "lastRetriedTime": 0,
        **{key: value for key, value in workflow.items() if not (isinstance(value, str) and value.startswith("<"))}, "workflowId": ID, "tasks": [],
    }  # fmt: skip
    if not isinstance(view["workflowDefinition"], dict):
        view["workflowDefinition"] = {}
    sizes, origin = {"input": 3, "output": 3, "variables": 3}, {"schedule": "", "scheduledAt": 0, "failureOf": ""}
    shown = {"workflow": view, "revision": 1, "wakeAt": 0, "sizes": sizes, "withheld": [], "origin": origin, "failureWorkflow": ""}
    by_id = {str(task.get("taskId")): task for task in workflow["tasks"] if isinstance(task, dict)}

    def answer(route: Any) -> None:
        path = route.request.url.partition("/api/console/")[2].partition("?")[0]
        if path == f"executions/{ID}":
            route.fulfill(json=shown)
        elif path == f"executions/{ID}/timeline":
            route.fulfill(json=timeline(workflow))
        else:
            task = by_id.get(unquote(path.removeprefix("tasks/")), {})
            route.fulfill(json={"task": task, "sizes": {"input": 3, "output": 3}, "withheld": []})

    page.goto("about:blank")  # the last one asks no more
    page.unroute("**/api/console/executions/**")
    page.unroute("**/api/console/tasks/**")
    page.route("**/api/console/executions/**", answer)
    page.route("**/api/console/tasks/**", answer)


def test_every_execution_that_conductor_recorded_is_shown(page: Any, look: Any, stage: Stage) -> None:
    page.route("**/api/tasks/**", lambda route: route.fulfill(status=204))
    seen = 0
    for file in sorted(RECORDED.glob("*/*.json")):
        found = list(executions(json.loads(file.read_text())))
        for workflow in found[:1] + found[-1:] if len(found) > 1 else found:
            serve(page, workflow)
            page.goto(f"{stage.url}/execution/{ID}")
            refs = [str(task["referenceTaskName"]) for task in workflow["tasks"] if isinstance(task, dict)]
            page.get_by_role("list", name="Tasks in time").get_by_role("button", name=re.compile(f"^{re.escape(refs[0])}$")).first.wait_for()
            assert not look.complaints, (file, look.complaints)
            seen += 1
    assert seen > 50


def test_every_status_and_type_is_shown_also_those_of_tomorrow(page: Any, stage: Stage) -> None:
    tasks = [
        {
            "taskId": f"t{s}-{n}", "referenceTaskName": f"{kind}_{s}", "taskType": kind, "taskDefName": kind, "status": status, "seq": 1, "scheduledTime": 1,
            "startTime": 1,
        }
        for s, status in enumerate(STATUSES)
        for n, kind in enumerate(NODE_TYPES)
    ]  # fmt: skip
    serve(page, {"status": "A_STATUS_OF_TOMORROW", "tasks": tasks})
    page.goto(f"{stage.url}/execution/{ID}?view=tasks")
    page.locator("header").get_by_text("A_STATUS_OF_TOMORROW").wait_for()
    for s, status in enumerate(STATUSES):
        serve(page, {"status": "RUNNING", "tasks": [task for task in tasks if task["referenceTaskName"].endswith(f"_{s}")]})
        for view in ("", "?view=events", "?view=tasks"):
            page.goto(f"{stage.url}/execution/{ID}{view}")
            page.get_by_role("tab", selected=True).wait_for()
            page.get_by_text(f"SIMPLE_{s}", exact=True).first.wait_for()
        if status in WORDS:
            page.get_by_role("table").get_by_text(WORDS[status]).first.wait_for(state="attached")
