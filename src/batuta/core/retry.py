"""
Retry: whether a failed attempt is followed by another, and after how long.

Here: attempts, back-off, caps. Not here: what an optional or permissive task makes of its last failure (decide.py).
Source: conductor-semantics.md §2.5.
"""

from __future__ import annotations

from batuta.core.model.definition import Node, Policy
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task

NEVER = frozenset({"DECISION", "SWITCH", "FORK", "JOIN", "EXCLUSIVE_JOIN", "DO_WHILE"})
SECONDS_MAX = 2**31 - 1


def may_follow(task: Task, node: Node) -> bool:
    """Whether the failed attempt has a successor by count and kind."""
    allowed = node.policy.retry_count if node.retry_count is None else node.retry_count
    return task.status.may_retry and task.type not in NEVER and allowed > task.attempt


def delay_s(policy: Policy, attempt: int) -> int:
    """Seconds to wait after the attempt of this number (0: the first) before the next one may be claimed."""
    match policy.retry_logic:
        case "LINEAR_BACKOFF":
            seconds = policy.retry_delay_seconds * policy.backoff_scale_factor * (attempt + 1)
        case "EXPONENTIAL_BACKOFF":
            seconds = policy.retry_delay_seconds * 2 ** min(attempt, 62)
        case _:
            seconds = policy.retry_delay_seconds
    seconds = min(seconds, SECONDS_MAX)
    return min(seconds, policy.max_retry_delay_seconds) if policy.max_retry_delay_seconds > 0 else seconds


def out_of_total_time(task: Task, policy: Policy, now: int) -> bool:
    """Whether all attempts together have used up totalTimeoutSeconds."""
    total = policy.total_timeout_seconds
    return total > 0 and task.first_scheduled_at > 0 and now - task.first_scheduled_at >= total * 1000


def total_time_reason(task: Task, policy: Policy, now: int) -> str:
    elapsed = (now - task.first_scheduled_at) // 1000
    return (
        f"Task {task.id}/{task.def_name} exceeded total timeout of {policy.total_timeout_seconds} seconds "
        f"(elapsed {elapsed} seconds across all attempts). No further retries will be attempted."
    )


FAILED_AS = {TaskStatus.CANCELED: "TERMINATED", TaskStatus.TIMED_OUT: "TIMED_OUT"}  # what a final failure makes of the workflow; else FAILED
