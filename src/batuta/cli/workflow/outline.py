"""
The shape of an execution: which task belongs inside which.

The server lists tasks one after another; here they become a tree again: branches under their fork, turns under their loop, cases under their
switch, earlier attempts beside the last one. Not here: how it looks (view.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = Mapping[str, Any]
_TURN: Final = re.compile(r"__(\d+)$")


@dataclass
class Branch:
    """A place in the execution: its latest attempt, those before it, and the places inside."""

    task: Json
    earlier: list[Json] = field(default_factory=list)
    inside: list[Branch] = field(default_factory=list)

    @property
    def ref(self) -> str:
        return str(self.task.get("referenceTaskName", "?"))


def outline(execution: Json) -> list[Branch]:
    """The tasks of an execution (Conductor's JSON) as a tree, in the order in which they were scheduled."""
    parents = _parents(execution)
    places: dict[str, Branch] = {}
    top: list[Branch] = []
    for task in execution.get("tasks") or ():
        ref = str(task.get("referenceTaskName", "?"))
        if (place := places.get(ref)) is not None:
            place.earlier.append(place.task)
            place.task = task
            continue
        places[ref] = place = Branch(task)
        holder = _holder(ref, parents, places)
        (top if holder is None else holder.inside).append(place)
    return top


def _holder(ref: str, parents: Mapping[str, str], places: Mapping[str, Branch]) -> Branch | None:
    """The place that holds *ref*: in the same turn of a loop if there is one, else the loop itself."""
    turn = _TURN.search(ref)
    parent = parents.get(ref) or parents.get(ref[: turn.start()] if turn else ref)
    if parent is None:
        return None
    return (places.get(parent + turn[0]) if turn else None) or places.get(parent)


def _parents(execution: Json) -> dict[str, str]:
    """For each reference the reference of what holds it, from the definition and from what was forked at run time."""
    found: dict[str, str] = {}
    definition = execution.get("workflowDefinition") or {}
    for holder, child in _nested(definition.get("tasks") or (), ""):
        if holder:
            found[child] = holder
    for task in execution.get("tasks") or ():
        forked = (task.get("inputData") or {}).get("forkedTasks") if task.get("taskType") == "FORK" else None
        for ref in forked or ():
            found[str(ref)] = str(task.get("referenceTaskName"))
    return found


def _nested(tasks: Sequence[Json], holder: str) -> Iterator[tuple[str, str]]:
    for task in tasks:
        ref = str(task.get("taskReferenceName", "?"))
        yield holder, ref
        cases = (task.get("decisionCases") or {}).values()
        for inside in (*(task.get("forkTasks") or ()), *cases, task.get("defaultCase") or (), task.get("loopOver") or ()):
            yield from _nested(inside, ref)
