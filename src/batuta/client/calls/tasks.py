"""
Calls about tasks: take, report, look at, and the queues they wait in. Source: /tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from batuta.client.errors import ClientError
from batuta.client.http import Answer, Call, below_root
from batuta.client.models import ReportStatus, Task, TaskResult

PayloadKind = Literal["TASK_INPUT", "TASK_OUTPUT", "WORKFLOW_INPUT", "WORKFLOW_OUTPUT"]

# The server refuses to hold a poll longer than this.
POLL_TIMEOUT_S_MAX = 5.0
# How long an answer may take beyond the time the server was asked to hold the poll.
_POLL_GRACE_S = 10.0


def poll_task(task_type: str, *, worker_id: str = "", domain: str | None = None) -> Call[Task | None]:
    """Take one task of this type, or None when none is due. Source: GET /tasks/poll/{type}."""
    query = {"workerid": worker_id or None, "domain": domain}
    return Call("GET", below_root("/tasks/poll/{}", task_type), _task_or_none, query=query)


def poll_tasks(
    task_type: str, *, count: int = 1, timeout_s: float = 0.1, worker_id: str = "", domain: str | None = None
) -> Call[list[Task]]:
    """
    Take up to *count* tasks; the server holds the call up to *timeout_s* when it has fewer.

    An empty list means nothing is due. Conductor OSS waits for the full *count* until the time is over, so ask for one task
    when a long wait is wanted.

    Source: GET /tasks/poll/batch/{type}.
    """
    if not 0 <= timeout_s <= POLL_TIMEOUT_S_MAX:
        raise ValueError(f"timeout_s is {timeout_s!r}; a server holds a poll for 0 to {POLL_TIMEOUT_S_MAX:g} s")
    query = {"workerid": worker_id or None, "domain": domain, "count": count, "timeout": round(timeout_s * 1000)}
    path = below_root("/tasks/poll/batch/{}", task_type)
    return Call("GET", path, _tasks, query=query, timeout_s=timeout_s + _POLL_GRACE_S)


def update_task(result: TaskResult) -> Call[str]:
    """
    Report a result; the task's id.

    A report for a task or execution that has ended is accepted and changes nothing, so a report may be repeated.

    Raises:
        NotFound: the server has no such task.

    Source: POST /tasks.
    """
    missing = [name for name in ("task_id", "execution_id") if not getattr(result, name)]
    if missing:
        raise ValueError(f"a TaskResult without {' and '.join(missing)} cannot be reported; take task.id and task.execution_id of the task")
    return Call("POST", "/tasks", Answer.text, body=result.to_json(), is_repeatable=True)


def update_task_by_ref(
    execution_id: str, ref: str, status: ReportStatus, output: Mapping[str, Any] | None = None, *, worker_id: str | None = None
) -> Call[str | None]:
    """
    Move the open task *ref* of an execution; its id, or None when the execution has no such open task.

    *output* is merged into what the task has already.

    Source: POST /tasks/{workflowId}/{ref}/{status}.
    """
    path = below_root("/tasks/{}/{}/{}", execution_id, ref, status)
    return Call("POST", path, lambda answer: answer.text() or None, query={"workerid": worker_id}, body=dict(output or {}))


def get_task(task_id: str) -> Call[Task]:
    """The task with this id. Raises NotFound. Source: GET /tasks/{id}."""
    return Call("GET", below_root("/tasks/{}", task_id), lambda answer: Task.from_json(answer.json()))


def payload_uri(path: str, kind: PayloadKind) -> Call[str]:
    """Where the payload stands that is shown by this path: an address for `payload_at`. Source: GET /tasks/externalstoragelocation."""
    query = {"path": path, "operation": "READ", "payloadType": kind}

    def read(answer: Answer) -> str:
        found = answer.json()
        uri = found.get("uri") if isinstance(found, dict) else None
        if not isinstance(uri, str):
            raise ClientError(f"the server gives no address for payload {path!r}; found {found!r}, expected an object with 'uri'")
        return uri

    return Call("GET", "/tasks/externalstoragelocation", read, query=query)


def payload_at(uri: str) -> Call[dict[str, Any]]:
    """The payload at an address that `payload_uri` gave."""
    return Call("GET", uri, lambda answer: dict(answer.json() or {}), is_elsewhere=True)


def add_task_log(task_id: str, text: str) -> Call[None]:
    """Append one entry to the task's log; it may have several lines. Source: POST /tasks/{id}/log."""
    return Call("POST", below_root("/tasks/{}/log", task_id), Answer.nothing, body=text, is_text=True)


def get_task_logs(task_id: str) -> Call[list[dict[str, Any]]]:
    """The task's log, oldest first: ``{"log", "createdTime", "taskId"}`` each. Source: GET /tasks/{id}/log."""
    return Call("GET", below_root("/tasks/{}/log", task_id), lambda answer: list(answer.json() or ()))


def queue_sizes(*task_types: str) -> Call[dict[str, int]]:
    """How many tasks wait in the queue of each of these types; of every queue when none is named. Source: GET /tasks/queue/sizes, /all."""
    if not task_types:
        return Call("GET", "/tasks/queue/all", lambda answer: dict(answer.json() or {}))
    return Call("GET", "/tasks/queue/sizes", lambda answer: dict(answer.json() or {}), query={"taskType": task_types})


def poll_data(task_type: str | None = None) -> Call[list[dict[str, Any]]]:
    """Who polled a type last and when, one entry a domain; of all types when none is named. Source: GET /tasks/queue/polldata."""
    if task_type is None:
        return Call("GET", "/tasks/queue/polldata/all", lambda answer: list(answer.json() or ()))
    return Call("GET", "/tasks/queue/polldata", lambda answer: list(answer.json() or ()), query={"taskType": task_type})


def _tasks(answer: Answer) -> list[Task]:
    return [Task.from_json(one) for one in answer.json() or ()]


def _task_or_none(answer: Answer) -> Task | None:
    json = answer.json()
    return Task.from_json(json) if json else None
