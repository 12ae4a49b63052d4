"""
Execution: one run of a definition, its tasks, and what changed since it was last stored.

`Head` is the stored row; `Execution` is the head, all its tasks and the indexes that let the decider touch only what changed.
Everything but `head` and `tasks` is derived and can be rebuilt from them (`Execution.of`).

Not here: rules. Nothing in this file decides what happens next (decide.py).
Instants are epoch milliseconds, 0 when unset.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from batuta.core.model.definition import Definition, Node, lone
from batuta.core.model.status import WorkflowStatus
from batuta.core.model.task import Json, Task

ROW, INPUT, OUTPUT, VARIABLES = 1, 2, 4, 8  # what of a row must be written


class Head(msgspec.Struct, omit_defaults=True):
    """The execution's own row. `revision` grows by one with every commit and guards it."""

    id: str
    name: str
    definition_version: int
    definition_hash: str
    status: WorkflowStatus
    revision: int = 0
    previous_status: WorkflowStatus | None = None
    priority: int = 0
    correlation_id: str | None = None
    parent_id: str = ""
    parent_task_id: str = ""
    task_to_domain: dict[str, str] = {}
    event: str | None = None
    created_by: str = ""
    idempotency_key: str = ""
    created_at: int = 0
    updated_at: int = 0
    ended_at: int = 0
    last_retried_at: int = 0
    wake_at: int = 0  # the next instant at which time alone changes something; 0: never
    reason: str | None = None
    failed_task_id: str = ""
    failed_refs: list[str] = []
    failed_names: list[str] = []
    external_input: str = ""
    external_output: str = ""
    rate_limit_key: str = ""  # what the definition's key came out as at the start; empty: there is no limit
    held: Json | None = None  # waiting for a place under that limit: what is to happen then (places.py)
    queued_at: int = 0  # since when
    out_of_breath: bool = False  # the last decision left something to be taken in; its alarm is set for at once
    tasks_made: int = 0  # rows ever made; task numbers and ids come from here
    pushed: int = 0  # messages ever pushed to it; they are numbered from 1
    secrets: list[str] = []  # names that whoever started it may use, and so it may; those of its own definition are in the definition
    input: Json = {}
    output: Json = {}
    variables: Json = {}


class Pushed(msgspec.Struct, frozen=True):
    """A message that somebody pushed to the execution. `n` counts them; `at` is when it came."""

    n: int
    id: str
    payload: Json
    at: int


class Changes:
    """What must be written: parts of the head, parts of tasks by row number, rows gone; messages that came, and up to which they were taken."""

    __slots__ = ("gone", "head", "left", "made", "pushed", "taken", "tasks")

    def __init__(self) -> None:
        self.head = 0
        self.tasks: dict[int, int] = {}
        self.made: set[int] = set()
        self.gone: list[int] = []
        self.left: list[Task] = []  # of what is gone, tasks that may still be in a queue
        self.pushed: tuple[Pushed, ...] = ()
        self.taken = 0


class Execution:
    """One run in memory. Owned by whoever decides it; never shared between threads at one time."""

    __slots__ = (
        "by_base", "by_id", "by_ref", "changes", "deadlines", "definition", "exclusive_joins", "has_contracts", "head", "inbox", "join_missing",
        "join_waits", "last_seq", "nodes", "open_count", "open_in", "pulls", "secrets", "tasks",
    )  # fmt: skip

    def __init__(self, head: Head, definition: Definition, tasks: Iterable[Task] = (), inbox: Iterable[Pushed] = ()) -> None:
        self.head = head
        self.definition = definition
        self.changes = Changes()
        self.nodes: dict[str, Node] = {}  # nodes that only this run has (dynamic fork branches), by reference as written
        self.tasks: dict[int, Task] = {}  # by row number, which is also the order of making
        self.inbox = list(inbox)  # messages pushed and not yet taken, oldest first
        self.rebuild(tasks)

    def rebuild(self, tasks: Iterable[Task]) -> None:
        """Make every index anew from these rows. O(rows): for loading and for the operator's verbs, never for a report."""
        self.tasks = {}
        self.by_id: dict[str, Task] = {}
        self.by_ref: dict[str, Task] = {}  # newest attempt of each reference, loop suffix included
        self.by_base: dict[str, Task] = {}  # newest task of each reference as written; what expressions see
        self.open_count = 0  # tasks not yet terminal
        self.open_in: dict[str, int] = {}  # the same inside each loop row, by the loop's reference
        self.join_waits: dict[str, list[Task]] = {}  # open joins by the references they wait for
        self.join_missing: dict[int, int] = {}  # how many references each open join still waits for, by row number
        self.exclusive_joins: dict[int, Task] = {}
        self.pulls: dict[int, Task] = {}  # open PULL_WORKFLOW_MESSAGES
        self.deadlines: list[tuple[int, int]] = []  # heap of (instant, row number); stale entries are skipped when met
        self.last_seq = 0
        self.has_contracts = self.definition.has_contracts  # or a node that only this run has (`know`)
        self.secrets = self.definition.secrets  # names it may use
        if self.head.secrets or self.nodes:
            self.secrets = self.secrets.union(self.head.secrets, *(node.secrets for node in self.nodes.values()))
        ordered = sorted(tasks, key=lambda t: (t.seq, t.n))
        for task in ordered:
            self._place(task)
            self.last_seq = max(self.last_seq, task.seq)
        for task in ordered:  # only now: a join's branch may have a newer attempt than the one made before the join
            if not task.status.is_terminal:
                self.opened(task)

    def insert(self, task: Task) -> None:
        """Take the row into every index."""
        self._place(task)
        if not task.status.is_terminal:
            self.opened(task)

    def _place(self, task: Task) -> None:
        self.tasks[task.n] = task
        self.by_id[task.id] = task
        if task.node is not None:
            known = self.nodes.get(task.base_ref or task.ref)
            if known is None or known.raw is not task.node:
                self.know(lone(task.node, self.definition.by_ref.get(task.fork) or self.nodes.get(task.fork)))
        self.by_ref[task.ref] = task
        newest = self.by_base.get(task.base_ref or task.ref)
        if newest is None or task.seq >= newest.seq:  # a task skipped ahead stands before all others
            self.by_base[task.base_ref or task.ref] = task

    def know(self, branch: Node) -> None:
        """Make a dynamic branch's nodes known; a later turn of a loop may bring other ones under the same references."""
        self.nodes[branch.ref] = branch
        self.has_contracts |= branch.has_contracts
        if not branch.secrets <= self.secrets:
            self.secrets |= branch.secrets
        for inner in branch.children():
            for node in inner:
                self.know(node)

    def opened(self, task: Task) -> None:
        """The task may move: count it, and let joins wait."""
        self.open_count += 1
        if loop := self.loop_ref(task):
            self.open_in[loop] = self.open_in.get(loop, 0) + 1
        if task.type == "JOIN":
            missing = 0
            for ref in task.input.get("joinOn") or ():
                self.join_waits.setdefault(ref, []).append(task)
                there = self.by_ref.get(ref)
                missing += there is None or there.retried or not there.executed
            self.join_missing[task.n] = missing
        elif task.type == "EXCLUSIVE_JOIN":
            self.exclusive_joins[task.n] = task
        elif task.type == "PULL_WORKFLOW_MESSAGES":
            self.pulls[task.n] = task

    reopened = opened

    def closed(self, task: Task) -> None:
        """The task has ended."""
        self.open_count -= 1
        if loop := self.loop_ref(task):
            self.open_in[loop] -= 1
        if task.type == "JOIN":
            for ref in task.input.get("joinOn") or ():
                self.join_waits[ref].remove(task)
            self.join_missing.pop(task.n, None)
        self.exclusive_joins.pop(task.n, None)
        if self.pulls:
            self.pulls.pop(task.n, None)

    def forget(self, task: Task) -> None:
        """The row goes away. References that point to it are gone too; call rebuild() if an older attempt should show again."""
        if not task.status.is_terminal:
            self.closed(task)
        del self.tasks[task.n], self.by_id[task.id]
        if self.by_ref.get(task.ref) is task:
            del self.by_ref[task.ref]
        if self.by_base.get(task.base_ref or task.ref) is task:
            del self.by_base[task.base_ref or task.ref]
        self.changes.tasks.pop(task.n, None)
        if task.queue:
            self.changes.left.append(task)
        if task.n in self.changes.made:
            self.changes.made.discard(task.n)
        else:
            self.changes.gone.append(task.n)

    def node_of(self, task: Task) -> Node:
        """The task's place in the definition."""
        ref = task.base_ref or task.ref
        return self.definition.by_ref.get(ref) or self.nodes[ref]

    def loop_ref(self, task: Task) -> str:
        """The reference of the DO_WHILE row this task runs in; empty outside loops."""
        if not task.base_ref:
            return ""
        loop = self.node_of(task).loop
        return loop.ref + task.ref[len(task.base_ref) :].rsplit("__", 1)[0] if loop is not None else ""

    def output_of(self, task: Task) -> Json:
        """The task's output; of a waiting JOIN, what its branches have put out so far."""
        if task.type == "JOIN" and not task.status.is_terminal:
            return self.joined(task)
        return task.output

    def joined(self, join: Task) -> Json:
        """The outputs of the branches that have ended, under their references; empty ones are left out."""
        found = ((ref, self.by_ref.get(ref)) for ref in join.input.get("joinOn") or ())
        return {ref: t.output for ref, t in found if t is not None and t.output}

    def push(self, message: Pushed) -> None:
        """The message waits behind all others."""
        self.head.pushed = message.n
        self.inbox.append(message)
        self.changes.pushed += (message,)

    def take(self, most: int) -> list[Pushed]:
        """The oldest messages, which do not wait any more."""
        taken = self.inbox[:most]
        if taken:
            del self.inbox[:most]
            self.changes.taken = taken[-1].n
        return taken

    def ordered(self) -> list[Task]:
        """All tasks in Conductor's order: by seq, skipped ones (seq 0) first."""
        return sorted(self.tasks.values(), key=lambda t: (t.seq, t.n))

    def touch(self, task: Task, parts: int = ROW) -> None:
        """Remember that these parts of the task must be written."""
        changed = self.changes.tasks
        changed[task.n] = changed.get(task.n, 0) | parts | ROW

    def touch_head(self, parts: int = ROW) -> None:
        """Remember that these parts of the execution's own row must be written."""
        self.changes.head |= parts | ROW
