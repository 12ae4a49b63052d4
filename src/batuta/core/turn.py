"""
Turn: one execution being decided once. What the nodes and the decider work with.

Here: making and moving tasks so that every index of the execution stays true, evaluating inputs, collecting messages.
Not here: when any of it happens (decide.py, lifecycle.py, revival.py), what a node type means (nodes/).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from batuta.core.expr.masks import Mask
from batuta.core.expr.script import ScriptEngine
from batuta.core.expr.template import MISSING, Template, evaluate, resolve_secrets
from batuta.core.model.decision import Message
from batuta.core.model.definition import Definition, Node
from batuta.core.model.execution import INPUT, OUTPUT, ROW, Execution
from batuta.core.model.ids import task_id
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task


class Tools(Protocol):
    """All that a decision may know or use besides the execution, the event and the instant. Reads only, but for the script engine's sandbox."""

    scripts: ScriptEngine
    variables_bytes_max: int

    def definition(self, name: str, version: int) -> Json | None:
        """The registered workflow definition (version 0: the latest), or None."""
        ...

    def task_definition(self, name: str) -> Json | None:
        """The registered task definition, or None."""
        ...

    def schema(self, name: str, version: int) -> Json | None:
        """The registered schema (version 0: the latest), or None."""
        ...

    def environment(self, name: str) -> str | None:
        """What ${workflow.env.NAME} stands for."""
        ...

    def secret(self, name: str) -> str | None:
        """What ${workflow.secrets.NAME} stands for; only for what is handed on, never for what is stored. Raises SecretUnreadable."""
        ...

    def mask(self, names: Collection[str]) -> Mask:
        """What takes the values of these secrets out of what comes in."""
        ...

    def constant(self, name: str) -> Any:
        """NETFLIX_ENV and the like: the text, None when known but unset, MISSING when no such name exists."""
        ...

    def polled_lately(self, queue: str) -> bool:
        """Whether a worker has polled this queue within the last seconds; chooses among several domains."""
        ...

    def refusal(self, queue: str) -> str | None:
        """Why no message of an EVENT task can ever go to this queue (`provider:queue`), or None when one can."""
        ...

    def shown(self, x: Execution) -> Json:
        """The execution as Conductor shows it, tasks included; what a failure workflow is told of the run that failed."""
        ...

    def cached_output(self, key: str, now: int) -> Json | None:
        """What a task of the same key put out, as long as that counts."""
        ...

    def jitter_ms(self, most: int) -> int:
        """A number from 0 to *most*, by chance."""
        ...


class View:
    """The document that expressions of one execution look into."""

    __slots__ = ("task_id", "tools", "x")

    def __init__(self, x: Execution, tools: Tools, task_id: str | None = None) -> None:
        self.x, self.tools, self.task_id = x, tools, task_id

    def root(self, name: str) -> Any:
        if name == "workflow":
            return workflow_document(self.x)
        task = self.x.by_base.get(name)
        return MISSING if task is None else task_document(self.x, task)

    def names(self) -> Iterable[str]:
        return ["workflow", *self.x.by_base]

    def constant(self, name: str) -> Any:
        if name == "CPEWF_TASK_ID":
            return self.task_id
        return self.tools.constant(name)

    def environment(self, name: str) -> Any:
        return self.tools.environment(name)


def workflow_document(x: Execution) -> Json:
    """What `${workflow…}` sees."""
    h = x.head
    return {
        "input": h.input, "output": h.output, "status": str(h.status), "workflowId": h.id, "parentWorkflowId": h.parent_id or None,
        "parentWorkflowTaskId": h.parent_task_id or None, "workflowType": h.name, "version": h.definition_version, "correlationId": h.correlation_id,
        "reasonForIncompletion": h.reason, "schemaVersion": x.definition.raw.get("schemaVersion", 2), "variables": h.variables,
    }  # fmt: skip


def task_document(x: Execution, t: Task) -> Json:
    """What `${ref…}` sees."""
    return {
        "input": t.input, "output": x.output_of(t), "taskType": t.type, "status": str(t.status), "referenceTaskName": t.ref, "retryCount": t.attempt,
        "correlationId": x.head.correlation_id, "pollCount": t.poll_count, "taskDefName": t.def_name, "scheduledTime": t.scheduled_at,
        "startTime": t.started_at, "endTime": t.ended_at, "workflowInstanceId": x.head.id, "taskId": t.id, "reasonForIncompletion": t.reason,
        "callbackAfterSeconds": t.callback_after_s, "workerId": t.worker or None, "iteration": t.iteration,
    }  # fmt: skip


class Stop(Exception):
    """A definition that cannot go on (a fork without its join, a malformed dynamic fork): the execution fails with this reason."""


class Turn:
    """The execution, the instant, the tools; and what this decision has brought about so far."""

    __slots__ = ("begins", "ended", "gathered", "joins", "loops", "messages", "now", "ready", "revived", "stamps", "tools", "x")

    def __init__(self, x: Execution, now: int, tools: Tools) -> None:
        self.x, self.now, self.tools = x, now, tools
        self.messages: list[Message] = []
        self.ready: list[Task] = []  # ended, and the decider has not yet taken their end into account
        self.begins: list[Task] = []  # sub-workflows and the like whose time has come
        self.joins: dict[int, Task] = {}  # joins that may have become ready
        self.loops: dict[int, Task] = {}  # loops whose turn may be over
        self.gathered = False  # whether these hold everything that waits, not only what this event touched
        self.ended = False
        self.revived = ""  # the verb by which an ended execution lives again
        self.stamps = False  # whether the execution's own row shows this instant as its update (see decide.schedule)

    # -- expressions ------------------------------------------------------------------------------------------------------------

    def view(self, task_id: str | None = None) -> View:
        return View(self.x, self.tools, task_id)

    def input_of(self, node: Node, task_id: str | None) -> Json:
        """The node's parameters, evaluated; keys that come out null fall back to the task definition's template as written."""
        out: Json = node.input.evaluate(self.view(task_id))
        if node.input_fallback:
            out = {k: node.input_fallback.get(k) if v is None else v for k, v in out.items()}
        return out

    def revealed(self, value: Json) -> Json:
        """The value with the secrets it names put in: for a script or a call, not for storing. Raises SecretUnreadable."""
        return resolve_secrets(value, self.tools.secret, self.x.secrets) if self.x.secrets else value

    def masked(self, output: Json) -> Json:
        """The output with expressions in the place of the secrets in it; see expr/masks.py."""
        return self.tools.mask(self.x.secrets).payload(output) if self.x.secrets and output else output

    def masked_text(self, text: str | None) -> str | None:
        """The reason with `***` in the place of secrets."""
        return self.tools.mask(self.x.secrets).text(text) if self.x.secrets and text else text

    def evaluate(self, value: Any, task_id: str | None = None) -> Any:
        """A value with its expressions replaced; for the rarely used fields that are not compiled with the definition."""
        if isinstance(value, Template):
            return value.evaluate(self.view(task_id))
        return evaluate(value, self.view(task_id))

    # -- making tasks -----------------------------------------------------------------------------------------------------------

    def draft(self, node: Node, suffix: str, *, kind: str, def_name: str, status: TaskStatus, attempt: int = 0) -> Task:
        """A task with its id and number, not yet part of the execution (`add`)."""
        h, now = self.x.head, self.now
        h.tasks_made += 1
        n = h.tasks_made
        running = status is TaskStatus.IN_PROGRESS
        task = Task(
            id=task_id(h.id, n), n=n, ref=node.ref + suffix, type=kind, def_name=def_name, status=status, base_ref=node.ref if suffix else "", attempt=attempt,
            iteration=int(suffix.rsplit("__", 1)[1]) if suffix else 0, priority=h.priority, scheduled_at=now, first_scheduled_at=now,
            started_at=now if running else 0, updated_at=now if running else 0,
        )  # fmt: skip
        if node.fork:
            task.node, task.fork = node.raw, node.fork
        return task

    def add(self, task: Task) -> bool:
        """Make it part of the execution, unless its reference is already running, has ended, or has this attempt. Says whether it was added."""
        x = self.x
        there = x.by_ref.get(task.ref)
        if there is not None and (there.attempt == task.attempt or (there.status is not TaskStatus.SCHEDULED and not there.retried)):
            return False
        x.last_seq += 1
        task.seq = x.last_seq
        x.insert(task)
        x.changes.made.add(task.n)
        x.touch(task, ROW | INPUT | OUTPUT)
        if task.status.is_terminal:
            task.ended_at = task.ended_at or self.now
            self.ready.append(task)
        return True

    # -- moving tasks -----------------------------------------------------------------------------------------------------------

    def move(self, task: Task, status: TaskStatus, *, output: Json | None = None, reason: str | None = None) -> None:
        """Set the status; what has ended waits in `ready` for the decider. COMPLETED with an output that breaks the task's contract is FAILED."""
        was = task.status
        if status is TaskStatus.COMPLETED and self.x.has_contracts and (misfit := self._misfit(task, output)) is not None:
            status, reason = TaskStatus.FAILED, misfit  # another attempt may do better
        task.status = status
        if output is not None:
            task.output = output
            self.x.touch(task, OUTPUT)
        if reason is not None:
            task.reason = reason
        if status.is_terminal:
            task.ended_at = self.now
            task.updated_at = task.updated_at or self.now
            if not was.is_terminal:
                self.x.closed(task)
                self.ready.append(task)
        else:
            task.updated_at = self.now
            if was.is_terminal:
                self.x.reopened(task)
        self.x.touch(task)

    def _misfit(self, task: Task, output: Json | None) -> str | None:
        """Why the task may not complete with this output (None: the one it has)."""
        contract = self.x.node_of(task).output_contract
        return None if contract is None else contract.misfit(task.output if output is None else output, self.x.definition.masked)

    def complete(self, task: Task, output: Json | None = None) -> None:
        self.move(task, TaskStatus.COMPLETED, output=output)

    def fail(self, task: Task, reason: str, *, output: Json | None = None, for_good: bool = False) -> None:
        self.move(task, TaskStatus.FAILED_WITH_TERMINAL_ERROR if for_good else TaskStatus.FAILED, output=output, reason=reason)

    def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def definition(self) -> Definition:
        d: Definition = self.x.definition
        return d


def suffix_of(task: Task) -> str:
    """`__2` of `body__2`; empty outside loops."""
    return task.ref[len(task.base_ref) :] if task.base_ref else ""
