"""
What can go wrong in the firmware application, as one family.

Here: the two kinds of failure a worker may report, and their shape. Not here: how they reach the server (workers.py).
"""

from __future__ import annotations

from typing import Any


class FirmwareError(Exception):
    """
    A task that cannot be done.

    *code* is a stable word for programs, *message* a sentence for people, *fix* what to do about it, and *output* whatever else the task
    should still report.
    """

    may_retry = False

    def __init__(self, code: str, message: str, *, fix: str | None = None, **output: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.output = output

    @property
    def reason(self) -> str:
        """The sentence a failed task carries: what happened, then what to do."""
        return f"{self.message}. {self.fix}" if self.fix else self.message

    def as_output(self) -> dict[str, Any]:
        """The failed task's output data."""
        described = {**self.output, "error_code": self.code, "error_message": self.message}
        return {**described, "error_fix": self.fix} if self.fix else described


class Passing(FirmwareError):
    """A fault of the moment (network, disk, a busy device): the same call may succeed later."""

    may_retry = True


class Lasting(FirmwareError):
    """Bad input, a deterministic verdict of a tool, or broken integrity: the same call will fail again."""
