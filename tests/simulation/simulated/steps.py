"""
Steps: what may happen to a family, one at a time, chosen by chance. And the quiet phase: time passes, a willing worker completes everything.

Each step takes its own source of chance, so that a schedule with some steps left out plays the others as before as far as they make sense.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from batuta.core import lifecycle, revival
from batuta.core.model.event import Claimed, LeaseExtended, Reported
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Task
from batuta.core.nodes import BY_TYPE
from batuta.errors import BatutaError
from simulated.family import EXECUTIONS_MAX, Family, shown
from simulated.rules import Broken

REPORTS = ("COMPLETED",) * 12 + ("FAILED",) * 4 + ("FAILED_WITH_TERMINAL_ERROR", "CANCELED", "IN_PROGRESS", "IN_PROGRESS")
QUIET_ROUNDS = 600


def deliver(family: Family, chance: Random) -> str:
    pairs = list(family.letters)
    if not pairs:
        return ""
    pair = chance.choice(pairs)
    kind = type(family.letters[pair][0]).__name__
    family.deliver_one(pair)
    return f"deliver {kind} to {_named(family, pair[1])}"


def claim(family: Family, chance: Random) -> str:
    waiting = family.claimable()
    if not waiting:
        return ""
    x, n = chance.choice(waiting)
    family.event(x, Claimed(n, "w"))
    return f"claim {_task(x, x.tasks[n])}"


def report(family: Family, chance: Random) -> str:
    """By a worker on a task it has; now and then late, twice, or by somebody about a task that nobody has."""
    tasks = [(x, t) for x in family.runs.values() for t in x.tasks.values()]
    fitting = [(x, t) for x, t in tasks if _is_with_somebody(t)]
    pool = fitting if fitting and chance.random() < 0.9 else tasks
    if not pool:
        return ""
    x, task = chance.choice(pool)
    if task.type in _OPERATORS and chance.random() < 0.8:
        return ""  # only an operator's tool reports these
    status = TaskStatus(chance.choice(REPORTS))
    event = Reported(
        n=task.n, status=status, output={"v": chance.randint(0, 9)}, reason=chance.choice((None, "because")), callback_after_s=chance.choice((0, 0, 5))
    )
    was = task.status
    outcome = family.event(x, event)
    if was.is_terminal and outcome.changed:
        raise Broken("a report on an ended task changes nothing", f"{task.ref} was {was}")
    if chance.random() < 0.2 and (now := x.tasks.get(task.n)) is not None and now.status.is_terminal and family.event(x, event).changed:
        raise Broken("a repeated report changes nothing", f"{task.ref} is {now.status}")
    return f"report {status} of {_task(x, task)}"


_OPERATORS = frozenset(BY_TYPE) - {"SIMPLE", "HTTP", "HUMAN", "WAIT", "EVENT"} | {"FORK"}


_CHOOSERS = frozenset({"SWITCH", "DECISION", "FORK_JOIN", "FORK_JOIN_DYNAMIC"})


def _is_with_somebody(t: Task) -> bool:
    return t.status is TaskStatus.IN_PROGRESS and (t.type not in _OPERATORS)


def heartbeat(family: Family, chance: Random) -> str:
    pool = [(x, t) for x in family.running() for t in x.tasks.values() if _is_with_somebody(t)]
    if not pool:
        return ""
    x, task = chance.choice(pool)
    family.event(x, LeaseExtended(task.n))
    return f"heartbeat of {_task(x, task)}"


def alarm(family: Family, chance: Random) -> str:
    """Time passes up to the next alarm, or a bit past it, and it rings."""
    armed = [x for x in family.runs.values() if x.head.wake_at]
    if not armed:
        return ""
    x = min(armed, key=lambda x: (x.head.wake_at, x.head.id))
    family.now = max(family.now, x.head.wake_at) + chance.choice((0, 0, 0, 1, 5_000))
    family.tick(x)
    return f"alarm of {_named(family, x.head.id)}"


def early_alarm(family: Family, chance: Random) -> str:
    """Somebody wants an execution looked at though nothing is due."""
    x = chance.choice(list(family.runs.values()))
    family.tick(x)
    return f"look at {_named(family, x.head.id)}"


def pass_time(family: Family, chance: Random) -> str:
    """The clock moves, and once in a while jumps, with no alarm ringing yet."""
    family.now += chance.choice((1, 700, 5_000, 30_000, 86_400_000))
    return f"now {family.now}"


def reload(family: Family, chance: Random) -> str:
    x = chance.choice(list(family.runs.values()))
    family.reload(x.head.id)
    if chance.random() < 0.2:
        family.now -= chance.choice((1, 10_000))  # a restart may find the machine's clock set back
    return f"reload {_named(family, x.head.id)}"


def verb(family: Family, chance: Random) -> str:
    """An operator's verb; refused or not."""
    x = chance.choice(list(family.runs.values()))
    wishes = (
        ("pause", "resume", "terminate", "reset_callbacks", "skip", "requeue")
        if not x.head.status.is_terminal
        else ("retry", "retry", "rerun", "rerun", "restart", "terminate")
    )
    if x.head.status is WorkflowStatus.PAUSED and chance.random() < 0.7:
        wishes = ("resume",)
    wish = chance.choice(wishes)
    said = f"{wish} {_named(family, x.head.id)}"
    try:
        said += _VERBS[wish](family, x, chance) or ""
    except BatutaError as refused:
        if x.changes.tasks or x.changes.head or x.changes.gone:
            raise Broken("a refused verb changes nothing", f"{said}: {refused}") from refused
        said += f" (refused: {refused})"
    return said


def _pause(family: Family, x: Execution, chance: Random) -> None:
    family.act(x, lifecycle.pause, by_operator=True)


def _resume(family: Family, x: Execution, chance: Random) -> None:
    family.act(x, lifecycle.resume, by_operator=True)


def _terminate(family: Family, x: Execution, chance: Random) -> None:
    family.act(x, lambda x, now, tools: lifecycle.terminate(x, now, tools, "enough"), by_operator=True)


def _reset_callbacks(family: Family, x: Execution, chance: Random) -> None:
    family.act(x, lifecycle.reset_callbacks, by_operator=True)


def _skip(family: Family, x: Execution, chance: Random) -> str:
    # Who steps over a fork or a switch leaves a join behind it waiting for ever, here as with Conductor.
    wanted = {r for n in x.definition.by_ref.values() if n.type == "EXCLUSIVE_JOIN" for r in n.join_on}
    ref = chance.choice([r for r, n in x.definition.by_ref.items() if n.type not in _CHOOSERS and r not in wanted] or ["nothing"])
    family.act(x, lambda x, now, tools: lifecycle.skip_task(x, now, tools, ref, None, {"skipped": True}), by_operator=True)
    return f" {ref}"


def _requeue(family: Family, x: Execution, chance: Random) -> str:
    taken = [t for t in x.tasks.values() if t.queue and not t.status.is_terminal]
    if not taken:
        return ""
    task = chance.choice(taken)
    family.act(x, lambda x, now, tools: lifecycle.requeue(x, now, tools, task), by_operator=True)
    return f" {task.ref}"


def _restart(family: Family, x: Execution, chance: Random) -> None:
    family.act(x, lambda x, now, tools: revival.restart(x, now, tools, None), by_operator=True)


def _retry(family: Family, x: Execution, chance: Random) -> None:
    family.act(x, revival.retry, by_operator=True)


def _rerun(family: Family, x: Execution, chance: Random) -> str:
    target = chance.choice([None, *x.tasks.values()])
    from_task = None if target is None else target.id
    said = " from the beginning" if target is None else f" from {target.ref}#{target.n}"
    try:
        family.act(
            x,
            lambda x, now, tools: revival.rerun(x, now, tools, from_task=from_task, task_input=None, workflow_input=None, correlation_id=None),
            by_operator=True,
        )
    except Broken as broken:
        broken.args = (f"{broken.args[0]} (rerun{said})",)
        raise
    return said


_VERBS: dict[str, Callable[[Family, Execution, Random], str | None]] = {
    "pause": _pause, "resume": _resume, "terminate": _terminate, "reset_callbacks": _reset_callbacks, "skip": _skip, "requeue": _requeue,
    "restart": _restart, "retry": _retry, "rerun": _rerun,
}  # fmt: skip
STEPS: tuple[tuple[Callable[[Family, Random], str], int], ...] = (
    (deliver, 30), (claim, 25), (report, 30), (heartbeat, 2), (alarm, 8), (early_alarm, 2), (pass_time, 3), (reload, 5), (verb, 9),
)  # fmt: skip
_KINDS = [step for step, _ in STEPS]
_WEIGHTS = [weight for _, weight in STEPS]


def one(family: Family, chance: Random) -> str:
    """One step of any kind; says what was done, nothing when there was nothing to do."""
    if len(family.runs) > EXECUTIONS_MAX:
        return ""
    return chance.choices(_KINDS, _WEIGHTS)[0](family, chance)


def quiet(family: Family) -> None:
    """No more trouble: all messages arrive, whatever can be completed is, time passes. Every execution comes to its end."""
    for _ in range(QUIET_ROUNDS):
        family.deliver_all()
        family.check()
        for x in family.running():
            if x.head.status is WorkflowStatus.PAUSED:
                family.act(x, lifecycle.resume, by_operator=True)
        work = [(x, t) for x in family.running() for t in x.tasks.values() if _can_complete(family, t)]
        if work:
            for x, task in work:
                if task.status is TaskStatus.SCHEDULED and task.queue:
                    family.event(x, Claimed(task.n, "w"))
                family.event(x, Reported(n=task.n, status=TaskStatus.COMPLETED, output={"done": 1}))
            continue
        if family.letters:
            continue
        instants = [x.head.wake_at for x in family.running() if x.head.wake_at]
        instants += [x.tasks[n].due_at for x, n in family.claimable(due=False)]
        if not instants:
            break
        family.now = max(family.now, min(instants))
        for x in list(family.running()):
            if x.head.wake_at and x.head.wake_at <= family.now:
                family.tick(x)
    left = family.running()
    if left:
        raise Broken("with a willing worker every execution ends", str([shown(x) for x in left]))


def _can_complete(family: Family, t: Task) -> bool:
    if t.status is TaskStatus.SCHEDULED and t.queue:
        return t.due_at <= family.now
    return _is_with_somebody(t) and not t.wait_until


def _named(family: Family, id: str) -> str:
    x = family.runs.get(id)
    return f"{x.head.name}.{id[:4]}" if x is not None else id[:4]


def _task(x: Execution, task: Task) -> str:
    return f"{x.head.name}.{x.head.id[:4]}/{task.ref}#{task.n}"
