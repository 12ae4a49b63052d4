"""
Family: executions and what goes between them, without an engine. One decision at a time, each checked, each stored.

A decision's changes are written into a shadow of the store and nowhere else; after every decision the shadow must hold exactly what memory
holds, so that a change nobody remembered to write is found at once. Messages wait under way until they are delivered, those between the
same two executions in their order.
Not here: what happens when (steps.py), what must hold (rules.py).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import msgspec
from stage import Stage

from batuta.core import deadlines, lifecycle, revival
from batuta.core.decide import Outcome, decide
from batuta.core.model.decision import Message, Publish, ReviveChild, ReviveParent, StartExecution, TellParent, TerminateExecution
from batuta.core.model.definition import ChildMissing, Definition, digest, resolve
from batuta.core.model.event import ChildEnded, ChildNotStarted, Event, Started, Ticked
from batuta.core.model.execution import INPUT, OUTPUT, VARIABLES, Execution, Head
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json
from batuta.core.turn import Tools
from batuta.store.rows import commit_of, head_of, row_of_head, row_of_task, task_of
from batuta.wire.metadata import read_task, read_workflow
from simulated import rules
from simulated.plans import Plan, Scripts
from simulated.rules import Broken

Act = Callable[[Execution, int, Tools], Outcome]
EXECUTIONS_MAX = 60  # a family that keeps growing is not worth playing on


class Family(Stage):
    """The executions of one world, their messages under way, their rows as stored."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.scripts = Scripts()  # type: ignore[assignment]
        self.letters: dict[tuple[str, str], deque[Message]] = {}
        self.stored: dict[str, tuple[Any, dict[int, Any]]] = {}
        self.excused: set[str] = set()  # children whose task ended without them
        self.moves: Counter[tuple[str, str, bool]] = Counter()
        self.trace: list[str] = []
        for definition in plan.tasks:
            self.tasks[definition["name"]] = read_task(definition)
        for workflow in plan.workflows:
            self.workflows.setdefault(workflow["name"], {})[workflow["version"]] = read_workflow(workflow)

    # -- one decision -----------------------------------------------------------------------------------------------------------------

    def act(self, x: Execution, act: Act, *, by_operator: bool = False) -> Outcome:
        """Let the act change the execution; store, check, and send what it asks for."""
        before = rules.statuses_of(x)
        children = {t.sub_execution_id: t for t in x.tasks.values() if t.sub_execution_id}
        outcome = act(x, self.now, self)
        self._store(x, outcome)
        rules.check_moves(before, x, by_operator=by_operator, seen=lambda *move: self.moves.update([move]))
        rules.check_execution(x, self.now)
        for message in outcome.messages:
            self._send(x.head.id, message)
        self._excuse(x, children, outcome)
        return outcome

    def _excuse(self, x: Execution, children: dict[str, Any], outcome: Outcome) -> None:
        """Children whose task has just been ended by a report or by time: nobody tells them, so they may outlive it."""
        told = {m.id for m in outcome.messages if isinstance(m, TerminateExecution)}
        for child, task in children.items():
            if x.tasks.get(task.n) is not task or task.sub_execution_id != child or (task.status.is_terminal and child not in told):
                self.excused.add(child)

    def _store(self, x: Execution, outcome: Outcome) -> None:
        head, tasks = self.stored.get(x.head.id, (None, {}))
        if not outcome.changed:
            if x.changes.tasks or x.changes.head or x.changes.gone:
                raise Broken("a decision that changes nothing leaves nothing to write", f"{x.changes.tasks} {x.changes.head} {x.changes.gone}")
        else:
            commit = commit_of(x)
            assert commit.head is not None
            head = _laid_over(commit.head, head)
            for n in commit.gone:
                tasks.pop(n, None)
            for row in commit.tasks:
                tasks[row.n] = _laid_over(row, tasks.get(row.n))
            self.stored[x.head.id] = head, tasks
        self._check_stored(x)

    def _check_stored(self, x: Execution) -> None:
        head, tasks = self.stored[x.head.id]
        if set(tasks) != set(x.tasks):
            raise Broken("what is stored is what is in memory", f"rows {sorted(tasks)} stored, {sorted(x.tasks)} in memory")
        expected = row_of_head(x.head, INPUT | OUTPUT | VARIABLES)
        if head != expected:
            raise Broken("what is stored is what is in memory", f"head stored {head}, in memory {expected}")
        for n, task in x.tasks.items():
            row = row_of_task(task, INPUT | OUTPUT)
            if tasks[n] != row:
                raise Broken("what is stored is what is in memory", f"{task.ref} stored {tasks[n]}, in memory {row}")

    def reload(self, id: str) -> None:
        """The execution leaves memory and is read from its rows."""
        head, tasks = self.stored[id]
        old = self.runs[id]
        x = Execution(
            head_of(head), Definition(msgspec.json.decode(msgspec.json.encode(old.definition.raw)), old.definition.hash), [task_of(r) for r in tasks.values()]
        )
        deadlines.rearm(x)
        self.runs[id] = x
        self._check_stored(x)
        rules.check_execution(x, self.now)

    # -- messages ---------------------------------------------------------------------------------------------------------------------

    def _send(self, sender: str, message: Message) -> None:
        if isinstance(message, Publish):
            self.published.append(message)
        else:
            self.letters.setdefault((sender, message.id), deque()).append(message)

    def deliver_one(self, pair: tuple[str, str]) -> None:
        """Hand over the oldest message between these two."""
        line = self.letters[pair]
        message = line.popleft()
        if not line:
            del self.letters[pair]
        x = self.runs.get(pair[1])
        match message:
            case StartExecution():
                if x is None:
                    self.begin(message)
            case _ if x is None:
                pass
            case TellParent(_, task_id, child, status, output, reason):
                self.act(x, lambda x, now, tools: decide(x, ChildEnded(task_id, child, status, output, reason), now, tools))
            case TerminateExecution(_, reason):
                self.act(
                    x, lambda x, now, tools: lifecycle.NOTHING if x.head.status.is_terminal else lifecycle.terminate(x, now, tools, reason), by_operator=True
                )
            case ReviveParent(_, task_id, child, verb):
                self.act(x, lambda x, now, tools: revival.revived(x, now, tools, task_id, child, verb), by_operator=True)
            case ReviveChild():
                self.act(x, revival.revived_by_parent, by_operator=True)

    def deliver_all(self) -> None:
        """Until nothing is under way."""
        for _ in range(10_000):
            if not self.letters:
                return
            self.deliver_one(next(iter(self.letters)))
        raise Broken("messages come to an end", f"still {[type(m).__name__ for line in self.letters.values() for m in line][:10]}")

    # -- starting ---------------------------------------------------------------------------------------------------------------------

    def begin(self, wish: StartExecution) -> Execution | None:
        """Start the execution, or tell its parent why not."""
        raw = read_workflow(wish.definition) if wish.definition else self.definition(wish.name, wish.version)
        try:
            if raw is None:
                raise ChildMissing(f"no workflow {wish.name!r}")
            full = resolve(raw, self.task_definition, lambda n: max(self.workflows.get(n, {}), default=None))
        except ChildMissing as missing:
            if (parent := self.runs.get(wish.parent_id)) is not None:
                event = ChildNotStarted(wish.parent_task_id, wish.id, str(missing))
                self.act(parent, lambda x, now, tools: decide(x, event, now, tools))
            return None
        definition = Definition(full, digest(full)[0])
        head = Head(
            id=wish.id, name=definition.name, definition_version=definition.version, definition_hash=definition.hash, status=WorkflowStatus.RUNNING,
            created_at=self.now, input=wish.input, variables=raw.get("variables") or {}, parent_id=wish.parent_id, parent_task_id=wish.parent_task_id,
            correlation_id=wish.correlation_id, priority=wish.priority, task_to_domain=wish.task_to_domain,
        )  # fmt: skip
        x = self.runs[wish.id] = Execution(head, definition)
        x.touch_head(INPUT | OUTPUT | VARIABLES)
        self.act(x, _started)
        return x

    # -- looking ----------------------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """The rules of the family; those about parents and children count only with nothing under way."""
        if not self.letters:
            rules.check_family(self.runs, self.excused)

    def running(self) -> list[Execution]:
        return [x for x in self.runs.values() if not x.head.status.is_terminal]

    def claimable(self, *, due: bool = True) -> list[tuple[Execution, int]]:
        """Execution and row number of each task that a worker may claim now (or, not *due*, in time)."""
        return [
            (x, t.n) for x in self.running() for t in x.tasks.values() if t.status is TaskStatus.SCHEDULED and t.queue and (t.due_at <= self.now or not due)
        ]

    def tick(self, x: Execution) -> Outcome:
        return self.event(x, Ticked())

    def event(self, x: Execution, event: Event) -> Outcome:
        return self.act(x, lambda x, now, tools: decide(x, event, now, tools))


def _started(x: Execution, now: int, tools: Tools) -> Outcome:
    outcome = decide(x, Started(), now, tools)
    outcome.changed = True
    return outcome


def _laid_over(row: Any, stored: Any) -> Any:
    """The row with the payloads that were not written taken from the one stored before."""
    for name in ("input", "output", "variables"):
        if getattr(row, name, b"") is None:
            setattr(row, name, getattr(stored, name))
    return row


def shown(x: Execution) -> Json:
    """An execution for a trace: status, and each task in order."""
    return {"status": str(x.head.status), "wake": x.head.wake_at, "tasks": [f"{t.ref}#{t.n}@{t.attempt}:{t.status}" for t in x.ordered()]}
