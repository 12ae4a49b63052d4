"""
Deadlines: every instant at which time alone moves a task or the execution.

Here: when (`deadline_of`, `next_wake`) and what then (`pass_deadlines`). Not here: who wakes us (engine/alarms.py), the retry that may follow (retry.py).
A task has one deadline at a time, the earliest of all that apply to it; the heap in the execution may hold stale ones, which are skipped.
Source: conductor-semantics.md §1.5, §2.4, §4.12.
"""

from __future__ import annotations

import heapq

from batuta.core.model.definition import Node
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Task
from batuta.core.nodes import BEGINS
from batuta.core.turn import Turn

NEVER = 0
# Their worker is not ours to wait for: no response timeout while they are in progress.
_ANSWERED_ELSEWHERE = frozenset({"SUB_WORKFLOW"})


def _total(t: Task, n: Node) -> int:
    s = n.policy.total_timeout_seconds
    return t.first_scheduled_at + s * 1000 if s > 0 and t.first_scheduled_at else NEVER


def _running(t: Task, n: Node) -> int:
    s = n.policy.timeout_seconds
    return t.started_at + (s + t.start_delay_s) * 1000 if s > 0 and t.started_at else NEVER


def _polling(t: Task, n: Node) -> int:
    s = n.policy.poll_timeout_seconds or 0
    return t.scheduled_at + (s + t.start_delay_s + t.callback_after_s) * 1000 if s > 0 and t.status is TaskStatus.SCHEDULED else NEVER


def _responding(t: Task, n: Node) -> int:
    s = n.policy.response_timeout_seconds
    if t.status is not TaskStatus.IN_PROGRESS or s <= 0 or t.type in _ANSWERED_ELSEWHERE or n.async_complete:
        return NEVER
    return t.updated_at + (s + t.callback_after_s) * 1000


def deadline_of(t: Task, node: Node) -> int:
    """The earliest instant at which time moves this task; 0: never."""
    if t.status.is_terminal:
        return NEVER
    at = t.wait_until if t.status is TaskStatus.IN_PROGRESS else t.due_at if t.type in BEGINS else NEVER
    if not node.has_policy:
        return at
    if node.times_out:
        at = _sooner(at, _sooner(_total(t, node), _sooner(_running(t, node), _polling(t, node))))
    return _sooner(at, _responding(t, node))


def _sooner(a: int, b: int) -> int:
    return min(a, b) if a and b else a or b


def workflow_deadline(x: Execution) -> int:
    """When the execution as a whole runs out of time; 0: never."""
    if not x.definition.times_out or x.head.status.is_terminal or x.head.held is not None:  # the clock starts with the place
        return NEVER
    return (x.head.last_retried_at or x.head.created_at) + x.definition.timeout_s * 1000


def arm(x: Execution, task: Task) -> None:
    """Take the task's present deadline into the heap."""
    if at := deadline_of(task, x.node_of(task)):
        heapq.heappush(x.deadlines, (at, task.n))


def rearm(x: Execution) -> None:
    """Arm every open task anew, after the indexes were rebuilt."""
    x.deadlines.clear()
    for task in x.tasks.values():
        if not task.status.is_terminal:
            arm(x, task)


def next_wake(x: Execution) -> int:
    """The next instant at which the execution must be looked at; 0: never. A paused execution only runs out of its own time."""
    if x.head.status.is_terminal:
        return NEVER
    whole = workflow_deadline(x)
    if x.head.status is WorkflowStatus.PAUSED:
        return NEVER
    heap = x.deadlines
    while heap:
        at, n = heap[0]
        task = x.tasks.get(n)
        current = deadline_of(task, x.node_of(task)) if task is not None else NEVER
        if current == at:
            return min(at, whole) if whole else at
        heapq.heappop(heap)
        if current:
            heapq.heappush(heap, (current, n))
    return whole


def pass_deadlines(turn: Turn) -> None:
    """Apply every task deadline that has come. What ends by it waits in `turn.ready`; an execution out of time ends at once."""
    x, now = turn.x, turn.now
    heap = x.deadlines
    while heap and heap[0][0] <= now:
        _, n = heapq.heappop(heap)
        task = x.tasks.get(n)
        if task is None:
            continue
        at = deadline_of(task, x.node_of(task))
        if at and at <= now:
            _expire(turn, task)
        if again := deadline_of(task, x.node_of(task)):
            heapq.heappush(heap, (max(again, now + 1), n))


def workflow_out_of_time(turn: Turn) -> str | None:
    """Why the execution is out of time, or None while it is not."""
    x = turn.x
    at = workflow_deadline(x)
    if not at or turn.now < at:
        return None
    elapsed = (turn.now - (x.head.last_retried_at or x.head.created_at)) // 1000
    return (
        f"Workflow timed out after {elapsed} seconds. Timeout configured as {x.definition.timeout_s} seconds. "
        f"Timeout policy configured to {x.definition.raw.get('timeoutPolicy')}"
    )


def _expire(turn: Turn, task: Task) -> None:
    node, now = turn.x.node_of(task), turn.now
    policy = node.policy
    if task.status is TaskStatus.IN_PROGRESS and task.wait_until and task.wait_until <= now:
        turn.complete(task)
        return
    if task.status is TaskStatus.SCHEDULED and task.type in BEGINS and task.due_at and task.due_at <= now:
        turn.begins.append(task)  # stays due until it has begun, should the decision run out of breath before
        return
    if policy.timeout_policy != "ALERT_ONLY":
        for at, reason in (
            (_total(task, node), _total_reason(task, node, now)),
            (_running(task, node), _running_reason(task, node, now)),
            (_polling(task, node), _polling_reason(task, node, now)),
        ):
            if at and at <= now:
                task.machine = {**(task.machine or {}), "ends_workflow": True} if policy.timeout_policy == "TIME_OUT_WF" else task.machine
                turn.move(task, TaskStatus.TIMED_OUT, reason=reason)
                return
    at = _responding(task, node)
    if at and at <= now:
        turn.move(
            task,
            TaskStatus.TIMED_OUT,
            reason=f"responseTimeout: {policy.response_timeout_seconds} exceeded for the taskId: {task.id} with Task Definition: {task.def_name}",
        )


def _total_reason(t: Task, n: Node, now: int) -> str:
    return (
        f"Task total timed out after {(now - t.first_scheduled_at) // 1000} seconds. Total timeout configured as {n.policy.total_timeout_seconds} "
        f"seconds. Timeout policy configured to {n.policy.timeout_policy}"
    )


def _running_reason(t: Task, n: Node, now: int) -> str:
    elapsed = (now - t.started_at - t.start_delay_s * 1000) // 1000
    return (
        f"Task timed out after {elapsed} seconds. Timeout configured as {n.policy.timeout_seconds} seconds. "
        f"Timeout policy configured to {n.policy.timeout_policy}"
    )


def _polling_reason(t: Task, n: Node, now: int) -> str:
    elapsed = (now - t.scheduled_at - t.start_delay_s * 1000) // 1000
    return (
        f"Task poll timed out after {elapsed} seconds. Poll timeout configured as {n.policy.poll_timeout_seconds} seconds. "
        f"Timeout policy configured to {n.policy.timeout_policy}"
    )
