"""
Actions: what an event handler does with a message once it is clear that it acts.

Each takes the action's description, its expressions filled in from the payload, and answers what is kept as its output. Asked twice for the same
message it does the same thing again at most: executions are started under an id that follows from handler, message and action, and a task or
execution that has ended is left alone.

Not here: whether to act, retries, what is remembered (events.py). Source: conductor-semantics.md §3.6, §6.
"""

from __future__ import annotations

from typing import Any

import msgspec

from batuta.core.expr.secrets import secret_names
from batuta.core.expr.template import evaluate_on
from batuta.core.model.execution import Execution
from batuta.core.model.ids import named
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.variables import update_variables
from batuta.engine.engine import Engine
from batuta.engine.providers import Message
from batuta.errors import Conflict, Invalid, NotFound
from batuta.wire.requests import StartRequest, TaskResult
from batuta.wire.shape import Json


class Actions:
    """The actions, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def perform(self, handler: str, n: int, action: Json, message: Message) -> Json:
        """
        Do the handler's n-th action; what comes back is its output.

        Raises:
            NotFound: it starts a workflow that is not registered.
            Invalid: it names no workflow or task, or is of a kind that this server cannot do.
            Unavailable: the store did not take it; it may be tried again.
        """
        payload = expanded(message.payload) if action["expandInlineJSON"] else message.payload
        kind = action["action"]
        match kind:
            case "start_workflow":
                return await self._start(named(f"event:{handler}:{message.event}:{message.id}:{n}"), action[kind], message, payload)
            case "complete_task" | "fail_task":
                return await self._report(kind, action[kind], message, payload)
            case "terminate_workflow":
                return await self._terminate(self._evaluated(action[kind], payload))
            case "update_workflow_variables":
                return await self._update(self._evaluated(action[kind], payload))
        raise Invalid(f"Action not supported {kind}: this server runs no agents")

    async def _start(self, execution_id: str, wish: Json, message: Message, payload: Any) -> Json:
        found = self._evaluated({"input": wish["input"], "correlationId": wish.get("correlationId")}, payload)
        domains = wish.get("taskToDomain") or (payload.get("taskToDomain") if isinstance(payload, dict) else None)
        correlation_id = found["correlationId"]
        request = StartRequest(
            name=wish["name"],
            version=wish.get("version"),
            correlation_id=correlation_id if correlation_id is None or isinstance(correlation_id, str) else msgspec.json.encode(correlation_id).decode(),
            input={**found["input"], **_origin(message)},
            task_to_domain={k: v for k, v in domains.items() if isinstance(v, str)} if isinstance(domains, dict) else {},
        )
        await self._engine.start_as(execution_id, request, event=message.event, secrets=secret_names(wish["input"]))
        return {"workflowId": execution_id}

    async def _report(self, kind: str, wish: Json, message: Message, payload: Any) -> Json:
        names = {key: wish.get(key) for key in ("workflowId", "taskId", "taskRefName", "reasonForIncompletion")}
        output = {**self._evaluated({**names, **wish["output"]}, payload), **_origin(message)}
        target = self._evaluated(names, payload)
        found = await self._task(target)
        if found is None:
            ref, execution_id, task_id = (target[key] for key in ("taskRefName", "workflowId", "taskId"))
            return {**output, "error": f"No task found with reference name: {ref}, workflowId: {execution_id}, taskId: {task_id}"}
        x, task = found
        status = TaskStatus.COMPLETED if kind == "complete_task" else TaskStatus.FAILED
        reason = target["reasonForIncompletion"] if kind == "fail_task" and isinstance(target["reasonForIncompletion"], str) else None
        told = await self._engine.report(TaskResult(execution_id=x.head.id, task_id=task.id, status=status, output=output, reason=reason))
        return output if told is not None else {**output, "error": f"task {task.id!r} or its execution has ended; nothing was changed"}

    def _evaluated(self, wish: Json, payload: Any) -> Json:
        found: Json = evaluate_on(wish, payload, self._engine.environment.get)
        return found

    async def _task(self, target: Json) -> tuple[Execution, Task] | None:
        """The task named by its id, else the newest one of a reference in an execution; in a loop that of the latest turn."""
        task_id, execution_id, ref = target["taskId"], target["workflowId"], target["taskRefName"]
        try:
            if isinstance(task_id, str) and task_id:
                return await self._engine.read_task(task_id)
            if not isinstance(execution_id, str) or not execution_id or not isinstance(ref, str) or not ref:
                raise Invalid(f"the action names no task: found workflowId {execution_id!r}, taskRefName {ref!r}, taskId {task_id!r}")
            x = await self._engine.read(execution_id)
        except NotFound:
            return None
        task = x.by_ref.get(ref) or x.by_base.get(ref)
        return (x, task) if task is not None else None

    async def _terminate(self, wish: Json) -> Json:
        execution_id, reason = _execution_id(wish), wish.get("terminationReason")
        try:
            await self._engine.terminate(execution_id, reason if isinstance(reason, str) else None)
        except (NotFound, Conflict) as error:
            return {"workflowId": execution_id, "error": str(error)}
        return {"workflowId": execution_id}

    async def _update(self, wish: Json) -> Json:
        execution_id, append = _execution_id(wish), wish["appendArray"]
        try:
            await self._engine.act(execution_id, lambda x, now, tools: update_variables(x, now, tools, wish["variables"], append=append))
        except (NotFound, Conflict) as error:
            return {"workflowId": execution_id, "error": str(error)}
        return {"workflowId": execution_id}


def _execution_id(wish: Json) -> str:
    execution_id = wish.get("workflowId")
    if not isinstance(execution_id, str) or not execution_id:
        raise Invalid(f"the action names no workflow: its workflowId is {execution_id!r}; expected the id of an execution")
    return execution_id


def _origin(message: Message) -> Json:
    return {"conductor.event.messageId": message.id, "conductor.event.name": message.event}


def expanded(value: Any) -> Any:
    """The payload with the texts in its maps that are JSON objects or lists replaced by what they mean; texts in lists stay as they are."""
    match value:
        case dict():
            return {key: _meant(member) for key, member in value.items()}
        case list():
            return [expanded(member) for member in value]
    return value


def _meant(member: Any) -> Any:
    if isinstance(member, str) and member.lstrip()[:1] in ("{", "["):
        try:
            return expanded(msgspec.json.decode(member))
        except (msgspec.MsgspecError, RecursionError):
            return member
    return expanded(member)
