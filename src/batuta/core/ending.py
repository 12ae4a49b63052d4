"""
Ending: how an execution ends, by itself or because somebody says so. Its output, what else ends with it, and who is told.

Not here: when it does (decide.py, lifecycle.py), how an ended one lives again (revival.py).
Source: conductor-semantics.md §1.2–§1.4.
"""

from __future__ import annotations

from collections.abc import Callable

from batuta.core import oversize, retry
from batuta.core.model.decision import StartExecution, TellParent
from batuta.core.model.execution import OUTPUT, Execution
from batuta.core.model.ids import follower_id
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import PAYLOAD_BYTES_MAX, Json, Task
from batuta.core.nodes import speaker, terminate
from batuta.core.turn import Stop, Turn


def try_step(turn: Turn, step: Callable[..., None]) -> None:
    """Do the step; a definition that cannot go on fails the execution."""
    try:
        step()
    except Stop as stop:
        finish(turn, WorkflowStatus.FAILED, str(stop), fires=True)


def failure_reason(task: Task) -> str:
    """What an execution says of a task that ends it."""
    return f"Task {task.id} failed with status: {retry.FAILED_AS.get(task.status, 'FAILED')} and reason: '{task.reason}'"


def complete(turn: Turn) -> None:
    """Nothing is open and nothing follows: COMPLETED, or FAILED when a permissive task has failed."""
    x = turn.x
    failed = [t for t in x.by_ref.values() if not t.status.is_successful and not t.retried and x.node_of(t).permissive]
    if failed:
        reasons = ". ".join(failure_reason(t) for t in sorted(failed, key=lambda t: t.seq))
        finish(turn, WorkflowStatus.FAILED, reasons, task=failed[-1], fires=True)
        return
    finish(turn, WorkflowStatus.COMPLETED, x.head.reason)


def stopped_by(turn: Turn, task: Task) -> None:
    """A TERMINATE has ended: the execution ends as it says, or FAILED when a permissive task has failed."""
    status, reason, output = terminate.verdict(task)
    x = turn.x
    failed = [t for t in x.by_ref.values() if t.status is TaskStatus.FAILED and not t.retried and x.node_of(t).permissive]
    if failed:
        finish(turn, WorkflowStatus.FAILED, ". ".join(map(failure_reason, failed)), task=failed[-1], output=output, fires=True)
        return
    ended_badly = status is not WorkflowStatus.COMPLETED
    finish(turn, status, reason, task=task if ended_badly else None, output=output, fires=ended_badly)


def finish(turn: Turn, status: WorkflowStatus, reason: str | None, *, task: Task | None = None, output: Json | None = None, fires: bool = False) -> None:
    """
    The execution ends: output computed, open tasks cancelled (and their children told), parent told, failure workflow started.

    *fires*: the engine itself ends it, so a failure workflow is due; the operator's terminate starts none.
    """
    x, h, now = turn.x, turn.x.head, turn.now
    h.output = _output(turn) if output is None else output
    if (said := _unfit(x)) is not None and status is WorkflowStatus.COMPLETED:
        status, reason, fires = WorkflowStatus.FAILED, said, True
    h.previous_status, h.status = h.status, status
    h.reason = reason
    h.ended_at, h.held, h.queued_at = now, None, 0
    if task is not None:
        h.failed_task_id = task.id
    lost = (TaskStatus.FAILED, TaskStatus.FAILED_WITH_TERMINAL_ERROR)
    if failed := [t for t in x.tasks.values() if t.status in lost]:
        failed.sort(key=lambda t: (t.seq, t.n))
        h.failed_refs = list(dict.fromkeys([*h.failed_refs, *(t.ref for t in failed)]))
        h.failed_names = list(dict.fromkeys([*h.failed_names, *(t.def_name for t in failed)]))
    _cancel_open(turn, reason)
    if x.inbox:
        x.take(len(x.inbox))  # nobody will read them
    turn.ready.clear()
    turn.ended = turn.stamps = True
    if fires and status is not WorkflowStatus.COMPLETED:
        _start_failure_workflow(turn)
    x.touch_head(OUTPUT)
    if h.parent_id:
        turn.send(TellParent(h.parent_id, h.parent_task_id, h.id, str(status), h.output, h.reason))


def _unfit(x: Execution) -> str | None:
    """Why the execution may not complete with its output: it breaks the contract, or is larger than any payload may be, and then it is emptied."""
    h, contract = x.head, x.definition.output_contract
    if (size := oversize.size_of(h.output)) > PAYLOAD_BYTES_MAX:
        h.output = {}
        return oversize.of_workflow(h, size)
    return None if contract is None else contract.misfit(h.output, x.definition.masked)


def _cancel_open(turn: Turn, reason: str | None) -> None:
    x = turn.x
    if x.open_count == 0:
        return
    for task in x.ordered():
        if task.status.is_terminal:
            continue
        turn.move(task, TaskStatus.CANCELED)
        hook = getattr(speaker(task.type), "cancel", None)
        if hook is not None:
            hook(turn, task, reason)


def _output(turn: Turn) -> Json:
    """The definition's outputParameters, or else the last task's output."""
    x = turn.x
    if x.definition.output is not None:
        out: Json = x.definition.output.evaluate(turn.view())
        return out
    stopper = next((t for t in x.tasks.values() if t.type == "TERMINATE" and t.status is TaskStatus.COMPLETED), None)
    if stopper is not None:
        return stopper.output
    last = max(x.tasks.values(), key=lambda t: (t.seq, t.n), default=None)
    return {} if last is None else x.output_of(last)


def _start_failure_workflow(turn: Turn) -> None:
    x, h = turn.x, turn.x.head
    raw = x.definition.raw
    name = raw.get("failureWorkflow")
    if not isinstance(name, str) or not name:
        return
    if name.startswith("$"):
        parts = name.split(".")
        named = h.input.get(parts[2]) if len(parts) > 2 else None
        if not isinstance(named, str):
            return
        name = named
    version = raw.get("failureWorkflowVersion") or 0
    if turn.tools.definition(name, version) is None:
        said = f"Error workflow {name} failed to start.  reason: No such workflow defined. name={name}, version={version or 'null'}"
        h.output = {**h.output, "conductor.failure_workflow": said}
        return
    started = follower_id("failure", h.id, h.tasks_made)
    h.output = {**h.output, "conductor.failure_workflow": started}
    given = {**h.input, "workflowId": h.id, "reason": h.reason, "failureStatus": str(h.status)}
    if h.failed_task_id:
        given["failureTaskId"] = h.failed_task_id
    given["failedWorkflow"] = turn.tools.shown(x)
    turn.send(
        StartExecution(
            id=started, name=name, version=version, input=given, correlation_id=h.correlation_id, task_to_domain=h.task_to_domain, secrets=sorted(x.secrets)
        )
    )
