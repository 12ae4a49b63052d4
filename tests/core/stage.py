"""
A stage for the decider: executions built in a line, events played on them, no engine and no store.

`Stage` keeps one family of executions and carries their messages; scripts are answered by a table, so that core tests need no sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from batuta.core import deadlines, lifecycle, revival
from batuta.core.decide import Outcome, decide
from batuta.core.expr.masks import Mask
from batuta.core.expr.script import Script, ScriptFailed, ScriptValue
from batuta.core.expr.template import MISSING
from batuta.core.model.decision import AskChild, Message, Publish, ReviveChild, ReviveParent, StartExecution, TellParent, TerminateExecution
from batuta.core.model.definition import Definition, digest, resolve
from batuta.core.model.event import ChildEnded, Claimed, Event, Reported, Started, Ticked
from batuta.core.model.execution import Execution, Head
from batuta.core.model.ids import named
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.errors import SecretUnreadable
from batuta.wire.metadata import read_task, read_workflow

SECRETS = {"TOKEN": "hush-hush-hush"}
Python = Callable[[Any], Any]


class Scripted:
    """A script engine that knows a few scripts by heart: source -> what it does to `$`."""

    def __init__(self, known: Mapping[str, Python]) -> None:
        self._known = dict(known)

    def evaluate(self, script: Script) -> ScriptValue | ScriptFailed:
        try:
            return ScriptValue(self._known[script.source](script.data))
        except Exception as error:
            return ScriptFailed(f"Error evaluating the script `{error}`", "error")

    def syntax_error(self, language: str, source: str) -> str | None:
        return None


class Stage:
    """Executions, the clock and the registry of one small world. `now` is moved by hand."""

    def __init__(self, scripts: Mapping[str, Python] | None = None) -> None:
        self.now = 1_000_000
        self.scripts = Scripted(scripts or {})
        self.variables_bytes_max = 256 * 1024
        self.workflows: dict[str, dict[int, Json]] = {}
        self.tasks: dict[str, Json] = {}
        self.schemas: dict[tuple[str, int], Json] = {}
        self.runs: dict[str, Execution] = {}
        self.published: list[Publish] = []
        self.polled: set[str] = set()
        self.cache: dict[str, Json] = {}
        self._started = 0

    # core.turn.Tools

    def definition(self, name: str, version: int) -> Json | None:
        versions = self.workflows.get(name, {})
        return versions.get(version or max(versions, default=0))

    def task_definition(self, name: str) -> Json | None:
        return self.tasks.get(name)

    def schema(self, name: str, version: int) -> Json | None:
        return self.schemas.get((name, version))

    def environment(self, name: str) -> str | None:
        return {"CITY": "Prague"}.get(name)

    def secret(self, name: str) -> str | None:
        if name == "LOST":
            raise SecretUnreadable("secret 'LOST' cannot be read: its key is not here")
        return SECRETS.get(name)

    def mask(self, names: Collection[str]) -> Mask:
        return Mask({name: SECRETS[name] for name in names if name in SECRETS})

    def constant(self, name: str) -> Any:
        return MISSING

    def polled_lately(self, queue: str) -> bool:
        return queue in self.polled

    def refusal(self, queue: str) -> str | None:
        return None if queue.startswith("conductor:") else "there is no such broker"

    def shown(self, x: Execution) -> Json:
        return {"workflowId": x.head.id}

    def cached_output(self, key: str, now: int) -> Json | None:
        return self.cache.get(key)

    def jitter_ms(self, most: int) -> int:
        return most

    # registering and starting

    def taskdef(self, name: str, **fields: Any) -> None:
        self.tasks[name] = read_task({"name": name, "retryCount": 0, "retryDelaySeconds": 0, "ownerEmail": "t@example.com", **fields})

    def workflow(self, name: str, tasks: list[Json], version: int = 1, **fields: Any) -> None:
        raw = read_workflow({"name": name, "version": version, "tasks": tasks, "ownerEmail": "t@example.com", **fields})
        self.workflows.setdefault(name, {})[version] = raw

    def start(self, name: str, given: Json | None = None, **fields: Any) -> Execution:
        self._started += 1
        wish = StartExecution(id=named(f"{name}{self._started}"), name=name, version=0, input=given or {}, **fields)
        return self._begin(wish)

    def run(self, tasks: list[Json], given: Json | None = None, **fields: Any) -> Execution:
        """Register these tasks as a workflow of its own and start it."""
        name = f"flow{self._started}"
        self.workflow(name, tasks, **fields)
        return self.start(name, given)

    def _begin(self, wish: StartExecution) -> Execution:
        raw = read_workflow(wish.definition) if wish.definition else self.definition(wish.name, wish.version)
        assert raw is not None, wish.name
        full = resolve(raw, self.task_definition, lambda n: max(self.workflows.get(n, {}), default=None), self.schema)
        definition = Definition(full, digest(full)[0])
        head = Head(
            id=wish.id, name=definition.name, definition_version=definition.version, definition_hash=definition.hash, status=WorkflowStatus.RUNNING,
            created_at=self.now, input=wish.input, variables=raw.get("variables") or {}, parent_id=wish.parent_id, parent_task_id=wish.parent_task_id,
            correlation_id=wish.correlation_id, priority=wish.priority, task_to_domain=wish.task_to_domain, secrets=list(wish.secrets),
        )  # fmt: skip
        x = self.runs[wish.id] = Execution(head, definition)
        self._carry(decide(x, Started(), self.now, self))
        return x

    # playing

    def play(self, x: Execution, event: Event) -> Outcome:
        return self._carry(decide(x, event, self.now, self))

    def verb(self, act: Callable[..., Outcome], x: Execution, *args: Any, **kw: Any) -> Outcome:
        return self._carry(act(x, self.now, self, *args, **kw))

    def claim(self, x: Execution, ref: str) -> Task:
        task = x.by_ref[ref]
        assert self.play(x, Claimed(task.n, "w1")).changed, f"{ref} is {task.status}"
        return task

    def report(self, x: Execution, ref: str, status: str = "COMPLETED", output: Json | None = None, **fields: Any) -> Outcome:
        """Claim the task when it waits, then report it."""
        task = x.by_ref[ref]
        if task.status is TaskStatus.SCHEDULED and task.queue:
            self.claim(x, ref)
        return self.play(x, Reported(n=task.n, status=TaskStatus(status), output=output or {}, worker="w1", **fields))

    def pass_time(self, seconds: float) -> None:
        """Advance the clock and let every execution look at it, each alarm at its own instant."""
        end = self.now + int(seconds * 1000)
        while due := min(((x.head.wake_at, x.head.id) for x in self.runs.values() if x.head.wake_at and x.head.wake_at <= end), default=None):
            self.now = max(self.now, due[0])
            self.play(self.runs[due[1]], Ticked())
        self.now = end

    def reload(self, x: Execution) -> Execution:
        """The execution as it is after it has left memory and was read again."""
        again = self.runs[x.head.id] = Execution(x.head, x.definition, list(x.tasks.values()), x.inbox)
        deadlines.rearm(again)
        return again

    def _carry(self, outcome: Outcome) -> Outcome:
        """Deliver what the outcome asks of others, and what follows from that."""
        letters: list[Message] = list(outcome.messages)
        while letters:
            letters += self._deliver(letters.pop(0)).messages
        return outcome

    def _deliver(self, message: Message) -> Outcome:
        match message:
            case StartExecution():
                if message.id not in self.runs:
                    self._begin(message)
                return Outcome(True, [])
            case Publish():
                self.published.append(message)
                return Outcome(True, [])
            case TellParent(id, task_id, child, status, output, reason):
                return decide(self.runs[id], ChildEnded(task_id, child, status, output, reason), self.now, self)
            case TerminateExecution(id, reason):
                x = self.runs[id]
                return Outcome(False, []) if x.head.status.is_terminal else lifecycle.terminate(x, self.now, self, reason)
            case ReviveParent(id, task_id, child, verb):
                return revival.revived(self.runs[id], self.now, self, task_id, child, verb)
            case ReviveChild(id, _, _):
                return revival.revived_by_parent(self.runs[id], self.now, self)
            case AskChild(id):
                return revival.told_again(self.runs[id], self.now, self)


def simple(name: str, ref: str | None = None, **fields: Any) -> Json:
    return {"name": name, "taskReferenceName": ref or name, "type": "SIMPLE", **fields}


def node(ref: str, kind: str, given: Json | None = None, **fields: Any) -> Json:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": given or {}, **fields}


def fork(ref: str, *branches: list[Json]) -> Json:
    return node(ref, "FORK_JOIN", forkTasks=list(branches))


def join(ref: str, *on: str) -> Json:
    return node(ref, "JOIN", joinOn=list(on))


def rows(x: Execution) -> list[tuple[str, str]]:
    """Reference and status of every task, in Conductor's order."""
    return [(t.ref, str(t.status)) for t in x.ordered()]
