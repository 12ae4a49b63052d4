"""
What registration checks of expressions: that paths can be read, and that what they begin with exists.

Conductor checks the input of top-level tasks only, and looks at expressions piece by piece: of `${a[${b}]}` only the inner one. Both
are kept, so that a definition it accepts is accepted here and a refusal says the same.

Source: conductor-rest-api §4; semantics §3.1, last point.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from batuta.core.expr import jsonpath
from batuta.core.expr.expression import with_default

# Before an expression that is not escaped, and after any closing brace.
_SEAM: Final = re.compile(r"(?=(?<!\$)\$\{)|(?<=\})")


@dataclass(frozen=True, slots=True)
class Problem:
    """An expression that registration refuses."""

    kind: Literal["path", "reference"]
    """`path`: not a path at all; `reference`: begins with neither `workflow`, a constant's name nor a task of the definition."""
    key: str
    """The nearest key around it."""
    value: str
    """The whole string it stands in."""
    path: str
    """What stands between its braces."""

    @property
    def root(self) -> str:
        """What the path begins with, up to its first dot."""
        return self.path.partition(".")[0]

    def message(self, task_name: str) -> str:
        """Conductor's words for it."""
        if self.kind == "path":
            return f"key: {self.key} input parameter value: {self.path} is not valid"
        # "input value" is followed by the key and "input parameter" by the value; clients have come to know it so.
        return (f"taskReferenceName: {self.root} for given task: {task_name} input value: {self.key} of input parameter: {self.value}"
                " is not defined in workflow definition.")


def problems(parameters: dict[str, Any], references: Container[str], is_constant: Callable[[str], bool]) -> Iterator[Problem]:
    """
    What is wrong with the expressions in a top-level task's inputParameters, in their order.

    *references* are the task references of the whole definition, nested ones included; *is_constant* says whether a whole path is the
    name of a constant: one of `scope.ALWAYS_CONSTANT`, or a name in the process environment.
    """
    # Depth first with a stack of its own: a definition may be nested deeper than the call stack allows.
    ahead: list[tuple[str, Any]] = [(key, value) for key, value in reversed(parameters.items())]
    while ahead:
        key, value = ahead.pop()
        if isinstance(value, str):
            yield from _problems_of_text(key, value, references, is_constant)
        elif isinstance(value, dict):
            ahead.extend(reversed(value.items()))
        elif isinstance(value, list):
            ahead.extend((key, member) for member in reversed(value))


def _problems_of_text(key: str, text: str, references: Container[str], is_constant: Callable[[str], bool]) -> Iterator[Problem]:
    if "${" not in text:
        return
    for piece in _SEAM.split(text):
        if not (piece.startswith("${") and piece.endswith("}")):
            continue
        path, _ = with_default(piece[2:-1])
        if jsonpath.parse(path) is None:
            yield Problem("path", key, text, path)
        elif not is_constant(path):
            problem = Problem("reference", key, text, path)
            if problem.root != "workflow" and problem.root not in references:
                yield problem
