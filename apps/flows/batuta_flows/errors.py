"""
What can go wrong in the Flow Builder, as one family. Each has a stable code for programs and a sentence for people.

Not here: problems of a flow that are shown node by node (document/check.py), how errors become answers (api/).
"""

from __future__ import annotations

import errno
import sqlite3
from typing import Final


class FlowError(Exception):
    """The family. `code` never changes once published; `may_retry`: the same thing may succeed later."""

    code = "flow_error"
    may_retry = False


class Malformed(FlowError):
    """A document is no flow. `place` is where, such as `nodes[2].config`."""

    code = "malformed"

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place, self.message = place, message


class Refused(FlowError):
    """A flow with problems cannot run; they are named one by one."""

    code = "invalid_flow"

    def __init__(self, problems: list[object]) -> None:
        super().__init__(f"the flow has {len(problems)} problem{'s' if len(problems) != 1 else ''}: {problems[0]}" if problems else "the flow is refused")
        self.problems = problems


class NodeFailed(FlowError):
    """
    A node cannot do its work. `code` says why in one word: bad_input, bad_key, refused_content, quota, rate_limited, provider_down, timed_out,
    unreadable_answer, not_available, too_large, storage. `fix` is what a person can do about it; `retry_after_s`, how long the provider asked to be left alone.
    """

    def __init__(self, code: str, message: str, *, fix: str = "", may_retry: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(f"{message}. {fix}" if fix else message)
        self.code, self.message, self.fix, self.may_retry, self.retry_after_s = code, message, fix, may_retry, retry_after_s


_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR})
_FILE: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_BUSY")


def is_of_storage(error: BaseException) -> bool:
    """Whether the data directory is at fault: a full disk, one that may not be written, a file that is none of ours."""
    if isinstance(error, OSError):
        return error.errno in _DISK
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "").startswith(_FILE)
