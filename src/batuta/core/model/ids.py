"""
Ids that follow from other ids, so that the decider needs no chance and a repeated message makes nothing twice.

All look like UUIDs. A task's id starts with the first 18 characters of its execution's id, which is how a task is found by id alone.
Source of the sub-workflow rule: conductor-semantics.md §0.
"""

from __future__ import annotations

import hashlib

PREFIX_LENGTH = 18


def named(text: str) -> str:
    """The name-based UUID (MD5, version 3, no namespace) of the text."""
    d = bytearray(hashlib.md5(text.encode(), usedforsecurity=False).digest())
    d[6] = d[6] & 0x0F | 0x30
    d[8] = d[8] & 0x3F | 0x80
    h = d.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def task_id(execution_id: str, n: int) -> str:
    """The id of the execution's n-th task row."""
    return f"{execution_id[:PREFIX_LENGTH]}-{execution_id[19:23]}-{n:012x}" if len(execution_id) == 36 else named(f"task:{execution_id}:{n}")


def child_id(parent_id: str, parent_task_id: str, attempt: int, again: int = 0) -> str:
    """The id of the sub-workflow that this attempt of a task starts; *again* counts fresh children of one and the same row (rerun)."""
    return named(f"subworkflow:{parent_id}:{parent_task_id}:{attempt}" + (f":{again}" if again else ""))


def follower_id(kind: str, execution_id: str, n: int) -> str:
    """The id of an execution that this one starts without waiting for it (START_WORKFLOW, failure workflow)."""
    return named(f"{kind}:{execution_id}:{n}")
