"""
Task definitions: how a type of task is retried, timed and limited, as the plain JSON a server takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from batuta.client.builder.expr import DefinitionError

OWNER_EMAIL = "batuta@localhost"
_DEFAULT_RESPONSE_TIMEOUT_S = 3600


def task_def(
    name: str,
    *,
    description: str | None = None,
    retries: int = 3,
    retry_delay_s: int = 60,
    retry_logic: Literal["FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF"] = "FIXED",
    backoff_factor: int = 1,
    retry_delay_s_max: int = 0,
    retry_jitter_ms: int = 0,
    timeout_s: int = 0,
    response_timeout_s: int | None = None,
    poll_timeout_s: int | None = None,
    total_timeout_s: int = 0,
    timeout_policy: Literal["RETRY", "TIME_OUT_WF", "ALERT_ONLY"] = "TIME_OUT_WF",
    concurrency: int | None = None,
    rate: tuple[int, int] | None = None,
    input_keys: Sequence[str] = (),
    output_keys: Sequence[str] = (),
    input_template: Mapping[str, Any] | None = None,
    owner_email: str = OWNER_EMAIL,
    **fields: Any,
) -> dict[str, Any]:
    """
    A task definition for `Client.register_task_defs`.

    Args:
        retries: how often a failed attempt is followed by another.
        timeout_s: how long an attempt may take from its first poll; 0 is for ever.
        response_timeout_s: how long a worker may be silent; 3600, or *timeout_s* when that is shorter, unless given.
        poll_timeout_s: how long the task may wait for a worker.
        total_timeout_s: how long all attempts may take together; 0 is for ever.
        concurrency: how many such tasks may be in progress at once, over all workers.
        rate: (count, seconds): how many may be handed out in that time.
        fields: further fields of Conductor's TaskDef, by their own names.

    Raises:
        DefinitionError: timeouts that contradict each other, or a number out of its range.

    Source: TaskDef, and its validation at POST /metadata/taskdefs.
    """
    if not name:
        raise DefinitionError("a task definition has no name")
    if response_timeout_s is None:
        response_timeout_s = min(timeout_s, _DEFAULT_RESPONSE_TIMEOUT_S) if timeout_s > 0 else _DEFAULT_RESPONSE_TIMEOUT_S
    _check_range(name, 0, retries=retries, retry_delay_s=retry_delay_s, retry_delay_s_max=retry_delay_s_max, retry_jitter_ms=retry_jitter_ms)
    _check_range(name, 0, timeout_s=timeout_s, total_timeout_s=total_timeout_s, poll_timeout_s=poll_timeout_s)
    _check_range(name, 1, response_timeout_s=response_timeout_s, backoff_factor=backoff_factor, concurrency=concurrency)
    _check_order(name, "response_timeout_s", response_timeout_s, "timeout_s", timeout_s)
    _check_order(name, "timeout_s", timeout_s, "total_timeout_s", total_timeout_s)
    json: dict[str, Any] = {
        "name": name,
        "description": description,
        "retryCount": retries,
        "retryDelaySeconds": retry_delay_s,
        "retryLogic": retry_logic,
        "backoffScaleFactor": backoff_factor,
        "maxRetryDelaySeconds": retry_delay_s_max,
        "backoffJitterMs": retry_jitter_ms,
        "timeoutSeconds": timeout_s,
        "responseTimeoutSeconds": response_timeout_s,
        "pollTimeoutSeconds": poll_timeout_s,
        "totalTimeoutSeconds": total_timeout_s,
        "timeoutPolicy": timeout_policy,
        "concurrentExecLimit": concurrency,
        "rateLimitPerFrequency": rate[0] if rate else None,
        "rateLimitFrequencyInSeconds": rate[1] if rate else None,
        "inputKeys": list(input_keys),
        "outputKeys": list(output_keys),
        "inputTemplate": dict(input_template or {}),
        "ownerEmail": owner_email,
        **fields,
    }
    return {field: value for field, value in json.items() if value is not None}


def _check_range(name: str, least: int, **numbers: int | None) -> None:
    for parameter, number in numbers.items():
        if number is not None and number < least:
            raise DefinitionError(f"task definition {name!r}: {parameter} is {number}; it must be at least {least}")


def _check_order(name: str, shorter: str, shorter_s: int, longer: str, longer_s: int) -> None:
    if shorter_s > longer_s > 0:
        raise DefinitionError(f"task definition {name!r}: {shorter} is {shorter_s}; it cannot exceed {longer}, which is {longer_s}")
