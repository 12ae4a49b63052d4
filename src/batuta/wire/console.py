"""
What the console shows besides executions: the overview, groups of failures, findings. Structures only; they are made in api/console.py.

Ours: Conductor has nothing of the kind. Instants are epoch milliseconds, 0 for never.
"""

from __future__ import annotations

import msgspec

from batuta.wire.execution import TaskView, WorkflowView


class Origin(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    """Who started it besides a parent, an event or a person: the tick of a schedule, or an execution whose failure it is to handle. Empty: nobody of these."""

    schedule: str = ""
    scheduled_at: int = 0
    failure_of: str = ""


class Execution(msgspec.Struct, kw_only=True, rename="camel"):
    """
    One execution without its tasks. `sizes` are bytes of JSON; a payload named in `withheld` is too large to be shown unasked, and is empty here.

    `failure_workflow` is the execution that its failure started, or the words that say why none was.
    """

    workflow: WorkflowView
    revision: int
    wake_at: int
    sizes: dict[str, int]
    withheld: list[str]
    origin: Origin
    failure_workflow: str


class ExecutionTask(msgspec.Struct, kw_only=True, rename="camel"):
    """One task, its payloads alike."""

    task: TaskView
    sizes: dict[str, int]
    withheld: list[str]


class QueueState(msgspec.Struct, kw_only=True, rename="camel"):
    """A queue: what waits, since when the oldest could have been taken, who asked last. `is_ours`: a worker in the server's own process serves it."""

    queue: str
    task_type: str
    domain: str
    waiting: int
    due: int
    oldest_due_at: int
    last_poll_at: int
    last_worker: str
    workers: int
    is_ours: bool


class WorkerState(msgspec.Struct, kw_only=True, rename="camel"):
    """A worker by the name it gives itself, and the queues it asked lately."""

    worker: str
    queues: list[str]
    last_poll_at: int


class Poll(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    """When a worker asked a queue last."""

    queue: str
    worker: str
    at: int


class Hand(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    """A task that is with a worker."""

    task_id: str
    workflow_id: str
    workflow: str
    ref: str
    queue: str
    worker: str
    started_at: int
    update_time: int


class Work(msgspec.Struct, kw_only=True, rename="camel"):
    """
    Who does what. A worker counts as alive while it asked within `lately_ms`.

    `in_progress` counts by queue; `hands` are these tasks themselves as far as they were read: those of so many executions at most.
    """

    at: int
    lately_ms: int
    queues: list[QueueState]
    in_progress: dict[str, int]
    polls: list[Poll]
    hands: list[Hand]


class DefinitionState(msgspec.Struct, kw_only=True, rename="camel"):
    """A workflow name: executions by status, all there are and the recent ones."""

    name: str
    total: dict[str, int]
    recent: dict[str, int]


class OpenExecution(msgspec.Struct, kw_only=True, rename="camel"):
    """One that has not ended."""

    workflow_id: str
    name: str
    status: str
    create_time: int
    update_time: int
    correlation_id: str | None = None


class Beat(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    """What happened in one step that ended at `at`. Durations are milliseconds; -1: nothing ended."""

    at: int
    started: int
    completed: int
    failed: int
    tasks: int
    tasks_failed: int
    p50: int
    p95: int
    commit_p95: float


class Overview(msgspec.Struct, kw_only=True, rename="camel"):
    """The whole server at a glance. `beats` are steps of `step_s` seconds over the last hour at most, the latest last."""

    at: int
    began_at: int
    step_s: int
    recent_since: int
    counts: dict[str, int]
    definitions: list[DefinitionState]
    queues: list[QueueState]
    workers: list[WorkerState]
    oldest: list[OpenExecution]
    beats: list[Beat]


class FailureGroup(msgspec.Struct, kw_only=True, rename="camel"):
    """
    Executions that failed alike: the same workflow, the same task, and reasons that differ in numbers and ids at most; the reason is the newest one's.

    `steps` counts them by when they ended, in equal steps of time, the earliest first.
    """

    reason: str
    workflow: str
    ref: str
    status: str
    count: int
    first_at: int
    last_at: int
    steps: list[int]
    workflow_ids: list[str]


class Failures(msgspec.Struct, kw_only=True, rename="camel"):
    """Groups, the largest first, over steps of `step_ms` from `since`. `looked_at` executions were read, the newest first; `capped`: there are more."""

    at: int
    since: int
    step_ms: int
    looked_at: int
    capped: bool
    groups: list[FailureGroup]


class Finding(msgspec.Struct, kw_only=True, rename="camel"):
    """One thing that was looked at: `level` is ok, note, warn or fail; `advice` says what to do."""

    check: str
    level: str
    found: str
    advice: str = ""


class Health(msgspec.Struct, kw_only=True, rename="camel"):
    """What runs, where it keeps its state, and what an operator should look into."""

    at: int
    began_at: int
    version: str
    python: str
    config: dict[str, str]
    stored: dict[str, int]
    findings: list[Finding]
