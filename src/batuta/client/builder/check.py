"""
What is wrong with a finished definition that a server would refuse, or would silently read as null.

Here: references that lead nowhere. Not here: what one task alone shows, which its constructor refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from batuta.client.builder.expr import DefinitionError

# Names that a server replaces without a path.
_CONSTANTS = frozenset({"CPEWF_TASK_ID", "NETFLIX_ENV", "NETFLIX_STACK"})
# The parts of a task in which expressions are evaluated; scripts of switches and loops are not among them.
_EVALUATED = ("inputParameters", "subWorkflowParam", "sink", "items")
_EXPRESSION = re.compile(r"(?<!\$)\$\{([^${}]*)")
_WORKFLOW_INPUT = re.compile(r"workflow\.input\.([A-Za-z_][A-Za-z0-9_]*)|workflow\.input\['([^']*)'\]")


def check_references(definition: Mapping[str, Any], inputs: Iterable[str] | None) -> None:
    """
    Nothing, if references are unique and every expression of *definition* names a task of it, or the workflow.

    With *inputs* given, ``workflow.input.NAME`` must name one of them.

    Raises:
        DefinitionError: the first that does not.
    """
    tasks = list(every_task(definition["tasks"]))
    refs: set[str] = set()
    for task in tasks:
        if task["taskReferenceName"] in refs:
            raise DefinitionError(f"two tasks have the reference {task['taskReferenceName']!r}; give one another ref")
        refs.add(task["taskReferenceName"])
    known_inputs = None if inputs is None else set(inputs)
    for task in tasks:
        place = f"task {task['taskReferenceName']!r}"
        for field in _EVALUATED:
            _check(task.get(field), f"{place}, {field}", refs, known_inputs)
        for field in ("joinOn", "defaultExclusiveJoinTask"):
            for ref in task.get(field, ()):
                if ref not in refs:
                    raise DefinitionError(f"{place}, {field}: there is no task {ref!r}; found {_some(refs)}")
    _check(definition.get("outputParameters"), "the workflow's output", refs, known_inputs)


def every_task(tasks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All tasks of a definition's JSON, those in branches and loops included."""
    for task in tasks:
        yield task
        branches = [*task.get("decisionCases", {}).values(), task.get("defaultCase", []), *task.get("forkTasks", []), task.get("loopOver", [])]
        for branch in branches:
            yield from every_task(branch)


def _check(value: Any, place: str, refs: set[str], inputs: set[str] | None) -> None:
    match value:
        case str():
            for match in _EXPRESSION.finditer(value):
                _check_path(match[1], place, refs, inputs)
        case Mapping():
            for key, item in value.items():
                if key != "workflowDefinition":  # an embedded workflow has references of its own
                    _check(item, f"{place}.{key}", refs, inputs)
        case list():
            for index, item in enumerate(value):
                _check(item, f"{place}[{index}]", refs, inputs)


def _check_path(path: str, place: str, refs: set[str], inputs: set[str] | None) -> None:
    path = path.removeprefix("$.")
    head = re.split(r"[.\[]", path, maxsplit=1)[0]
    if not head or head in _CONSTANTS or head in refs:
        return
    if head != "workflow":
        raise DefinitionError(f"{place}: ${{{path}}} names no task of this workflow; found {_some(refs)}, or 'workflow'")
    if inputs is not None and (match := _WORKFLOW_INPUT.match(path)):
        name = match[1] or match[2]
        if name not in inputs:
            raise DefinitionError(f"{place}: ${{{path}}} names no declared input; found {_some(inputs)}")


def _some(names: set[str]) -> str:
    shown = sorted(names)[:20]
    return ", ".join(map(repr, shown)) + (" …" if len(names) > len(shown) else "") if shown else "none"
