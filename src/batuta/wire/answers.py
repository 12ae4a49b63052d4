"""
Small answers on the wire: bulk results, summaries, poll data, log lines.

Here: their structures. Not here: executions and tasks (execution.py), definitions (metadata.py).
Source: conductor-rest-api.md §3.1, §3.6, §3.8.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from batuta.wire.shape import Json

T = TypeVar("T")


class BulkResponse(msgspec.Struct, frozen=True, rename={"failed": "bulkErrorResults", "succeeded": "bulkSuccessfulResults"}):
    """What became of each member of a bulk request: the reason of each that failed, and those that succeeded."""

    failed: dict[str, str]
    succeeded: list[Any]


class SearchResult(msgspec.Struct, Generic[T], frozen=True, rename={"total": "totalHits"}):
    """One page of a listing; `total` counts what matches, not what is shown."""

    total: int
    results: list[T]


class WorkflowSummary(msgspec.Struct, frozen=True, rename={"created_at": "createTime", "updated_at": "updateTime"}):
    """A version of a workflow definition. Conductor's WorkflowDefSummary."""

    name: str
    version: int
    created_at: int
    updated_at: int


class PollData(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"queue_name": "queueName", "worker_id": "workerId", "last_poll_at": "lastPollTime"},
):
    """Which worker polled a task type last, and when. The queue's name is without its domain."""

    queue_name: str
    domain: str = ""
    worker_id: str = ""
    last_poll_at: int


class TaskLog(msgspec.Struct, frozen=True, rename={"line": "log", "task_id": "taskId", "created_at": "createdTime"}):
    """One line of a task's log. Conductor's TaskExecLog."""

    line: str
    task_id: str
    created_at: int


def summary_of(definition: Json) -> WorkflowSummary:
    """The summary of a workflow definition in its stored form."""
    return WorkflowSummary(definition["name"], definition["version"], definition["createTime"], definition["updateTime"])
