"""
What expressions look things up in.

A `Scope` stands for the document `{"workflow": {...}, "<task reference>": {...}, ...}` without anyone having to build it, and for what
is outside it: constants and the environment. The engine has one over an execution; `Document` is one over plain JSON.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, Protocol

# These are constants whether or not they have a value; what the process environment holds comes on top.
ALWAYS_CONSTANT: Final = frozenset({"CPEWF_TASK_ID", "NETFLIX_ENV", "NETFLIX_STACK"})


class Missing(Enum):
    """The type of MISSING."""

    MISSING = "MISSING"


MISSING: Final = Missing.MISSING
"""What a scope answers when it does not know a name. Told apart from None, which is a value."""


class Scope(Protocol):
    """Where an expression looks things up."""

    def root(self, name: str) -> Any:
        """The value of the document's top-level member: `workflow` or a task reference; MISSING when there is none."""
        ...

    def names(self) -> Iterable[str]:
        """All top-level members; asked only by paths that look at the whole document (`$..x`, `$.*`)."""
        ...

    def constant(self, name: str) -> Any:
        """
        CPEWF_TASK_ID, NETFLIX_ENV, NETFLIX_STACK and the names of the process environment: their text.

        None for one that is known but has no value (its `${…}` stays as written); MISSING for any other name.
        Asked only for names without dots and brackets.
        """
        ...

    def environment(self, name: str) -> Any:
        """The value of `${workflow.env.NAME}`; None when there is none."""
        ...


class Document:
    """A scope of one document, whose top-level members are the roots: the payload of an event, for one. And of the environment, where there is one."""

    __slots__ = ("environment", "value")

    def __init__(self, value: Any, environment: Callable[[str], str | None] = lambda name: None) -> None:
        self.value = value
        self.environment = environment

    def root(self, name: str) -> Any:
        return self.value.get(name, MISSING) if isinstance(self.value, dict) else MISSING

    def names(self) -> Iterable[str]:
        return self.value if isinstance(self.value, dict) else ()

    def constant(self, name: str) -> Any:
        return None if name in ALWAYS_CONSTANT else MISSING
