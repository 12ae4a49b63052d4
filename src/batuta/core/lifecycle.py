"""
Lifecycle: the operator's verbs that end, hold or steer an execution, and what all verbs share.

Each verb changes the execution in place and answers like `decide`; one that the state forbids raises and changes nothing.
Not here: verbs that bring an ended one back to life (revival.py), finding executions, walking from parent to child (engine/verbs.py).
Source: conductor-semantics.md §1.6, §1.7, §1.11, §1.13; which status a refusal has: conductor-rest-api.md §1.1.
"""

from __future__ import annotations

from batuta.core import deadlines
from batuta.core.contract import Contract
from batuta.core.decide import Outcome, conclude, gather, settle, tell_waiting
from batuta.core.ending import finish
from batuta.core.model.definition import Definition, Node
from batuta.core.model.execution import INPUT, OUTPUT, Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.core.places import refuse_while_held
from batuta.core.turn import Tools, Turn
from batuta.errors import Conflict, Invalid

NOTHING = Outcome(False, [])


def pause(x: Execution, now: int, tools: Tools) -> Outcome:
    """Nothing new is scheduled; what is in flight may end."""
    h = x.head
    if h.status.is_terminal:
        raise Conflict(f"Workflow id {h.id} has ended. status={h.status}: only a running workflow can be paused.")
    if h.status is WorkflowStatus.PAUSED:
        return NOTHING
    refuse_while_held(x)
    h.previous_status, h.status = h.status, WorkflowStatus.PAUSED
    x.touch_head()
    return conclude(Turn(x, now, tools))


def resume(x: Execution, now: int, tools: Tools) -> Outcome:
    """Go on where it was paused; the workflow's clock starts anew."""
    h = x.head
    if h.status is not WorkflowStatus.PAUSED:
        raise Conflict(f"The workflow {h.id} is not PAUSED so cannot resume. Current status is {h.status}")
    h.previous_status, h.status, h.last_retried_at = h.status, WorkflowStatus.RUNNING, now
    x.touch_head()
    return go_on(Turn(x, now, tools))


def terminate(x: Execution, now: int, tools: Tools, reason: str | None) -> Outcome:
    """End it as the operator says: no failure workflow. TERMINATED already: nothing; FAILED and TIMED_OUT become TERMINATED."""
    h = x.head
    if h.status is WorkflowStatus.COMPLETED:
        raise Conflict("Cannot terminate a COMPLETED workflow.")
    if h.status is WorkflowStatus.TERMINATED:
        return NOTHING
    turn = Turn(x, now, tools)
    finish(turn, WorkflowStatus.TERMINATED, turn.masked_text(reason))
    return conclude(turn)


def skip_task(x: Execution, now: int, tools: Tools, ref: str, given: Json | None, output: Json | None) -> Outcome:
    """A task not yet reached will be stepped over: its SKIPPED row comes first of all."""
    h = x.head
    node = x.definition.by_ref.get(ref)
    if h.status is not WorkflowStatus.RUNNING:
        raise Conflict(f"Workflow {h.id} is not running so the task referenced by {ref} cannot be skipped. status={h.status}")
    refuse_while_held(x)
    if node is None:
        raise Invalid(f"The task reference name {ref!r} does not exist in the WorkflowDefinition of {h.id}")
    if ref in x.by_ref:
        raise Conflict(f"The task referenced {ref!r} has already been processed, cannot be skipped")
    turn = Turn(x, now, tools)
    step_over(turn, node, given or {}, output or {})
    settle(turn)
    return conclude(turn)


def step_over(turn: Turn, node: Node, given: Json, output: Json) -> None:
    """The node has a SKIPPED row from here on, before all others."""
    task = turn.draft(node, "", kind=node.name, def_name=node.name, status=TaskStatus.SKIPPED)
    task.seq, task.executed, task.input, task.output = 0, True, turn.masked(given), turn.masked(output)
    task.ended_at = turn.now
    turn.x.insert(task)
    turn.x.changes.made.add(task.n)
    turn.x.touch(task, INPUT | OUTPUT)
    tell_waiting(turn, task)


def reset_callbacks(x: Execution, now: int, tools: Tools) -> Outcome:
    """Tasks that a worker wanted back later may be claimed now."""
    h = x.head
    if h.status.is_terminal:
        raise Conflict(f"Workflow is in terminal state. Status = {h.status}")
    for task in x.tasks.values():
        if task.status is TaskStatus.SCHEDULED and task.queue and task.callback_after_s > 0:
            task.callback_after_s, task.due_at = 0, now
            x.touch(task)
    return conclude(Turn(x, now, tools))


def requeue(x: Execution, now: int, tools: Tools, task: Task, *, after_ms: int = 0) -> Outcome:
    """Offer an open worker task again, though it may be with a worker."""
    task.status = TaskStatus.SCHEDULED
    task.due_at = max(now + after_ms, task.due_at if task.callback_after_s else 0)
    x.touch(task)
    return conclude(Turn(x, now, tools))


def go_on(turn: Turn) -> Outcome:
    """Take in whatever ended meanwhile, and settle."""
    gather(turn)
    settle(turn)
    return conclude(turn)


def require_fit(contract: Contract | None, given: Json, definition: Definition) -> None:
    """Raise Invalid when the input that an operator gives breaks this contract."""
    if contract is not None and (misfit := contract.misfit(given, definition.masked)) is not None:
        raise Invalid(misfit)


def reindex(x: Execution) -> None:
    """Every index and deadline anew, after rows were changed by hand."""
    x.rebuild(list(x.tasks.values()))
    deadlines.rearm(x)
