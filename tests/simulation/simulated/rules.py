"""
Rules: what must hold whatever has happened. Each raises `Broken` naming the rule and what was found.

Three kinds: of one execution at rest (`check_execution`), of one decision (`check_moves`), of a family of executions (`check_family`).
They are written from the specification and look at rows, never at how the decider got there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from batuta.core.deadlines import deadline_of, workflow_deadline
from batuta.core.flow import next_node
from batuta.core.model.definition import Node
from batuta.core.model.execution import Execution
from batuta.core.model.status import (
    TASK_BY_EVENT,
    TASK_BY_OPERATOR,
    TASK_FIRST,
    WORKFLOW_BY_EVENT,
    WORKFLOW_BY_OPERATOR,
    TaskStatus,
    WorkflowStatus,
)
from batuta.core.model.task import Task
from batuta.core.turn import suffix_of

Statuses = dict[int, TaskStatus]


class Broken(AssertionError):
    """A rule does not hold. `rule` is its name: the same rule broken again is the same failure, for a shrinker."""

    def __init__(self, rule: str, found: str) -> None:
        super().__init__(f"{rule}: {found}")
        self.rule = rule


def check_execution(x: Execution, now: int) -> None:
    """All rules of one execution between two decisions."""
    check_rows(x)
    check_turns(x)
    check_indexes(x)
    if x.head.status.is_terminal:
        check_ended(x)
        return
    if x.head.held is not None:
        if x.open_count or x.head.wake_at or x.head.status is not WorkflowStatus.RUNNING:
            raise Broken("nothing happens while an execution waits for a place", f"{x.open_count} open, wakes at {x.head.wake_at}, {x.head.status}")
    elif x.head.out_of_breath:
        if x.head.wake_at == 0:
            raise Broken("who is out of breath goes on", "no alarm is set")
    elif x.head.status is WorkflowStatus.RUNNING:
        check_flow(x)
        check_waiting(x)
        check_wake(x, now)


def check_rows(x: Execution) -> None:
    """Rows are numbered in order; a reference has each attempt once; what was retried has a successor."""
    seen: set[tuple[str, int]] = set()
    numbers: set[int] = set()
    successors = {t.retry_of for t in x.tasks.values()}
    for task in x.tasks.values():
        if (task.ref, task.attempt) in seen:
            raise Broken("one row for each attempt", f"{task.ref} attempt {task.attempt} twice")
        seen.add((task.ref, task.attempt))
        if task.seq == 0 and task.status is not TaskStatus.SKIPPED:
            raise Broken("only what is skipped has no place in the order", f"{task.ref} is {task.status}")
        if task.seq and task.seq in numbers:
            raise Broken("no two rows share a place in the order", f"{task.ref} at {task.seq}")
        numbers.add(task.seq)
        if task.retried and task.id not in successors and not any(t.ref == task.ref and t.attempt > task.attempt for t in x.tasks.values()):
            raise Broken("what was retried has a successor", f"{task.ref} attempt {task.attempt}")
        if task.n > x.head.tasks_made:
            raise Broken("every row was counted when made", f"{task.ref} is row {task.n} of {x.head.tasks_made}")


def check_turns(x: Execution) -> None:
    """A loop begins no turn before the turn before it is over (as long as no operator has had a hand in it)."""
    if x.head.last_retried_at:
        return
    last: dict[str, tuple[int, int]] = {}  # loop -> (turn, its highest place so far)
    for task in x.ordered():
        if task.attempt == 0 and (loop := x.loop_ref(task)):
            turn = int(suffix_of(task).rpartition("__")[2])
            before, _ = last.get(loop, (0, 0))
            if turn < before:
                raise Broken("a loop takes its turns one after the other", f"{task.ref} was made in turn {before} of {loop}")
            last[loop] = turn, task.seq


def check_indexes(x: Execution) -> None:
    """Every index equals the one made anew from the rows."""
    fresh = Execution(x.head, x.definition, x.tasks.values())
    for name, found, expected in (
        ("open_count", x.open_count, fresh.open_count),
        ("by_id", x.by_id, fresh.by_id),
        ("by_ref", x.by_ref, fresh.by_ref),
        ("by_base", x.by_base, fresh.by_base),
        ("open_in", _nonzero(x.open_in), _nonzero(fresh.open_in)),
        ("join_missing", x.join_missing, fresh.join_missing),
        ("join_waits", _waits(x), _waits(fresh)),
        ("exclusive_joins", x.exclusive_joins, fresh.exclusive_joins),
        ("pulls", x.pulls, fresh.pulls),
        ("nodes", {r: n.raw for r, n in x.nodes.items() if r in fresh.nodes}, {r: n.raw for r, n in fresh.nodes.items()}),
        ("last_seq", x.last_seq, max(x.last_seq, fresh.last_seq)),
    ):
        if found != expected:
            raise Broken(f"the index {name} equals a rebuilt one", f"{_short(found)}, rebuilt {_short(expected)}")


def _nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    return {k: v for k, v in counts.items() if v}


def _waits(x: Execution) -> dict[str, list[int]]:
    return {ref: sorted(t.n for t in joins) for ref, joins in x.join_waits.items() if joins}


def _short(found: object) -> str:
    if isinstance(found, dict):
        return str({k: f"{v.ref}#{v.n}" if isinstance(v, Task) else v for k, v in found.items()})[:600]
    return str(found)[:600]


def check_ended(x: Execution) -> None:
    """Nothing of an ended execution is open; a completed one has left nothing out."""
    still_open = [t.ref for t in x.tasks.values() if not t.status.is_terminal]
    if still_open:
        raise Broken("an ended execution has no open tasks", f"{x.head.status} with {still_open}")
    if x.head.wake_at:
        raise Broken("an ended execution sleeps for ever", f"wakes at {x.head.wake_at}")
    if not x.head.ended_at:
        raise Broken("an ended execution knows when", f"{x.head.status}")
    if x.head.status is WorkflowStatus.COMPLETED and not _was_stopped(x):
        check_flow(x)
        left = [t.ref for t in x.tasks.values() if not t.executed and not t.retried]
        if left:
            raise Broken("a completed execution has taken everything in", f"not {left}")


def _was_stopped(x: Execution) -> bool:
    return any(t.type == "TERMINATE" and t.status is TaskStatus.COMPLETED for t in x.tasks.values())


# -- the flow -------------------------------------------------------------------------------------------------------------------------


def check_flow(x: Execution) -> None:
    """Whatever should follow a task that was taken into account is there: nothing of a definition is lost on the way."""
    if x.definition.first is not None and not x.by_ref:
        raise Broken("the first task is there", "no rows at all")
    has_jumped = any(task.status is TaskStatus.SKIPPED and task.seq for task in x.tasks.values())
    for task in x.by_ref.values():
        if has_jumped and (x.node_of(task).parent is not None or task.type in ("FORK", "SWITCH", "DECISION") or suffix_of(task)):
            continue  # what it stands in, or what it opened, may have been left
        if task.executed and not task.retried:
            for ref in _due_after(x, task):
                if ref not in x.by_ref:
                    raise Broken("what follows is there", f"after {task.ref} ({task.status}) comes {ref}, which has no row; execution {x.head.status}")


def _due_after(x: Execution, task: Task) -> Iterator[str]:
    """References that must have a row once this task was taken in."""
    node, suffix = x.node_of(task), suffix_of(task)
    if task.status is TaskStatus.SKIPPED or task.type == "TERMINATE":
        return
    if task.type == "FORK":
        heads = [branch[0] for branch in node.branches if branch]
        yield from (n.ref + suffix for n in heads)
        yield from (ref + suffix for ref in task.input.get("forkedTasks") or ())
        if node.following is not None:
            yield from (n.ref + suffix for n in _first_not_skipped(x, node.following, suffix))
        return
    if task.type in ("SWITCH", "DECISION") and task.input.get("hasChildren"):
        case = node.cases.get(task.input["case"])
        chosen = node.default if case is None or (task.type == "DECISION" and not case) else case
        yield from (n.ref + suffix for n in _first_not_skipped(x, chosen[0], suffix))
        return
    if (after := next_node(node)) is not None:
        yield from (n.ref + suffix for n in _first_not_skipped(x, after, suffix))


def _first_not_skipped(x: Execution, node: Node, suffix: str) -> Iterator[Node]:
    at: Node | None = node
    while at is not None:
        there = x.by_ref.get(at.ref + suffix)
        if there is None or there.status is not TaskStatus.SKIPPED:
            yield at
            return
        at = next_node(at)


def check_waiting(x: Execution) -> None:
    """A running execution waits for something, and each thing in it that waits has something to wait for."""
    if x.open_count == 0:
        raise Broken("a running execution has something open", "nothing is")
    unread = [t.ref for t in x.tasks.values() if t.status.is_terminal and not t.executed and not t.retried]
    if unread:
        raise Broken("a running execution has taken in all that ended", f"not {unread}")
    movable = False
    for task in x.tasks.values():
        if task.status.is_terminal:
            continue
        if task.type == "JOIN":
            _check_join(x, task)
        elif task.type == "DO_WHILE":
            if task.status is TaskStatus.IN_PROGRESS and not x.open_in.get(task.ref):
                raise Broken("a loop goes on or ends", f"{task.ref} is open with nothing open in turn {task.iteration}")
        elif task.type == "EXCLUSIVE_JOIN":
            pass  # some definitions let it wait for ever; the quiet phase shows the others
        elif task.status is TaskStatus.SCHEDULED and not task.queue and not task.due_at:
            raise Broken("what is scheduled is claimable or begins by itself", f"{task.ref} of type {task.type}")
        else:
            movable = True
    if not movable:
        raise Broken("a running execution can move", f"open are only {[t.ref for t in x.tasks.values() if not t.status.is_terminal]}")


def _check_join(x: Execution, join: Task) -> None:
    refs = join.input.get("joinOn") or ()
    there = [x.by_ref.get(ref) for ref in refs]
    if all(t is not None and t.status.is_terminal for t in there):
        raise Broken("a join ends with its last branch", f"{join.ref} is {join.status}, all of {list(refs)} have ended")


def check_wake(x: Execution, now: int) -> None:
    """The alarm is the earliest deadline of all, neither later nor missing."""
    times = [at for t in x.tasks.values() if (at := deadline_of(t, x.node_of(t)))]
    if whole := workflow_deadline(x):
        times.append(whole)
    earliest = min(times, default=0)
    wake = x.head.wake_at
    if earliest and not 0 < wake <= max(earliest, now + 1):
        raise Broken("the alarm is not later than the earliest deadline", f"wakes at {wake}, due at {earliest}, now {now}")
    if wake and not earliest:
        raise Broken("no alarm without a deadline", f"wakes at {wake}")


# -- one decision ---------------------------------------------------------------------------------------------------------------------


def statuses_of(x: Execution) -> tuple[WorkflowStatus, Statuses]:
    """The statuses before or after a decision."""
    return x.head.status, {t.n: t.status for t in x.tasks.values()}


def check_moves(before: tuple[WorkflowStatus, Statuses], x: Execution, *, by_operator: bool, seen: Callable[[str, str, bool], object]) -> None:
    """Every status that differs from before is one that the tables allow; `seen` is told of each (from, to, by operator)."""
    was, tasks = before
    if x.head.status is not was:
        allowed = WORKFLOW_BY_EVENT[was] | (WORKFLOW_BY_OPERATOR[was] if by_operator else frozenset())
        through = {s for middle in allowed for s in WORKFLOW_BY_EVENT[middle]} if by_operator else set()
        if x.head.status not in allowed | through:
            raise Broken("the tables allow every move of an execution", f"{was} became {x.head.status}")
        seen(was, x.head.status, by_operator and x.head.status in WORKFLOW_BY_OPERATOR[was])
    for task in x.tasks.values():
        now = task.status
        then = tasks.get(task.n)
        if then is None:
            if not (now in TASK_FIRST or (by_operator and now is TaskStatus.SKIPPED) or any(now in TASK_BY_EVENT[first] for first in TASK_FIRST)):
                raise Broken("the tables allow every beginning of a task", f"{task.ref} began as {now}")
            seen("", now, by_operator)
        elif now is not then:
            moves = TASK_BY_EVENT[then] | (TASK_BY_OPERATOR[then] if by_operator else frozenset())
            later = {s for middle in moves for s in TASK_BY_EVENT[middle]} if by_operator else set()
            if now not in moves | later:
                raise Broken("the tables allow every move of a task", f"{task.ref} of type {task.type}: {then} became {now}")
            seen(then, now, by_operator and now in TASK_BY_OPERATOR[then])


# -- a family -------------------------------------------------------------------------------------------------------------------------


def check_family(runs: Mapping[str, Execution], excused: set[str]) -> None:
    """
    With no message under way: a task waits for a child if and only if that child runs.

    *excused*: children whose task was ended by somebody else than themselves, with nobody told.
    """
    for x in runs.values():
        for task in x.tasks.values():
            if task.type == "SUB_WORKFLOW" and task.status is TaskStatus.IN_PROGRESS:
                child = runs.get(task.sub_execution_id)
                if child is None:
                    raise Broken("a task waits for a child that exists", f"{x.head.name}/{task.ref} waits for {task.sub_execution_id!r}")
                if child.head.status.is_terminal:
                    raise Broken("a task waits only for a child that runs", f"{x.head.name}/{task.ref} waits for a child that is {child.head.status}")
        if x.head.parent_id and not x.head.status.is_terminal and x.head.id not in excused:
            _check_child(runs, x)


def _check_child(runs: Mapping[str, Execution], child: Execution) -> None:
    parent = runs.get(child.head.parent_id)
    task = parent.by_id.get(child.head.parent_task_id) if parent is not None else None
    if parent is None or task is None or task.sub_execution_id != child.head.id or task.retried:
        return  # the parent has gone on without it
    if parent.head.status.is_terminal and _was_stopped(parent):
        return  # the parent has ended by its own TERMINATE
    if parent.head.held is not None:
        return  # it was brought back with its child, and waits for a place itself
    if parent.node_of(task).optional or task.status is TaskStatus.TIMED_OUT:
        return  # a revived child leaves alone whoever did not need it; nobody tells a child that its task is out of time
    if task.status.is_terminal:
        raise Broken("a child runs only while its parent waits", f"{child.head.name} is {child.head.status}, its task {task.ref} is {task.status}")
