"""
FORK_JOIN_DYNAMIC: branches made at run time from a list, in each of Conductor's three forms, and their JOIN.

The branches stand in no definition: each row carries its own workflow task. Source: conductor-semantics.md §4.4.
"""

from __future__ import annotations

from typing import Any

from batuta.core.expr.template import literal
from batuta.core.flow import open_node
from batuta.core.model.definition import SYSTEM_TYPES, Node, embed, lone
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.nodes.fork_join import NO_JOIN, joined
from batuta.core.turn import Stop, Turn

# A workflow task as Conductor shows one on which nothing is set.
_BARE: Json = {
    "inputParameters": {}, "type": "SIMPLE", "decisionCases": {}, "defaultCase": [], "forkTasks": [], "startDelay": 0, "joinOn": [], "optional": False,
    "defaultExclusiveJoinTask": [], "asyncComplete": False, "loopOver": [], "onStateChange": {}, "permissive": False, "metadata": {},
}  # fmt: skip
_ELEMENT_FIELDS = ("optional", "startDelay", "permissive", "asyncComplete", "retryCount", "description")


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    fork = turn.draft(node, suffix, kind="FORK", def_name="FORK", status=TaskStatus.COMPLETED)
    given = turn.input_of(node, None)
    fork.started_at = fork.updated_at = turn.now
    branches, overlays = _branches(turn, node, given)
    refs = [b["taskReferenceName"] for b in branches]
    fork.input = {**given, "forkedTasks": refs, "forkedTaskDefs": branches}
    if node.following is None or node.following.type != "JOIN":
        raise Stop(NO_JOIN)
    rows = [fork]
    seen = set()
    for raw in branches:
        ref = raw["taskReferenceName"]
        there = turn.x.by_ref.get(ref + suffix)
        if ref in seen or (there is not None and there.status is not TaskStatus.SCHEDULED):
            raise Stop(f"Dynamic fork {node.ref!r} has a branch {ref!r} whose reference is taken; expected references of their own")
        seen.add(ref)
        made = open_node(turn, _branch_node(turn, node, raw), suffix)
        overlay = overlays.get(ref)
        if overlay is not None:
            if not isinstance(overlay, dict):
                raise Stop(f"Input of the dynamically forked task {ref!r} is not a map -> expecting a map of K,V  but found {overlay}")
            made[0].input = {**made[0].input, **overlay}
        rows += made
    return [*rows, *joined(turn, node, suffix, given=turn.input_of(node.following, None), refs=[r + suffix for r in refs])]


def _branch_node(turn: Turn, fork: Node, raw: Json) -> Node:
    raw = embed(raw, turn.tools.task_definition, turn.tools.schema)
    kind = raw.get("type") or "SIMPLE"
    if kind != "SIMPLE" and kind not in SYSTEM_TYPES and raw.get("taskDefinition") is None and kind != "USER_DEFINED":
        raise Stop(f"Invalid task specified.  Cannot find task by name {raw['name']} in the task definitions")
    branch = lone(raw, fork)
    turn.x.know(branch)
    return branch


def _branches(turn: Turn, node: Node, given: Json) -> tuple[list[Json], Json]:
    """The branches as workflow tasks, and by reference what is laid over their inputs."""
    if isinstance(given.get("forkTaskInputs"), list):
        return _one_over_a_list(turn, node, given), {}
    if (param := node.raw.get("dynamicForkTasksParam")) is not None:
        return _by_lists(node, given, param)
    return _old_form(node, given)


def _by_lists(node: Node, given: Json, param: str) -> tuple[list[Json], Json]:
    listed = given.get(param)
    if not isinstance(listed, list) or not all(isinstance(t, dict) and t.get("taskReferenceName") for t in listed):
        raise Stop(f"Input '{param}' is invalid. Cannot deserialize a list of Workflow Tasks from '{listed}'")
    overlays = given.get(node.raw.get("dynamicForkTasksInputParamName") or "")
    if not isinstance(overlays, dict):
        found = "null" if overlays is None else overlays
        raise Stop(f"Input to the dynamically forked tasks is not a map -> expecting a map of K,V  but found {found}")
    return [_filled(t) for t in listed], overlays


def _old_form(node: Node, given: Json) -> tuple[list[Json], Json]:
    param = node.raw.get("dynamicForkJoinTasksParam")
    found = given.get(param or "")
    listed = found.get("dynamicTasks") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(t, dict) and t.get("referenceName") for t in listed):
        raise Stop(f"Input '{param}' is invalid. Cannot deserialize a list of Workflow Tasks from '{found}'")
    branches = [
        _filled({"name": t.get("taskName") or t["referenceName"], "taskReferenceName": t["referenceName"], "type": t.get("type") or "SIMPLE"}) for t in listed
    ]
    return branches, {t["referenceName"]: t.get("input") or {} for t in listed}


def _one_over_a_list(turn: Turn, node: Node, given: Json) -> list[Json]:
    workflow, kind, name = given.get("forkTaskWorkflow"), given.get("forkTaskType"), given.get("forkTaskName")
    if workflow:
        kind = "SUB_WORKFLOW"
    kind = kind or "SIMPLE"
    if not name:
        name = kind if kind in SYSTEM_TYPES and kind != "SUB_WORKFLOW" else node.ref
    stem = f"_{node.ref}_{name}" if _forked_before(turn) else f"_{name}"
    out = []
    for index, element in enumerate(given["forkTaskInputs"]):
        fields = element if isinstance(element, dict) else {"input": element}
        raw: Json = {"name": workflow or name, "taskReferenceName": f"{stem}_{index}", "type": kind, "inputParameters": {**literal(fields), "__index": index}}
        raw |= {k: fields[k] for k in _ELEMENT_FIELDS if k in fields}
        if node.optional:
            raw["optional"] = True
        if workflow:
            raw["subWorkflowParam"] = _child(workflow, given.get("forkTaskWorkflowVersion"), fields.get("taskToDomain"))
        out.append(_filled(raw))
    return out


def _child(workflow: Any, version: Any, domains: Any) -> Json:
    param: Json = {"name": workflow}
    if version is not None and str(version).isdigit():
        param["version"] = int(version)
    if isinstance(domains, dict):
        param["taskToDomain"] = domains
    return param


def _forked_before(turn: Turn) -> bool:
    nodes = turn.definition.by_ref.values()
    return any(n.type == "FORK_JOIN_DYNAMIC" and n.ref in turn.x.by_base for n in nodes)


def _filled(task: Json) -> Json:
    set_ = {k: v for k, v in task.items() if v is not None}
    return {**_BARE, **set_, "name": set_.get("name") or set_["taskReferenceName"]}
