"""
Revival: how an ended execution lives again, by the operator's restart, retry or rerun, through its child or its parent, or when a place is free for it.

Each verb changes the execution in place and answers like `decide`; one that the state forbids raises and changes nothing.
Not here: the other verbs (lifecycle.py), what lies around a task (after.py), finding executions (engine/verbs.py).
Source: conductor-semantics.md §1.8–§1.10, §1.12; which status a refusal has: conductor-rest-api.md §1.1.
"""

from __future__ import annotations

from batuta.core.after import Around, around, later_attempts
from batuta.core.decide import Outcome, conclude, copy_for_retry, settle
from batuta.core.ending import try_step
from batuta.core.flow import misfit_of, open_node, schedule
from batuta.core.lifecycle import NOTHING, go_on, reindex, require_fit
from batuta.core.model.decision import AskChild, ReviveChild, ReviveParent, TellParent
from batuta.core.model.definition import Definition
from batuta.core.model.execution import INPUT, OUTPUT, VARIABLES, Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.core.nodes import BEGINS, BY_TYPE, RUNS
from batuta.core.places import hold, key_of
from batuta.core.turn import Tools, Turn, suffix_of
from batuta.errors import Conflict, Invalid, NotFound

LOST = (TaskStatus.FAILED, TaskStatus.FAILED_WITH_TERMINAL_ERROR, TaskStatus.TIMED_OUT, TaskStatus.CANCELED)
_IN_PLACE = frozenset({"DO_WHILE", "FORK", "JOIN", "EXCLUSIVE_JOIN"})  # retried as the same row
_AT_OPENING = frozenset({"SWITCH", "DECISION", "FORK", "DYNAMIC"})  # what they do, they do when they are opened; DYNAMIC: it failed to become anything


def restart(x: Execution, now: int, tools: Tools, definition: Definition | None, *, waits: bool = False) -> Outcome:
    """
    Begin again under the same id: all tasks gone, input kept. *definition*: run this one instead of the snapshot.

    *waits*, here and below: there is no place under the rate limit; what is to be played is played when there is one.
    """
    h = x.head
    if not h.status.is_terminal:
        raise Conflict(f"Workflow: {h.id} is not in terminal state, unable to restart.")
    if h.status is WorkflowStatus.COMPLETED and x.definition.raw.get("restartable") is False:
        raise NotFound(f"Workflow: {h.id} is non-restartable")
    if definition is not None:
        require_fit(definition.input_contract, h.input, definition)
        h.rate_limit_key = key_of(x, definition, tools)
        x.definition = definition
        h.definition_hash, h.definition_version = definition.hash, definition.version
    _begin_again(x, now)
    turn = Turn(x, now, tools)
    _lives_again(turn, "restarted")
    return hold(turn, {"verb": "start"}) if waits else _from_the_start(turn)


def _begin_again(x: Execution, now: int) -> None:
    for task in list(x.tasks.values()):
        x.forget(task)
    x.nodes.clear()
    x.rebuild(())
    h = x.head
    _forget_failure(x)
    h.created_at, h.last_retried_at, h.ended_at, h.output = now, 0, 0, {}
    x.touch_head(OUTPUT | VARIABLES)


def _from_the_start(turn: Turn) -> Outcome:
    first = turn.x.definition.first
    if first is not None:
        try_step(turn, lambda: schedule(turn, open_node(turn, first, "")))
    settle(turn)
    return conclude(turn)


def _forget_failure(x: Execution) -> None:
    h = x.head
    h.previous_status, h.status = h.status, WorkflowStatus.RUNNING
    h.reason, h.failed_task_id = None, ""
    x.touch_head()


def retry(x: Execution, now: int, tools: Tools, *, at_parents_wish: bool = False, waits: bool = False) -> Outcome:
    """
    A new attempt of every failed or cancelled task; what completed stays. The parent, if any, is revived.

    *at_parents_wish*: it knows already, and may have ended again since; telling it would bring it back to life for ever.
    """
    h = x.head
    if not h.status.is_terminal:
        raise NotFound(f"Workflow is still running.  status={h.status}")
    if not x.tasks:
        raise Conflict(f"Workflow has not started yet: {h.id} has no tasks to retry.")
    if not (last := _last_lost(x)) and h.status is not WorkflowStatus.TIMED_OUT:
        raise Conflict("There are no retryable tasks! Use restart if you want to attempt entire workflow execution again.")
    _forget_failure(x)
    h.last_retried_at = now
    turn = Turn(x, now, tools)
    _lives_again(turn, "retried", parent_knows=at_parents_wish)
    return hold(turn, {"verb": "retry"}) if waits else _play_lost(turn, last)


def _last_lost(x: Execution) -> list[Task]:
    """The newest row of every reference that was lost."""
    last: dict[str, Task] = {}
    for task in x.ordered():
        last.pop(task.ref, None)
        if task.status in LOST:
            last[task.ref] = task
    return list(last.values())


def _play_lost(turn: Turn, last: list[Task]) -> Outcome:
    x, fresh = turn.x, []
    for task in last:
        if task.type in _IN_PLACE:
            _play_again(turn, task)
        else:
            task.retried = task.executed = True  # joins count it as missing from here on
            x.touch(task)
            fresh.append(task)
    reindex(x)
    _schedule_again(turn)
    for task in fresh:
        try_step(turn, lambda task=task: schedule(turn, _fresh_attempt(turn, task)))
    return go_on(turn)


def _fresh_attempt(turn: Turn, task: Task) -> list[Task]:
    """The rows of another attempt: a copy of the task, or what opening its node again makes."""
    node = turn.x.node_of(task)
    if task.type not in _AT_OPENING:
        again = copy_for_retry(turn, task, node, by_hand=True)
        again.due_at = turn.now
        return [again]
    rows = open_node(turn, node, suffix_of(task))
    rows[0].attempt, rows[0].retry_of = task.attempt + 1, task.id
    return rows


def _reopen(x: Execution, task: Task, now: int) -> None:
    """The same row is in progress again."""
    task.status, task.reason, task.ended_at, task.updated_at = TaskStatus.IN_PROGRESS, None, 0, now
    task.executed = task.retried = False
    task.machine = {k: v for k, v in task.machine.items() if k != "ends_workflow"} if task.machine else None
    x.touch(task)


def _lives_again(turn: Turn, verb: str, *, parent_knows: bool = False) -> None:
    """Said before anything is played: what is played may end at once, and the parent hears of that only when it waits again."""
    h = turn.x.head
    turn.revived = verb
    if h.parent_id and not parent_knows:
        turn.send(ReviveParent(h.parent_id, h.parent_task_id, h.id, verb))


def revived(x: Execution, now: int, tools: Tools, task_id: str, child_id: str, verb: str, *, waits: bool = False) -> Outcome:
    """A child of this execution came back to life: so does its task, and the execution with it."""
    task = x.by_id.get(task_id)
    if task is None or task.retried or x.node_of(task).optional or task.sub_execution_id != child_id:
        return NOTHING
    if task.status is TaskStatus.IN_PROGRESS and x.head.status is WorkflowStatus.RUNNING:
        return NOTHING
    if x.head.status.is_terminal and any(t.type == "TERMINATE" and t.status is TaskStatus.COMPLETED for t in x.tasks.values()):
        return NOTHING  # it ended as its own definition says, not for want of this child
    turn, held = Turn(x, now, tools), x.head.held
    if held is not None:  # a retry or rerun will make a new child; one that was revived before is joined by this one
        return hold(turn, {**held, "tasks": [*held["tasks"], task_id]}) if held["verb"] == "revived" else NOTHING
    had_ended = x.head.status.is_terminal
    if had_ended:
        _forget_failure(x)
        x.head.last_retried_at = now
        _lives_again(turn, verb)
        if waits:
            return hold(turn, {"verb": "revived", "tasks": [task_id]})
    return _play_revived(turn, [task], had_ended)


def _play_revived(turn: Turn, tasks: list[Task], had_ended: bool) -> Outcome:
    """These tasks wait for their children again, and what went down with the execution is mended."""
    x = turn.x
    for task in tasks:
        _reopen(x, task, turn.now)
    if had_ended:
        for other in x.ordered():
            if other.status in LOST and not other.retried:
                _mend(turn, other)
    reindex(x)
    _schedule_again(turn)
    return go_on(turn)


def told_again(x: Execution, now: int, tools: Tools) -> Outcome:
    """An ended child tells its parent once more how it ended; one that runs will tell it in time."""
    h = x.head
    if not h.status.is_terminal or not h.parent_id:
        return NOTHING
    x.touch_head()
    return Outcome(True, [TellParent(h.parent_id, h.parent_task_id, h.id, str(h.status), h.output, h.reason)])


def revived_by_parent(x: Execution, now: int, tools: Tools, *, waits: bool = False) -> Outcome:
    """
    The parent waits for this child again: what failed in it is retried. While it runs the parent will learn of its end anyway.

    One that completed, or has nothing to retry, tells its parent again how it ended; else the parent would wait for ever.
    """
    if not x.head.status.is_terminal:
        return NOTHING
    try:
        return retry(x, now, tools, at_parents_wish=True, waits=waits)
    except Conflict:
        return told_again(x, now, tools)


def _mend(turn: Turn, task: Task) -> None:
    """A sibling that went down with the execution comes back in place."""
    x, now = turn.x, turn.now
    if task.type == "SUB_WORKFLOW" and task.sub_execution_id:
        _reopen(x, task, now)
        turn.send(ReviveChild(task.sub_execution_id, x.head.id, task.id))
    elif task.type in ("JOIN", "EXCLUSIVE_JOIN", "DO_WHILE"):
        _reopen(x, task, now)
    elif task.status is TaskStatus.CANCELED:
        task.attempt += 1
        _offer(turn, task)


def _offer(turn: Turn, task: Task) -> None:
    """The same row is scheduled again."""
    task.status, task.ended_at, task.started_at, task.executed, task.retried = TaskStatus.SCHEDULED, 0, 0, False, False
    task.worker, task.callback_after_s, task.due_at, task.wait_until = "", 0, turn.now, 0
    turn.x.touch(task)


def _schedule_again(turn: Turn) -> None:
    """Rows set to SCHEDULED in place: workers find them in their queues; the others are begun or run here."""
    for task in turn.x.ordered():
        if task.status is not TaskStatus.SCHEDULED:
            continue
        if turn.x.has_contracts and (misfit := misfit_of(turn, task)) is not None:
            turn.fail(task, misfit, for_good=True)
        elif not task.queue:
            if task.type in BEGINS:
                turn.begins.append(task)
            elif task.type in RUNS and not turn.ended:
                task.status, task.started_at, task.updated_at = TaskStatus.IN_PROGRESS, turn.now, turn.now
                try_step(turn, lambda task=task: BY_TYPE[task.type].run(turn, task))


def rerun(
    x: Execution, now: int, tools: Tools, *, from_task: str | None, task_input: Json | None, workflow_input: Json | None, correlation_id: str | None,
    waits: bool = False,
) -> Outcome:  # fmt: skip
    """Play it again, from the beginning or from one task: what came after that one is gone."""
    h = x.head
    if not h.status.is_terminal:
        raise Conflict(f"Workflow: {h.id} is not in terminal state, unable to rerun.")
    if workflow_input is not None:
        require_fit(x.definition.input_contract, workflow_input, x.definition)
    if from_task is None:
        if workflow_input is not None:
            h.input = workflow_input
        if correlation_id is not None:
            h.correlation_id = correlation_id
        ended_at = h.ended_at
        _begin_again(x, now)
        # A rerun keeps the time of the last end and forgets which tasks had failed; a restart does the opposite, as Conductor does.
        h.ended_at, h.failed_refs, h.failed_names = ended_at, [], []
        x.touch_head(INPUT)
        turn = Turn(x, now, tools)
        _lives_again(turn, "rerun")
        return hold(turn, {"verb": "start"}) if waits else _from_the_start(turn)
    target = x.by_id.get(from_task)
    if target is None:
        raise Invalid(f"Task {from_task} not found")
    if target.status is TaskStatus.SKIPPED:
        raise Conflict(f"Task {from_task} was skipped; there is nothing to run again. Rerun from a task beside it")
    if task_input is not None:
        require_fit(x.node_of(target).input_contract, task_input, x.definition)
    if correlation_id is not None:
        h.correlation_id = correlation_id
    _forget_failure(x)
    h.last_retried_at = now
    if workflow_input is not None:
        h.input = workflow_input
        x.touch_head(INPUT)
    turn = Turn(x, now, tools)
    _lives_again(turn, "rerun")
    if waits:
        return hold(turn, {"verb": "rerun", "tasks": [from_task], "input": task_input})
    _rerun_from(turn, target, task_input)
    return go_on(turn)


def held_start(x: Execution, now: int, tools: Tools) -> Outcome:
    """An execution just made that waits for a place."""
    return hold(Turn(x, now, tools), {"verb": "start"})


def admit(x: Execution, now: int, tools: Tools) -> Outcome:
    """There is a place: what was put off happens now, and the workflow's clock starts. An execution that does not wait is left alone."""
    h, later = x.head, x.head.held
    if later is None:
        return NOTHING
    h.held, h.queued_at, h.last_retried_at = None, 0, now
    x.touch_head()
    turn = Turn(x, now, tools)
    tasks = [task for task_id in later.get("tasks", ()) if (task := x.by_id.get(task_id)) is not None]
    match later["verb"]:
        case "start":
            return _from_the_start(turn)
        case "retry":
            return _play_lost(turn, _last_lost(x))
        case "revived":
            for task in tasks:
                turn.send(AskChild(task.sub_execution_id))  # it may have ended while nobody listened
            return _play_revived(turn, tasks, True)
        case _:
            _rerun_from(turn, tasks[0], later["input"])
            return go_on(turn)


def _rerun_from(turn: Turn, target: Task, task_input: Json | None) -> None:
    x = turn.x
    # A sub-workflow is played again by itself; what came after it stays, as with Conductor.
    nearby = around(x, target) if target.type != "SUB_WORKFLOW" else Around(later_attempts(x, target), [], [])
    for later in nearby.gone.values():
        x.forget(later)
    anew = [target] if target.type in _AT_OPENING else []
    for other in list(x.tasks.values()):
        if other is not target and other.status in LOST and not other.retried:
            if other.type in _AT_OPENING:
                anew.append(other)
            else:
                _play_again(turn, other)
    for join in nearby.joins:
        _reopen(x, join, turn.now)
    for loop, number in nearby.loops:
        _turn_back(turn, loop, number)
    if target.type not in _AT_OPENING:
        if task_input is not None:
            target.input = task_input
        target.scheduled_at, target.poll_count, target.output = turn.now, 0, {}
        target.iteration = 0 if target.type == "DO_WHILE" else target.iteration
        _play_again(turn, target)
        x.touch(target, INPUT | OUTPUT)
    for task in anew:
        x.forget(task)
    reindex(x)
    _schedule_again(turn)
    for task in anew:
        try_step(turn, lambda task=task: schedule(turn, _opened_again(turn, task)))


def _opened_again(turn: Turn, task: Task) -> list[Task]:
    """The rows that opening the node makes, the first in the place of this one, which is gone."""
    rows = open_node(turn, turn.x.node_of(task), suffix_of(task))
    rows[0].attempt, rows[0].retry_of = task.attempt, task.retry_of
    return rows


def _turn_back(turn: Turn, loop: Task, number: int) -> None:
    """The loop is in this turn again; what its later turns put out is forgotten."""
    loop.iteration = number
    loop.output = {k: v for k, v in loop.output.items() if not (k.isdigit() and int(k) > number)} | {"iteration": number}
    if (items := (loop.machine or {}).get("items")) is not None:
        loop.output |= {"loopItem": items[number - 1], "loopIndex": number - 1}
    _reopen(turn.x, loop, turn.now)
    turn.x.touch(loop, OUTPUT)


def _play_again(turn: Turn, task: Task) -> None:
    if task.type in ("JOIN", "EXCLUSIVE_JOIN") or (task.type == "DO_WHILE" and task.iteration):
        _reopen(turn.x, task, turn.now)
    else:
        task.sub_execution_id = ""
        _offer(turn, task)
