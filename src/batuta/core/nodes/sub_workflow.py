"""
SUB_WORKFLOW: start a child execution and wait for its end.

The child starts in the parent's own commit, its end comes back as an event. Each attempt has a child of its own, whose id follows from the attempt's.
Source: conductor-semantics.md §4.9.
"""

from __future__ import annotations

from typing import Any

from batuta.core.model.decision import StartExecution, TerminateExecution
from batuta.core.model.definition import Node
from batuta.core.model.ids import child_id
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.turn import Stop, Turn

# What a child's end makes of the parent's task.
ENDS = {
    "COMPLETED": TaskStatus.COMPLETED,
    "FAILED": TaskStatus.FAILED,
    "TERMINATED": TaskStatus.CANCELED,
    "TIMED_OUT": TaskStatus.TIMED_OUT,
}


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    param = node.raw.get("subWorkflowParam")
    if not isinstance(param, dict):
        raise Stop(f"Task {node.ref} is missing subWorkflowParams.  Please check the workflow definition.")
    task = turn.draft(node, suffix, kind="SUB_WORKFLOW", def_name=node.name, status=TaskStatus.SCHEDULED)
    said = turn.evaluate({k: param.get(k) for k in ("name", "version", "taskToDomain", "priority", "idempotencyKey", "idempotencyStrategy")})
    definition = param.get("workflowDefinition")
    if isinstance(definition, str):
        definition = turn.evaluate(definition)
    inline = definition if isinstance(definition, dict) else None
    name, version = said["name"], _version(said["version"])
    if inline is None and not version and isinstance(name, str):
        version = (turn.tools.definition(name, 0) or {}).get("version")
    task.input = {
        "subWorkflowName": inline["name"] if inline and inline.get("name") else name,
        "subWorkflowVersion": version,
        "subWorkflowTaskToDomain": said["taskToDomain"],
        "subWorkflowDefinition": inline,
        "priority": said["priority"],
        "idempotencyKey": said["idempotencyKey"],
        "idempotencyStrategy": said["idempotencyStrategy"],
        "workflowInput": turn.input_of(node, None),
    }
    task.start_delay_s = node.start_delay_s
    task.due_at = turn.now + node.start_delay_s * 1000
    return [task]


def begin(turn: Turn, task: Task) -> None:
    given = task.input
    name, version, inline = given.get("subWorkflowName"), given.get("subWorkflowVersion"), given.get("subWorkflowDefinition")
    if inline is None and (not isinstance(name, str) or turn.tools.definition(name, version or 0) is None):
        turn.fail(task, f"No such workflow defined. name={name}, version={version or 'null'}")
        return
    head = turn.x.head
    child_input = given.get("workflowInput") or given
    if inline is not None:
        child_input = {**child_input, "_systemMetadata": {"dynamic": True}}
    machine = task.machine or {}
    again = machine.get("children", 0)
    task.machine = {**machine, "children": again + 1}
    task.sub_execution_id = child_id(head.id, task.id, task.attempt, again)
    domains = given.get("subWorkflowTaskToDomain")
    priority = given.get("priority")
    task.started_at = task.started_at or turn.now
    turn.move(task, TaskStatus.IN_PROGRESS, output={"subWorkflowId": task.sub_execution_id})
    turn.send(
        StartExecution(
            id=task.sub_execution_id,
            name=str(name),
            version=version or 0,
            input=child_input,
            definition=inline,
            correlation_id=head.correlation_id,
            priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else 0,
            task_to_domain=domains if isinstance(domains, dict) else head.task_to_domain,
            parent_id=head.id,
            parent_task_id=task.id,
            secrets=sorted(turn.x.secrets),
        )
    )


def ended(turn: Turn, task: Task, child: str, status: str, output: Json, reason: str | None) -> None:
    """The child has come to its end: so does the task, with the child's output."""
    end = ENDS[status]
    if not end.is_successful:
        reason = f"Sub workflow {task.input.get('subWorkflowName')}.{_shown_version(turn, task)}/{child} failure reason: {reason}"
    turn.move(task, end, output={**task.output, **output}, reason=None if end.is_successful else reason)


def _shown_version(turn: Turn, task: Task) -> Any:
    version = task.input.get("subWorkflowVersion")
    if version:
        return version
    found = task.input.get("subWorkflowDefinition") or turn.tools.definition(task.input["subWorkflowName"], 0) or {}
    return found.get("version", 1)


def cancel(turn: Turn, task: Task, reason: str | None) -> None:
    if task.sub_execution_id:
        said = f"reason: {reason}" if reason else f"status {turn.x.head.status}"
        turn.send(TerminateExecution(task.sub_execution_id, f"Parent workflow has been terminated with {said}"))


def _version(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
