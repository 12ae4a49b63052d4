"""
A task in a workflow being built: its fields, and the references others make to it.

Here: what all kinds of task have in common. Not here: the kinds (operators.py, blocks.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from batuta.client.builder.expr import DefinitionError, Expr, plain, plain_map

_REF = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


class TaskNode:
    """
    One task, as its constructor in `Flow` made it.

    ``output``, ``input`` and ``status`` refer to it from later tasks. The other methods set what any task may have, and return
    the task, so that they can be chained: ``wf.task("resize", size=3).retries(2).optional()``.
    """

    def __init__(self, type: str, name: str, ref: str, fields: Mapping[str, Any] | None = None, input: Mapping[str, Any] | None = None) -> None:
        if not name:
            raise DefinitionError(f"a task of type {type} has no name")
        if not _REF.match(ref) or ref == "workflow":
            raise DefinitionError(f"task reference {ref!r} cannot be used in expressions; expected letters, digits, _ and -, and not 'workflow'")
        self.type = type
        self.name = name
        self.ref = ref
        self._input = plain_map(input or {}, f"input of task {ref!r}")
        self._fields = dict(fields or {})

    def __repr__(self) -> str:
        return f"<{self.type} {self.ref!r}>"

    @property
    def output(self) -> Expr:
        """The task's output, once it has run; null before."""
        return Expr(f"{self.ref}.output")

    @property
    def input(self) -> Expr:
        """The task's input, evaluated."""
        return Expr(f"{self.ref}.input")

    @property
    def status(self) -> Expr:
        """The task's status, such as COMPLETED."""
        return Expr(f"{self.ref}.status")

    @property
    def task_id(self) -> Expr:
        """The id of the task's latest attempt."""
        return Expr(f"{self.ref}.taskId")

    def optional(self) -> Self:
        """Should it fail for good, go on as if it had ended; its status is then COMPLETED_WITH_ERRORS."""
        return self.with_fields(optional=True)

    def permissive(self) -> Self:
        """Should it fail for good, go on to the end, and fail the workflow there."""
        return self.with_fields(permissive=True)

    def retries(self, count: int) -> Self:
        """Retry it this often when it fails, whatever its task definition says."""
        if count < 0:
            raise DefinitionError(f"task {self.ref!r}: retries is {count}; it cannot be negative")
        return self.with_fields(retryCount=count)

    def delayed(self, seconds: int) -> Self:
        """Offer it to workers only this long after its turn has come."""
        if seconds < 0:
            raise DefinitionError(f"task {self.ref!r}: the delay is {seconds} s; it cannot be negative")
        return self.with_fields(startDelay=seconds)

    def async_complete(self) -> Self:
        """After the server has done its part, wait for somebody else to report the task's end."""
        return self.with_fields(asyncComplete=True)

    def described(self, text: str) -> Self:
        """Say what it is for."""
        return self.with_fields(description=text)

    def defined_as(self, definition: Mapping[str, Any]) -> Self:
        """Use this task definition here, instead of the registered one of its name."""
        return self.with_fields(taskDefinition=dict(definition))

    def with_input(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> Self:
        """Add to its input, for values known only after it was made."""
        self._input |= plain_map({**(values or {}), **more}, f"input of task {self.ref!r}")
        return self

    def with_fields(self, **fields: Any) -> Self:
        """Set fields of Conductor's WorkflowTask by their own names, such as ``cacheConfig`` or ``onStateChange``."""
        self._fields |= {name: plain(value, f"field {name} of task {self.ref!r}") for name, value in fields.items()}
        return self

    def to_json(self) -> dict[str, Any]:
        """The task as Conductor's WorkflowTask."""
        return {"name": self.name, "taskReferenceName": self.ref, "type": self.type, "inputParameters": dict(self._input), **self._fields}


def ref_from(name: str) -> str:
    """A reference made of a task's name: signs that cannot stand in one become ``_``."""
    ref = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return f"_{ref}" if ref[:1].isdigit() or ref[:1] == "-" else ref
