"""
Constructors of the tasks without branches, one method a kind.

Here: which fields and inputs Conductor wants for each. Not here: tasks that hold others (flow.py).
The first argument of each can be given by place only, so that an input may have any name; where an input's name is taken by
an option, give it in ``input={...}``. Source: conductor's task types; only what Conductor OSS and Orkes both run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, TypeVar

from batuta.client.builder.blocks import ref_of
from batuta.client.builder.expr import DefinitionError, Expr, plain
from batuta.client.builder.node import TaskNode, ref_from

N = TypeVar("N", bound=TaskNode)

_DURATION = re.compile(
    r"\s*(\d+\s*(d|days?))?\s*(\d+\s*(h|hrs?|hours?))?\s*(\d+\s*(m|mins?|minutes?))?\s*(\d+\s*(s|secs?|seconds?))?\s*\Z", re.IGNORECASE
)
_UNTIL = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d( \S+)?)?\Z")


class HasDefinition(Protocol):
    """Another workflow being built, to be embedded."""

    name: str

    def to_dict(self) -> dict[str, Any]: ...


class Operators:
    """The part of `Flow` that makes single tasks."""

    def add(self, node: N) -> N:
        """Put *node* at the end of the block being filled."""
        raise NotImplementedError

    def task(self, name: str, /, *, ref: str | None = None, input: Mapping[str, Any] | None = None, **values: Any) -> TaskNode:
        """A task for workers of type *name*, with *values* as its input; its reference is its name unless given."""
        return self.add(TaskNode("SIMPLE", name, ref or ref_from(name), input={**(input or {}), **values}))

    def system(
        self, type: str, ref: str, /, *, name: str | None = None, input: Mapping[str, Any] | None = None, **values: Any
    ) -> TaskNode:
        """A task of any other type, such as ``LLM_CHAT_COMPLETE``; add fields with `TaskNode.with_fields`."""
        return self.add(TaskNode(type, name or ref, ref, input={**(input or {}), **values}))

    def http(
        self,
        ref: str,
        /,
        uri: str | Expr,
        *,
        method: str = "GET",
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
        connect_timeout_ms: int | None = None,
        read_timeout_ms: int | None = None,
        accept: str | None = None,
        content_type: str | None = None,
    ) -> TaskNode:
        """An HTTP call by the server; ``output.response`` has body, statusCode and headers. Anything but 2xx fails the task."""
        request = {
            "uri": uri,
            "method": method,
            "headers": headers,
            "body": body,
            "connectionTimeOut": connect_timeout_ms,
            "readTimeOut": read_timeout_ms,
            "accept": accept,
            "contentType": content_type,
        }
        return self.add(TaskNode("HTTP", ref, ref, input={"http_request": {k: v for k, v in request.items() if v is not None}}))

    def inline(
        self, ref: str, script: str, /, *, evaluator: str = "javascript", input: Mapping[str, Any] | None = None, **values: Any
    ) -> TaskNode:
        """A script run by the server with *values* in ``$``; ``output.result`` is what it evaluates to."""
        return self.add(
            TaskNode("INLINE", ref, ref, input={**(input or {}), **values, "evaluatorType": evaluator, "expression": script})
        )

    def jq(self, ref: str, query: str, /, *, input: Mapping[str, Any] | None = None, **values: Any) -> TaskNode:
        """A jq query over *values*; ``output.result`` is its first result, ``output.resultList`` all."""
        return self.add(TaskNode("JSON_JQ_TRANSFORM", ref, ref, input={**(input or {}), **values, "queryExpression": query}))

    def wait(
        self, ref: str, /, *, seconds: int | None = None, duration: str | Expr | None = None, until: str | Expr | None = None
    ) -> TaskNode:
        """
        A pause: for *seconds*, for a *duration* such as ``"1 day 2 hours"``, *until* such as ``"2030-01-31 08:00 UTC"``; or
        for a signal, when nothing is given.
        """
        given = [name for name, value in (("seconds", seconds), ("duration", duration), ("until", until)) if value is not None]
        if len(given) > 1:
            raise DefinitionError(f"wait {ref!r} has {' and '.join(given)}; give one of them")
        if isinstance(duration, str) and "${" not in duration and not (duration.strip() and _DURATION.match(duration)):
            raise DefinitionError(f"wait {ref!r}: duration is {duration!r}; expected whole numbers with units, like '1 day 2 hours 30 seconds'")
        if isinstance(until, str) and "${" not in until and not _UNTIL.match(until):
            raise DefinitionError(f"wait {ref!r}: until is {until!r}; expected '2030-01-31', '2030-01-31 08:00' or '2030-01-31 08:00 UTC'")
        if seconds is not None:
            duration = f"{seconds} seconds"
        values = {"duration": duration, "until": until}
        return self.add(TaskNode("WAIT", ref, ref, input={name: value for name, value in values.items() if value is not None}))

    def human(self, ref: str, /, *, input: Mapping[str, Any] | None = None, **values: Any) -> TaskNode:
        """A task for people: in progress until somebody reports it through the API; its output is what they report."""
        return self.add(TaskNode("HUMAN", ref, ref, input={**(input or {}), **values}))

    def pull_messages(self, ref: str, /, *, batch_size: int | Expr | None = None, blocking: bool | Expr | None = None) -> TaskNode:
        """Messages pushed to the execution, *batch_size* at most (1 unless said); while there is none it waits, unless *blocking* is False."""
        given = {name: value for name, value in (("batchSize", batch_size), ("blocking", blocking)) if value is not None}
        return self.add(TaskNode("PULL_WORKFLOW_MESSAGES", ref, ref, input=given))

    def event(self, ref: str, sink: str, /, *, input: Mapping[str, Any] | None = None, **values: Any) -> TaskNode:
        """A message with *values* to *sink*: ``conductor:NAME``, ``kafka:TOPIC``, ``sqs:QUEUE`` and the like."""
        return self.add(TaskNode("EVENT", ref, ref, {"sink": plain(sink, f"sink of event {ref!r}")}, {**(input or {}), **values}))

    def kafka_publish(self, ref: str, /, *, servers: str | Expr, topic: str | Expr, value: Any, key: Any = None, **request: Any) -> TaskNode:
        """A record for a Kafka topic; *request* holds further fields, such as ``headers``."""
        fields = {"bootStrapServers": servers, "topic": topic, "value": value, "key": key, **request}
        return self.add(TaskNode("KAFKA_PUBLISH", ref, ref, input={"kafka_request": {k: v for k, v in fields.items() if v is not None}}))

    def noop(self, ref: str, /) -> TaskNode:
        """Nothing; a place to join or to lead to."""
        return self.add(TaskNode("NOOP", ref, ref))

    def dynamic(self, ref: str, task_name: str | Expr, /, *, input: Mapping[str, Any] | None = None, **values: Any) -> TaskNode:
        """A task whose name is known only when its turn comes."""
        values = {**(input or {}), **values, "taskToExecute": task_name}
        return self.add(TaskNode("DYNAMIC", ref, ref, {"dynamicTaskNameParam": "taskToExecute"}, values))

    def set_variable(self, ref: str, /, *, input: Mapping[str, Any] | None = None, **values: Any) -> TaskNode:
        """Set variables of the execution; read them as ``wf.variables.NAME``."""
        if not (input or values):
            raise DefinitionError(f"set_variable {ref!r} sets no variable")
        return self.add(TaskNode("SET_VARIABLE", ref, ref, input={**(input or {}), **values}))

    def terminate(
        self,
        ref: str,
        /,
        status: Literal["COMPLETED", "FAILED", "TERMINATED"] = "COMPLETED",
        *,
        reason: str | Expr | None = None,
        output: Mapping[str, Any] | Expr | None = None,
    ) -> TaskNode:
        """The end of the execution, with this status, reason and output."""
        if status not in ("COMPLETED", "FAILED", "TERMINATED"):
            raise DefinitionError(f"terminate {ref!r}: status is {status!r}; expected COMPLETED, FAILED or TERMINATED")
        values = {"terminationStatus": status, "terminationReason": reason, "workflowOutput": output}
        return self.add(TaskNode("TERMINATE", ref, ref, input={name: value for name, value in values.items() if value is not None}))

    def sub_workflow(
        self,
        ref: str,
        workflow: str | HasDefinition,
        /,
        *,
        version: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        input: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> TaskNode:
        """
        Another workflow, waited for; its output is the task's output.

        *workflow* is a registered name (its newest version unless given), or a workflow being built, which is embedded.
        """
        param: dict[str, Any] = {"name": workflow} if isinstance(workflow, str) else {"name": workflow.name, "workflowDefinition": workflow.to_dict()}
        if not isinstance(workflow, str):
            version = version or param["workflowDefinition"]["version"]
        param |= {} if version is None else {"version": version}
        param |= {"taskToDomain": dict(task_to_domain)} if task_to_domain else {}
        return self.add(TaskNode("SUB_WORKFLOW", ref, ref, {"subWorkflowParam": param}, {**(input or {}), **values}))

    def start_workflow(
        self,
        ref: str,
        workflow: str | Expr,
        /,
        *,
        version: int | None = None,
        correlation_id: str | Expr | None = None,
        input: Mapping[str, Any] | Expr | None = None,
    ) -> TaskNode:
        """Another workflow, started and not waited for; ``output.workflowId`` is its id."""
        request = {"name": workflow, "version": version, "correlationId": correlation_id, "input": {} if input is None else input}
        return self.add(TaskNode("START_WORKFLOW", ref, ref, input={"startWorkflow": {k: v for k, v in request.items() if v is not None}}))

    def exclusive_join(self, ref: str, /, on: Iterable[TaskNode | str], *, default: Iterable[TaskNode | str] = ()) -> TaskNode:
        """The output of the first of these tasks that ran, for use after a switch; else of the first of *default*."""
        fields: dict[str, Any] = {"joinOn": [ref_of(task) for task in on]}
        if others := [ref_of(task) for task in default]:
            fields["defaultExclusiveJoinTask"] = others
        return self.add(TaskNode("EXCLUSIVE_JOIN", ref, ref, fields))
