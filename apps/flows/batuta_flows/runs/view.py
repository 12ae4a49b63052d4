"""
A run as people see it: from an orchestrator's execution to nodes, items and results. Pure.

Conductor's words become the original's, with the ones it lacked beside them (a timed-out or terminated run showed "pending" there for ever). The latest
attempt of a task speaks for it.
Source: flow-builder.md §1, "Correct mapping to implement".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from batuta.client import TERMINAL_STATUSES, Execution, Task
from batuta_flows.compiler.names import ref_of
from batuta_flows.document.flow import Flow, read_flow
from batuta_flows.errors import Malformed
from batuta_flows.runs.items import tasks_of

Json = Any
TASK_WORDS: Final = {
    "SCHEDULED": "pending",
    "IN_PROGRESS": "running",
    "COMPLETED": "completed",
    "COMPLETED_WITH_ERRORS": "completed",
    "FAILED": "failed",
    "FAILED_WITH_TERMINAL_ERROR": "failed",
    "TIMED_OUT": "failed",
    "CANCELED": "cancelled",
    "SKIPPED": "skipped",
}
RUN_WORDS: Final = {
    "RUNNING": "running",
    "PAUSED": "paused",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "TIMED_OUT": "failed",
    "TERMINATED": "cancelled",
}
_ITEM: Final = re.compile(r"(.+)_i(\d+)(?:__\d+)*$")
_STEPS: Final = ("_plan", "_fork", "_join", "_loop", "_wait")  # tasks that are none of the user's


class Item(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One item of a mapped node."""

    index: int
    status: str
    progress: float | None = None
    note: str = ""
    error: str = ""
    cached_from: str = ""
    output: dict[str, Json] | None = None


class NodeStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How a node stands. The original knew `id` and `status` alone."""

    id: str
    status: str
    progress: float | None = None
    note: str = ""
    error: str = ""
    error_code: str = ""
    partial: bool = False
    terminal: bool = False
    timed_out: bool = False
    attempts: int = 0
    started_at: int = 0
    ended_at: int = 0
    provider: str = ""
    cached_from: str = ""
    items: list[Item] = []


class Run(msgspec.Struct, frozen=True):
    """A run: what it is called, how it stands, and its nodes in the flow's order."""

    id: str
    name: str
    status: str
    started_at: int
    ended_at: int
    error: str | None
    nodes: list[NodeStatus]
    results: list[dict[str, Json]]  # as the original shows them
    flow: Flow | None

    @property
    def is_over(self) -> bool:
        return self.ended_at > 0


def run_of(execution: Execution, items: Mapping[str, Execution] | None = None) -> Run:
    """The run that an execution is. *items*: those of its streams' items (items.py)."""
    flow = _flow_of(execution)
    latest: dict[str, Task] = {}
    attempts: dict[str, int] = {}
    told = tasks_of(execution, items or {})
    for task in told.tasks:
        latest[task.ref] = task
        attempts[task.ref] = attempts.get(task.ref, 0) + 1
    named = {ref_of(node.id): (node.id, node.type) for node in flow.nodes} if flow is not None else {}
    ran = set((execution.input or {}).get("nodes") or {})
    expected = told.expected
    nodes = [_node(id, ref, latest, attempts, expected.get(ref)) for ref, (id, _) in named.items() if ref in ran] if named else list(_strange(latest, attempts))
    return Run(
        execution.id,
        (flow.name if flow is not None else "") or execution.workflow_name or "Untitled Workflow",
        RUN_WORDS.get(execution.status, "pending"),
        _instant(execution.json.get("startTime")),
        _instant(execution.json.get("endTime")) if execution.status in TERMINAL_STATUSES else 0,
        execution.reason,
        nodes,
        list(_results(latest, named)),
        flow,
    )


def _flow_of(execution: Execution) -> Flow | None:
    try:
        return read_flow((execution.input or {}).get("flow"))
    except Malformed:
        return None


def _instant(value: Json) -> int:
    return int(value) if isinstance(value, int | float) else 0


# -- nodes ------------------------------------------------------------------------------------------------------------------------


def _node(id: str, ref: str, latest: Mapping[str, Task], attempts: Mapping[str, int], expected: set[int] | None) -> NodeStatus:
    """*expected*: of a node of a stream, the numbers of all its items, also of those that have not begun."""
    begun = list(_items(ref, latest))
    items = sorted([*begun, *(Item(i, "pending") for i in (expected or set()) - {item.index for item in begun})], key=lambda item: item.index)
    own = [task for name, task in latest.items() if belongs(name, ref) and (expected is None or name == ref or _ITEM.match(name))]
    if not own:
        return NodeStatus(id, "pending", items=items)
    last = latest.get(ref)
    speaking = last if last is not None else _speaking(own)
    said, error = _object(speaking, "status"), _object(speaking, "error")
    status = _word(own, last) if last is not None or expected is None else _word_of_items(items)
    return NodeStatus(
        id=id,
        status=status,
        progress=_progress(items, said),
        note=str(said.get("note") or ""),
        error=(speaking.reason or "") if status == "failed" else "",
        error_code=str(error.get("code") or ""),
        partial=speaking.status == "COMPLETED_WITH_ERRORS" or bool(speaking.output.get("itemsFailed")),
        terminal=speaking.status == "FAILED_WITH_TERMINAL_ERROR",
        timed_out=speaking.status == "TIMED_OUT",
        attempts=attempts.get(speaking.ref, 0),
        started_at=min((_instant(t.json.get("startTime")) for t in own if t.json.get("startTime")), default=0),
        ended_at=_instant(speaking.json.get("endTime")) if status not in ("pending", "running") else 0,
        provider=_one(speaking.output.get("provider") or said.get("provider")),
        cached_from=cached if isinstance(cached := speaking.output.get("cachedFrom"), str) else "",  # of items it is a list; each says its own
        items=items,
    )


def _one(value: Json) -> str:
    """A word that a node says once, or all of its items alike; empty when they differ."""
    said = {str(item) for item in (value if isinstance(value, list) else [value]) if item}
    return said.pop() if len(said) == 1 else ""


def belongs(name: str, ref: str) -> bool:
    """Whether the task of this name is one of a node's: its own, an item's, or a step around its items."""
    if name == ref:
        return True
    rest = re.sub(r"(__\d+)+$", "", name.removeprefix(ref)) if name.startswith(ref) else ""
    return rest in _STEPS[:-1] or re.fullmatch(r"_i\d+", rest) is not None


def _speaking(own: list[Task]) -> Task:
    """The task whose state is the node's while its last one is not there: one that failed, else one that runs, else the newest."""
    for words in (("failed",), ("running",), ("pending",)):
        if found := next((task for task in own if TASK_WORDS.get(task.status) in words), None):
            return found
    return own[-1]


def _word(own: list[Task], last: Task | None) -> str:
    if last is not None:
        found = TASK_WORDS.get(last.status, "pending")
        return "running" if found == "pending" and (last.poll_count or last.output.get("status")) else found
    words = {TASK_WORDS.get(task.status, "pending") for task in own}
    for word in ("failed", "cancelled"):
        if word in words and not words & {"running", "pending"}:
            return word
    return "running"


def _word_of_items(items: list[Item]) -> str:
    """How a node of a stream stands, whose items are all that is known of it."""
    words = {item.status for item in items}
    over = next((word for word in ("failed", "cancelled", "completed") if word in words), "pending")
    return "running" if words & {"running"} or (over == "completed" and len(words) > 1) else over


def _items(ref: str, latest: Mapping[str, Task]) -> Iterator[Item]:
    for name, task in latest.items():
        found = _ITEM.match(name)
        if found is None or found[1] != ref:
            continue
        word = TASK_WORDS.get(task.status, "pending")
        said = _object(task, "status")
        yield Item(
            int(found[2]),
            "failed" if task.status == "COMPLETED_WITH_ERRORS" else "running" if word == "pending" and said else word,
            progress=said.get("progress"),
            note=str(said.get("note") or ""),
            error=(task.reason or "") if word in ("failed", "cancelled") or task.status == "COMPLETED_WITH_ERRORS" else "",
            cached_from=str(task.output.get("cachedFrom") or ""),
            output=_plain(task.output) if task.status == "COMPLETED" else None,
        )


def _object(task: Task, name: str) -> dict[str, Json]:
    """What a worker says under this name in its output: `status` while it works, `error` when it failed."""
    found = task.output.get(name)
    return found if isinstance(found, dict) else {}


def _progress(items: list[Item], said: Mapping[str, Json]) -> float | None:
    if not items:
        return said.get("progress")
    return sum(1.0 if item.status in ("completed", "failed") else item.progress or 0.0 for item in items) / len(items)


def _strange(latest: Mapping[str, Task], attempts: Mapping[str, int]) -> Iterator[NodeStatus]:
    """Nodes of an execution that is no flow of ours: one for each task."""
    for ref, task in latest.items():
        yield NodeStatus(str(task.input.get("nodeId") or ref), TASK_WORDS.get(task.status, "pending"), error=task.reason or "", attempts=attempts[ref])


# -- results ----------------------------------------------------------------------------------------------------------------------


def _results(latest: Mapping[str, Task], named: Mapping[str, tuple[str, str]]) -> Iterator[dict[str, Json]]:
    for ref, task in latest.items():
        if named and ref not in named:
            continue
        id, type_name = named.get(ref, (str(task.input.get("nodeId") or ref), str(task.input.get("nodeType") or task.type)))
        word = TASK_WORDS.get(task.status, "pending")
        result: dict[str, Json] = {"nodeId": id, "nodeType": type_name, "success": word == "completed"}
        if word == "completed":
            result["data"] = {"type": type_name, "output": _plain(task.output)}
        elif word == "failed":
            result["error"] = task.reason or "failed"
        if word in ("completed", "failed"):
            yield result


def _plain(output: Mapping[str, Json]) -> dict[str, Json]:
    """An output without what is said of how it came about on the way."""
    return {name: value for name, value in output.items() if name not in ("status", "error")}
