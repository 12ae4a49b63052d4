"""
decide: what an event makes of an execution. What moves a workflow or a task is here, in flow.py and ending.py, in the node files, and, by the operator's
word, in lifecycle.py and revival.py.

The work goes in passes until nothing more follows: tasks that have ended are taken into account in their order, what follows them is opened and, where
it needs nobody, run; then joins, loops and sub-workflows whose time has come. A pass touches only what the event touched: no scan over all tasks.

Not here: time (deadlines.py, told the instant), any I/O.
Source: conductor-semantics.md §2, §5.
"""

from __future__ import annotations

import msgspec

from batuta.core import deadlines, oversize, retry
from batuta.core.ending import complete, failure_reason, finish, stopped_by, try_step
from batuta.core.flow import follow, open_node, schedule
from batuta.core.model.decision import Message
from batuta.core.model.definition import Node
from batuta.core.model.event import ChildEnded, ChildNotStarted, ChildRevived, Claimed, Event, InputTooLarge, LeaseExtended, Reported, Started, Ticked
from batuta.core.model.execution import INPUT, Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Task
from batuta.core.nodes import BY_TYPE, sub_workflow
from batuta.core.nodes.simple import enqueue
from batuta.core.state_changes import tell
from batuta.core.turn import Stop, Tools, Turn, suffix_of

ROWS_PER_TURN = 5_000  # rows one decision may make before it takes a breath; the alarm set for the same instant goes on
PASSES_PER_TURN = 20_000  # a bound for the settling itself, far above what ROWS_PER_TURN lets happen
REASON_LENGTH_MAX = 500
_ALONE = (Claimed, LeaseExtended)


class Outcome(msgspec.Struct):
    """
    What a decision brought about: whether anything must be stored, and what it asks of others.

    `revived`: the verb, as a past participle, that brought an ended execution back to life; empty when none did. Only those who are told of it look here: it
    may have ended again in the same decision.
    """

    changed: bool
    messages: list[Message]
    revived: str = ""


def decide(x: Execution, event: Event, now: int, tools: Tools) -> Outcome:
    """
    Move the execution by one event. The execution handed in is changed in place; `x.changes` holds what must be stored.

    An event that no longer matters (a repeated report, a late alarm) changes nothing: `changed` is False.
    """
    turn = Turn(x, now, tools)
    if x.head.status.is_terminal or x.head.held is not None:
        return Outcome(False, [])
    if not _happened(turn, event):
        return Outcome(False, [])
    if not isinstance(event, _ALONE):  # nothing follows from these; an unfinished decision stays so, and no script runs
        settle(turn)
    return conclude(turn)


def conclude(turn: Turn) -> Outcome:
    """Tell of changed states, arm the alarm and stamp the row; the last step of every decision."""
    x = turn.x
    if x.definition.tells:
        tell(turn)
    changed = bool(x.changes.tasks or x.changes.head or x.changes.gone or turn.messages)
    for n in x.changes.tasks:
        if (task := x.tasks.get(n)) is not None and not task.status.is_terminal:
            deadlines.arm(x, task)
    out_of_breath = _unfinished(turn)
    wake = turn.now if out_of_breath else deadlines.next_wake(x)
    if (wake, out_of_breath) != (x.head.wake_at, x.head.out_of_breath):
        x.head.wake_at, x.head.out_of_breath = wake, out_of_breath
        changed = True
    if turn.stamps:
        x.head.updated_at = turn.now
    if changed:
        x.touch_head()
    return Outcome(changed, turn.messages, turn.revived)


def _unfinished(turn: Turn) -> bool:
    """Whether something waits to be taken in: by this decision, or still by an earlier one that ran out of breath."""
    if turn.ended or turn.x.head.status is not WorkflowStatus.RUNNING:
        return False
    return bool(turn.ready or turn.joins or turn.loops or turn.begins) or (turn.x.head.out_of_breath and not turn.gathered)


# -- what happened ----------------------------------------------------------------------------------------------------------------


def _happened(turn: Turn, event: Event) -> bool:
    """Apply the event itself; False when it changes nothing."""
    x = turn.x
    match event:
        case Started():
            if (first := x.definition.first) is not None:
                try_step(turn, lambda: schedule(turn, open_node(turn, first, "")))
            return True
        case Claimed(n, worker):
            return _claimed(turn, x.tasks.get(n), worker)
        case Reported():
            return _reported(turn, event)
        case InputTooLarge(n, size):
            task = x.tasks.get(n)
            if task is None or task.status.is_terminal:
                return False
            task.input = {}
            x.touch(task, INPUT)
            turn.fail(task, oversize.of_task(x.head, task, size), for_good=True)
            return True
        case LeaseExtended(n):
            task = x.tasks.get(n)
            if task is None or task.status.is_terminal:
                return False
            task.updated_at = turn.now
            x.touch(task)
            return True
        case Ticked():
            _ticked(turn)
            return True
        case ChildEnded(task_id, child, status, output, reason):
            task = x.by_id.get(task_id)
            if task is None or task.status.is_terminal or task.sub_execution_id != child:
                return False
            sub_workflow.ended(turn, task, child, status, output, reason)
            return True
        case ChildNotStarted(task_id, child, reason, for_good):
            task = x.by_id.get(task_id)
            if task is None or task.status.is_terminal or task.sub_execution_id != child:
                return False
            turn.fail(task, reason, for_good=for_good)
            return True
        case ChildRevived():
            return False  # a running parent already waits for that child


def _claimed(turn: Turn, task: Task | None, worker: str) -> bool:
    if task is None or task.status is not TaskStatus.SCHEDULED or not task.queue:
        return False
    task.status = TaskStatus.IN_PROGRESS
    task.started_at = task.started_at or turn.now
    task.updated_at = turn.now
    task.callback_after_s = 0
    task.worker = worker
    task.poll_count += 1
    turn.x.touch(task)
    return True


def _reported(turn: Turn, event: Reported) -> bool:
    x = turn.x
    task = x.tasks.get(event.n)
    if task is None or task.status.is_terminal:
        return False
    reason = turn.masked_text(event.reason)  # before it is cut: half a secret is not found
    task.reason = reason[:REASON_LENGTH_MAX] if reason else None
    if event.worker is not None:
        task.worker = event.worker
    task.callback_after_s = event.callback_after_s
    if event.sub_execution_id:
        task.sub_execution_id = event.sub_execution_id
    output = turn.masked(event.output)
    if event.merge:
        output = {**task.output, **output}
    if event.status is TaskStatus.IN_PROGRESS and task.queue and task.type not in BY_TYPE:
        # A worker hands the task back for now: queued again, invisible as long as it asked.
        turn.move(task, TaskStatus.SCHEDULED, output=output)
        task.due_at = turn.now + event.callback_after_s * 1000
        return True
    waits = event.status is TaskStatus.IN_PROGRESS and not task.queue  # such a word starts nothing that begins by itself
    turn.move(task, task.status if waits else event.status, output=output)
    return True


def _ticked(turn: Turn) -> None:
    """Everything that may be waiting: for alarms, resumes and explicit requests, where looking at all rows is the point."""
    x = turn.x
    if (reason := deadlines.workflow_out_of_time(turn)) is not None:
        finish(turn, WorkflowStatus.TIMED_OUT, reason, fires=True)
        return
    if x.head.status is not WorkflowStatus.RUNNING:
        return
    deadlines.pass_deadlines(turn)
    gather(turn)
    if not x.by_ref and (first := x.definition.first) is not None:
        try_step(turn, lambda: schedule(turn, open_node(turn, first, "")))


def gather(turn: Turn) -> None:
    """Whatever ended and was not taken in, and whatever waits: all of it, not only what this event touched. O(rows)."""
    turn.gathered = True
    known = {t.n for t in turn.ready}
    for task in turn.x.tasks.values():
        if task.status is TaskStatus.IN_PROGRESS:
            if task.type == "JOIN" or task.type == "EXCLUSIVE_JOIN":
                turn.joins[task.n] = task
            elif task.type == "DO_WHILE":
                turn.loops[task.n] = task
        elif task.status.is_terminal and not task.executed and not task.retried and task.n not in known and task.status is not TaskStatus.SKIPPED:
            turn.ready.append(task)


# -- settling ---------------------------------------------------------------------------------------------------------------------


def settle(turn: Turn) -> None:
    """Go on until nothing more follows, the execution ends, or the breath is out. Nothing follows while it waits for a place."""
    x = turn.x
    if x.head.held is not None:
        return
    first = x.head.tasks_made
    if x.head.out_of_breath and not turn.gathered:
        gather(turn)
    for _ in range(PASSES_PER_TURN):
        if turn.ended or x.head.status is not WorkflowStatus.RUNNING:
            return
        if turn.ready:
            if x.head.tasks_made - first > ROWS_PER_TURN:
                return
            try_step(turn, lambda: _take_in(turn))
        elif turn.joins:
            waiting, turn.joins = turn.joins, {}
            for task in waiting.values():
                if not task.status.is_terminal:
                    BY_TYPE[task.type].look(turn, task)
        elif turn.loops:
            _, loop = turn.loops.popitem()  # one at a time: when an inner one ends, what follows it belongs to the outer one's turn
            turn.stamps = False
            try_step(turn, lambda loop=loop: BY_TYPE["DO_WHILE"].look(turn, loop))
        elif turn.begins:
            waiting_begins, turn.begins = turn.begins, []
            for task in waiting_begins:
                if task.status is TaskStatus.SCHEDULED:
                    BY_TYPE[task.type].begin(turn, task)
        else:
            break
    if not turn.ended and x.open_count == 0 and not turn.ready:
        complete(turn)


def _take_in(turn: Turn) -> None:
    """One pass: take every ended task into account, in their order, then open what follows."""
    batch, turn.ready = sorted(turn.ready, key=lambda t: t.seq), []
    rows: list[Task] = []
    taken: list[Task] = []
    stopper: Task | None = None
    for task in batch:
        if task.executed or task.retried:
            continue
        turn.stamps = True
        try:
            rows += _consume(turn, task)
        except Stop as stop:
            finish(turn, WorkflowStatus.FAILED, str(stop), fires=True)
        taken.append(task)
        if turn.ended:
            break
        if task.type == "TERMINATE" and task.status is TaskStatus.COMPLETED:
            stopper = stopper or task
    if stopper is not None and not turn.ended:
        stopped_by(turn, stopper)
    if turn.ended:
        _give_back(turn, taken)
        return
    schedule(turn, rows)


def _give_back(turn: Turn, taken: list[Task]) -> None:
    """
    What follows these never came to be, since the execution ended in the same breath: a retry of it takes them into account again.

    So does a TERMINATE that is still there: what comes after it will never run, and a join would wait for that in vain.
    """
    for task in taken:
        task.executed = task.retried = False
        turn.x.touch(task)


def _consume(turn: Turn, task: Task) -> list[Task]:
    """Take one ended task into account: the rows that follow it, among them perhaps its own next attempt."""
    x = turn.x
    node = x.node_of(task)
    if not task.status.is_successful:
        if task.machine and task.machine.get("ends_workflow"):
            finish(turn, WorkflowStatus.TIMED_OUT, task.reason, task=task, fires=True)
            return []
        if retry.may_follow(task, node):
            if retry.out_of_total_time(task, node.policy, turn.now):
                status = WorkflowStatus.TIMED_OUT if task.status is TaskStatus.TIMED_OUT else WorkflowStatus.FAILED
                finish(turn, status, retry.total_time_reason(task, node.policy, turn.now), task=task, fires=True)
                return []
            return [another_attempt(turn, task, node)]
        if node.optional:
            task.status = TaskStatus.COMPLETED_WITH_ERRORS
        elif not node.permissive:
            _failed_for_good(turn, task, WorkflowStatus(retry.FAILED_AS.get(task.status, "FAILED")))
            return []
    task.executed = True
    x.touch(task)
    tell_waiting(turn, task)
    return follow(turn, task, node)


def _failed_for_good(turn: Turn, task: Task, status: WorkflowStatus) -> None:
    finish(turn, status, failure_reason(task), task=task, fires=True)


def tell_waiting(turn: Turn, task: Task) -> None:
    """Joins and loops that may have waited for this task."""
    x = turn.x
    for join in x.join_waits.get(task.ref, ()):
        x.join_missing[join.n] -= 1
        if x.join_missing[join.n] <= 0:
            turn.joins[join.n] = join
    if x.exclusive_joins:
        turn.joins.update(x.exclusive_joins)
    if (ref := x.loop_ref(task)) and (loop := x.by_ref.get(ref)) is not None and not loop.status.is_terminal:
        turn.loops[loop.n] = loop


def another_attempt(turn: Turn, task: Task, node: Node) -> Task:
    """The next attempt of a failed task, to be scheduled after its delay."""
    again = copy_for_retry(turn, task, node)
    delay = retry.delay_s(node.policy, task.attempt)
    again.callback_after_s = delay
    again.reason = task.reason
    if again.queue:
        again.queue = ""
        if task.type == "HTTP":
            again.queue, again.start_delay_s, again.due_at = "HTTP", delay, turn.now + delay * 1000
        else:
            enqueue(turn, again, delay, jitter_ms=node.policy.backoff_jitter_ms)
    else:
        again.start_delay_s, again.due_at = delay, turn.now + delay * 1000
    return again


def copy_for_retry(turn: Turn, task: Task, node: Node, *, by_hand: bool = False) -> Task:
    """A fresh row for the same place: next attempt, input evaluated again over the old one. The old row is marked as retried."""
    again = turn.draft(node, suffix_of(task), kind=task.type, def_name=task.def_name, status=TaskStatus.SCHEDULED, attempt=task.attempt + 1)
    again.retry_of = task.id
    again.first_scheduled_at = task.first_scheduled_at
    again.updated_at = task.updated_at if by_hand else 0
    again.domain, again.queue = task.domain, task.queue
    again.response_timeout_s = task.response_timeout_s
    if task.type in ("SUB_WORKFLOW", "FORK"):
        again.input = task.input
    else:
        again.input = {**task.input, **turn.input_of(node, again.id)}
    task.retried = task.executed = True
    turn.x.touch(task)
    return again
