"""
EVENT: publish a message to a queue and go on, or wait for a report (asyncComplete).

Here: which queue a sink means and what the message holds. Not here: delivering it (engine/outbox.py).
The message is sent once, in the commit that completes the task. Source: conductor-semantics.md §4.11.
"""

from __future__ import annotations

from batuta.core.model.decision import Publish
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn

PROVIDERS = frozenset({"conductor", "sqs", "kafka", "nats", "jsm", "nats_stream", "amqp", "amqp_queue", "amqp_exchange"})


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="EVENT", def_name=node.name, status=TaskStatus.SCHEDULED)
    sink = turn.evaluate(node.raw.get("sink"), task.id)
    task.input = {**turn.input_of(node, task.id), "sink": sink, "asyncComplete": node.async_complete}
    return [task]


def queue_of(sink: object, workflow: str, ref: str) -> str:
    """
    The queue that a sink names.

    Raises:
        ValueError: the sink names none; the message says why.
    """
    if not isinstance(sink, str) or not sink.strip():
        raise ValueError(f"No sink specified in task {ref!r}: found {sink!r}, expected provider:queue")
    sink = sink.strip()
    if sink == "conductor":
        return f"conductor:{workflow}:{ref}"
    if sink.startswith("conductor:"):
        return f"conductor:{workflow}:{sink.replace('conductor:', '')}"
    provider, colon, rest = sink.partition(":")
    if sink.startswith("conductor") or not colon or not rest or provider not in PROVIDERS:
        raise ValueError(f"Invalid sink {sink!r}: expected one of {', '.join(sorted(PROVIDERS))}, followed by :queue")
    return sink


def run(turn: Turn, task: Task) -> None:
    h = turn.x.head
    output = {
        **task.input, "workflowInstanceId": h.id, "workflowType": h.name, "workflowVersion": h.definition_version, "correlationId": h.correlation_id,
        "taskToDomain": h.task_to_domain,
    }  # fmt: skip
    try:
        queue = queue_of(task.input.get("sink"), h.name, task.ref)
    except ValueError as wrong:
        turn.fail(task, str(wrong), output=output)
        return
    if (refusal := turn.tools.refusal(queue)) is not None:
        turn.fail(task, f"Invalid sink {queue!r}: {refusal}", output=output, for_good=True)
        return
    output["event_produced"] = queue
    turn.send(Publish(task.id, queue, output))
    task.started_at = turn.now
    turn.move(task, TaskStatus.IN_PROGRESS if turn.x.node_of(task).async_complete else TaskStatus.COMPLETED, output=output)
