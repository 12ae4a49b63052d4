"""
Payloads larger than any may be: how large one is, and Conductor's sentences for it.

Not here: what becomes of the task or workflow that has it (decide.py, ending.py), which payloads are shown by a path (store/rows.py).
Source: conductor-semantics.md §10 (hard thresholds).
"""

from __future__ import annotations

from typing import Any

import msgspec

from batuta.core.model.execution import Head
from batuta.core.model.task import PAYLOAD_BYTES_MAX, Task

_encode = msgspec.json.Encoder().encode


def size_of(payload: Any) -> int:
    """Bytes of it as JSON text; 0 for what has no UTF-8 (half a surrogate pair), which is let pass."""
    try:
        return len(_encode(payload))
    except UnicodeEncodeError:
        return 0


def of_task(head: Head, task: Task, size: int) -> str:
    """Why the task fails whose input or output has this size."""
    return f"The payload size: {size} of task: {task.id} in workflow: {head.id}  is greater than the permissible limit: {PAYLOAD_BYTES_MAX} bytes"


def of_workflow(head: Head, size: int) -> str:
    """Why the workflow fails whose output has this size."""
    return f"The payload size: {size} of workflow: {head.id} is greater than the permissible limit: {PAYLOAD_BYTES_MAX} bytes"
