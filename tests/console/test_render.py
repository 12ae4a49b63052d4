"""
Everything a server may show, odd things included: every execution in the golden runs, which a real Conductor recorded, statuses and types nobody knows,
and shapes nobody expects. Each is shown in the six views, beside another one, and in lists; nothing throws, and its status is told.

They are put in the place of the server's answers, so that the console meets them as it would meet any. The console is loaded once and goes from one to the
next by itself, as for somebody who follows links.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from lookkit import Look, Stage

RECORDED = Path(__file__).parents[1] / "compat" / "golden" / "recorded"
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
WORDS = {
    "SCHEDULED": "Scheduled", "IN_PROGRESS": "In progress", "RUNNING": "Running", "COMPLETED": "Completed", "COMPLETED_WITH_ERRORS": "Completed with errors",
    "FAILED": "Failed", "FAILED_WITH_TERMINAL_ERROR": "Failed for good", "TIMED_OUT": "Timed out", "TERMINATED": "Terminated", "CANCELED": "Cancelled",
    "PAUSED": "Paused", "SKIPPED": "Skipped", "": "no status",
}  # fmt: skip; a status nobody knows is its own word


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


def id_of(n: int) -> str:
    return f"0198c1de-0000-7000-8000-{n:012x}"


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
        "workflowId": "", "status": workflow["status"], "revision": 1, "createTime": T0, "updateTime": T0 + 100, "endTime": T0 + 100, "wakeAt": 0,
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


class Theatre:
    """A page whose server has these executions, and the way through their views."""

    def __init__(self, look: Look, stage: Stage, cast: list[dict[str, Any]]) -> None:
        self.look, self.page, self.stage, self.cast = look, look.page, stage, cast
        self.withheld: list[str] = []
        self.page.route("**/api/**", self._answer)
        self.page.goto(f"{stage.url}/server")
        self.page.get_by_role("heading", name="Health").wait_for()

    def _answer(self, route: Any) -> None:
        path = route.request.url.partition("/api/")[2].partition("?")[0]
        found = re.match(r"console/executions/0198c1de-0000-7000-8000-([0-9a-f]{12})(/timeline)?$", path)
        if found:
            n = int(found[1], 16)
            route.fulfill(json={**timeline(self.cast[n]), "workflowId": id_of(n)} if found[2] else self.execution(n))
        elif path.startswith("console/tasks/"):
            wanted = unquote(path.removeprefix("console/tasks/"))
            task = next((task for one in self.cast for task in one["tasks"] if isinstance(task, dict) and str(task.get("taskId")) == wanted), {})
            route.fulfill(json={"task": task, "sizes": {"input": 3, "output": 3}, "withheld": []})
        elif path.endswith("/log"):
            route.fulfill(status=204)
        elif path == "workflow/search":
            route.fulfill(json={"totalHits": len(self.cast), "results": [self.summary(n) for n in range(len(self.cast))]})
        else:
            route.continue_()

    def execution(self, n: int) -> dict[str, Any]:
        """As /api/console/executions tells it; what the recordings left out (<id>, <time>) as the server would fill it."""
        given = {key: value for key, value in self.cast[n].items() if not (isinstance(value, str) and re.fullmatch("<.*>", value))}
        view = {
            "workflowName": "recorded", "workflowVersion": 1, "createTime": T0, "updateTime": T0, "endTime": T0 + 100, "input": {}, "output": {},
            "variables": {}, "priority": 0, "taskToDomain": {}, "failedReferenceTaskNames": [], "workflowDefinition": {"name": "recorded", "tasks": []},
            "lastRetriedTime": 0, **given, "workflowId": id_of(n), "tasks": [],
        }  # fmt: skip
        if not isinstance(view["workflowDefinition"], dict):
            view["workflowDefinition"] = {}
        return {
            "workflow": view, "revision": 1, "wakeAt": 0, "sizes": {"input": 3, "output": 3, "variables": 3}, "withheld": self.withheld,
            "origin": {"schedule": "", "scheduledAt": 0, "failureOf": ""}, "failureWorkflow": "",
        }  # fmt: skip

    def summary(self, n: int) -> dict[str, Any]:
        """As searches tell it."""
        one = self.cast[n]
        told = {"workflowType": "recorded", "version": 1, "startTime": "2026-01-01T00:00:00.000Z", **one.get("summary", {})}
        return told | {"workflowId": id_of(n), "status": one["status"]}

    def visit(self, steps: list[tuple[str, str, str]]) -> None:
        """Go to each address; wait until there is something of this selector that says this text."""
        missed = self.page.evaluate(WALK, steps)
        assert missed is None, f"{missed}; {self.look.complaints}"
        assert not self.look.complaints, (steps, self.look.complaints)

    def show(self, n: int) -> None:
        """One execution in every view, and beside the one before it."""
        one, here = self.cast[n], f"/execution/{id_of(n)}"
        status = WORDS.get(one["status"], one["status"])
        refs = [str(task.get("referenceTaskName") or "") for task in one["tasks"] if isinstance(task, dict)]
        row = refs[0] if refs else ""
        self.visit(
            [
                (here, "main header", status),
                (here, '[aria-label="Tasks in time"] [role=listitem]' if refs else "main", row),
                (f"{here}?view=graph", ".react-flow__node, [role=table], [role=tabpanel] h2", ""),
                (f"{here}?view=tasks", "[role=tabpanel] [role=table] [role=row]" if refs else "[role=tabpanel]", ""),
                (f"{here}?view=data", "[role=tabpanel] h3", "Variables"),
                (f"{here}?view=definition", "[role=tabpanel] [role=tree], [role=tabpanel]", ""),
                (f"{here}?view=events", "[role=tabpanel] [role=table]", "started"),
                (f"/compare?a={id_of(n)}&b={id_of(max(n - 1, 0))}", '[aria-label="Execution B"]', ""),
                (f"/compare?a={id_of(n)}&b={id_of(max(n - 1, 0))}", '[aria-label="Execution A"]', status),
            ]
        )


# Goes through addresses as links do, each as soon as the one before shows what it should; null, or where it stopped.
WALK = """async steps => {
    const seen = (selector, text) => [...document.querySelectorAll(selector)].some(one => one.textContent.includes(text));
    for (const [address, selector, text] of steps) {
        history.pushState(null, "", address);
        dispatchEvent(new PopStateEvent("popstate"));
        const limit = performance.now() + 10000;
        while (!seen(selector, text)) {
            const main = document.querySelector("main")?.innerText.slice(0, 600);
            if (performance.now() > limit) return `${address}: no ${selector} with ${JSON.stringify(text)} in ${main}`;
            await new Promise(requestAnimationFrame);
        }
    }
    return null;
}"""


def recordings() -> list[dict[str, Any]]:
    return [one for file in sorted(RECORDED.glob("*/*.json")) for one in executions(json.loads(file.read_text()))]


def test_every_execution_that_conductor_recorded_is_shown_in_every_view(look: Look, stage: Stage) -> None:
    theatre = Theatre(look, stage, recordings())
    assert len(theatre.cast) > 100
    for n in range(len(theatre.cast)):
        theatre.show(n)


def of(ref: str, kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "taskId": f"id-{ref}", "referenceTaskName": ref, "taskType": kind, "taskDefName": kind, "status": status, "seq": 1, "scheduledTime": 1, "startTime": 1,
        **more,
    }  # fmt: skip


def test_every_status_and_type_is_shown_also_those_of_tomorrow(look: Look, stage: Stage) -> None:
    cast = []
    for s, status in enumerate(STATUSES):
        tasks = [of(f"{kind}_{s}", kind, status, seq=n + 1) for n, kind in enumerate(NODE_TYPES)]
        nodes = [{"name": kind, "taskReferenceName": f"{kind}_{s}", "type": kind} for kind in NODE_TYPES]
        cast.append({"status": status, "tasks": tasks, "workflowDefinition": {"name": "all", "tasks": nodes}})
    cast += [{"status": status, "tasks": [of("a", "SIMPLE", "COMPLETED")]} for status in ("RUNNING", "PAUSED", "TERMINATED")]
    theatre = Theatre(look, stage, cast)
    for n, one in enumerate(cast):
        theatre.show(n)
        here, word = f"/execution/{id_of(n)}", WORDS.get(one["tasks"][0]["status"], one["tasks"][0]["status"])
        theatre.visit([(f"{here}?view=tasks", "[role=tabpanel] [role=row] [role=cell]", word)])
        theatre.visit([(f"{here}/{task['taskId']}", "[role=complementary] h2, aside h2", task["referenceTaskName"]) for task in one["tasks"]])


def nested(depth: int) -> Any:
    value: Any = "the innermost"
    for n in range(depth):
        value = {"in": value} if n % 2 else [value]
    return value


LARGE = {f"key {n}": ["x" * 100] * 10 for n in range(1200)}  # 1.2 MiB
# fmt: off
ODD: dict[str, dict[str, Any]] = {
    "no tasks": {"tasks": []},
    "no definition": {"workflowDefinition": None},
    "a definition of nothing": {"workflowDefinition": {}},
    "a definition of other things": {
        "workflowDefinition": {"name": None, "version": "x", "tasks": [None, 1, "a", {}, {"type": 5}, {"taskReferenceName": None}]}
    },
    "branches that are no lists": {
        "workflowDefinition": {
            "tasks": [
                {"taskReferenceName": "s", "type": "SWITCH", "decisionCases": {"a": None, "b": {}, "c": [None]}, "defaultCase": 1},
                {"taskReferenceName": "f", "type": "FORK_JOIN", "forkTasks": [None, {}, [None], [[]]]},
                {"taskReferenceName": "d", "type": "DO_WHILE", "loopOver": {"a": 1}},
                {"taskReferenceName": "j", "type": "JOIN", "joinOn": "x"},
            ]
        }
    },
    "payloads of nothing": {"input": None, "output": None, "variables": None},
    "payloads that are no objects": {"input": [1, 2], "output": "text", "variables": 5},
    "gigantic numbers": {"input": {"a": 2**64, "b": -(2**200), "c": 1e308, "d": 5e-324, "e": 0.1 + 0.2, "f": -0.0}, "priority": 2**53},
    "times of nowhere": {"createTime": 0, "endTime": -1, "updateTime": 2**53, "lastRetriedTime": 8_640_000_000_000_001},
    "an end before the beginning": {"createTime": T0, "endTime": T0 - 10_000_000},
    "the end of time": {"createTime": 253_402_300_799_999, "endTime": 2**62},
    "a mebibyte": {"input": LARGE, "output": {"text": "y" * 2**20}},
    "a thousand levels": {"input": nested(900), "output": {"lists": nested(400)}},
    "keys that are odd": {"input": {"": 1, "__proto__": {"a": 1}, "constructor": 2, "a.b[0]": 3, "\U0001f600": 4, "\u202e": 5, " ": 6, "x" * 5000: 7}},
    "texts that are odd": {
        "reasonForIncompletion": "line\n" * 2000, "correlationId": "c" * 4000, "workflowName": "n" * 2000, "failedReferenceTaskNames": ["a"] * 900,
    },
    "nothing said": {"workflowName": "", "correlationId": None, "reasonForIncompletion": None, "failedReferenceTaskNames": [], "taskToDomain": None},
    "many attempts": {"tasks": [of("again", "SIMPLE", "FAILED", taskId=f"t{n}", seq=n, retryCount=n, retried=n < 299) for n in range(300)]},
    "tasks without names": {"tasks": [of("", "", "", taskId="t1"), of("x", "", "COMPLETED", taskId="t2", seq=2)]},
    "a turn of no loop": {"tasks": [of("a__7", "SIMPLE", "COMPLETED", iteration=7), of("a__9__2", "SIMPLE", "FAILED", iteration=9, seq=2)]},
    "one reference twice": {"workflowDefinition": {"tasks": [{"name": "a", "taskReferenceName": "a", "type": "SIMPLE"}] * 3}},
    "a child that is not there": {"tasks": [of("sub", "SUB_WORKFLOW", "FAILED", subWorkflowId="none")]},
    "a very long reference": {"tasks": [of("r" * 3000, "SIMPLE", "COMPLETED", taskId="t1")]},
    "negative counts": {"tasks": [of("a", "SIMPLE", "COMPLETED", seq=-5, retryCount=-1, pollCount=-1, iteration=-3)]},
}
# fmt: on


@pytest.mark.parametrize("name", ODD)
def test_an_odd_shape_is_shown_all_the_same(look: Look, stage: Stage, name: str) -> None:
    given = {"status": "FAILED", "tasks": [of("a", "SIMPLE", "FAILED", reasonForIncompletion="why")], **ODD[name]}
    theatre = Theatre(look, stage, [given, {**given, "status": "ODD_STATUS"}])
    theatre.show(0)
    theatre.show(1)


def test_a_payload_above_a_mebibyte_is_loaded_when_asked_for(look: Look, stage: Stage) -> None:
    theatre = Theatre(look, stage, [{"status": "FAILED", "tasks": [of("a", "SIMPLE", "FAILED")], "input": {}}])
    theatre.withheld = ["input", "output", "variables"]
    theatre.show(0)


SUMMARIES: list[dict[str, Any]] = [
    {},
    {"workflowType": None, "version": None, "startTime": None, "endTime": None, "correlationId": None, "reasonForIncompletion": None},
    {"workflowType": "", "startTime": "", "endTime": "not a time", "executionTime": -1},
    {"startTime": "9999-12-31T23:59:59.999Z", "endTime": "0000-00-00", "executionTime": 2**62, "priority": 2**53},
    {"failedReferenceTaskNames": "a, b", "reasonForIncompletion": "r" * 10_000, "correlationId": "c" * 4000, "input": "x" * 4000},
    {"startTime": 1_760_000_000_000, "version": "x", "failedReferenceTaskNames": None},
]


def test_lists_show_odd_rows_and_unknown_statuses(look: Look, stage: Stage) -> None:
    cast = [{"status": status, "tasks": [], "summary": SUMMARIES[n % len(SUMMARIES)]} for n, status in enumerate([*STATUSES, *WORDS])]
    theatre = Theatre(look, stage, cast)
    theatre.visit([("/executions", "[role=table] [role=row]", WORDS.get(one["status"], one["status"])) for one in cast])
