"""
Templates: the `${…}` expressions of definitions, compiled once and evaluated for every task.

A string that is exactly one expression gives the value itself; inside other text the value is written as Java writes it (javatext.py).
Strings at any depth of maps and lists are evaluated, keys never. What an expression names is asked of a `Scope`; what is not there is
null, and nothing that a definition or a payload can contain raises an error.

Sharing: `evaluate` makes fresh containers wherever an expression stands inside them, and otherwise returns what it was given or found:
constant parts of the definition, and containers out of the scope, are shared and not copied. This is safe because payload JSON is never
changed in place, by anyone, once made.

Secrets (`${workflow.secrets.NAME}`) stay as they are written here; secrets.py puts them in when a task is handed off.
Not here: paths (jsonpath/), the check of expressions at registration (references.py), what a scope contains.
Source: conductor-semantics §3.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from batuta.core.expr.expression import Computed, Constant, Template, read
from batuta.core.expr.references import Problem, problems
from batuta.core.expr.scope import MISSING, Document, Scope
from batuta.core.expr.secrets import has_secrets, resolve_secrets

__all__ = [
    "MISSING", "Document", "Problem", "Scope", "Template", "compile", "evaluate", "evaluate_on", "has_secrets", "problems", "resolve_secrets",
]

# Expressions inside expressions; the rest is left as text. Nobody needs more than three.
NESTING_MAX: Final = 16
_CONTAINERS: Final = (dict, list)
_NOWHERE: Final = Document(None)
_BRACE: Final = re.compile(r"[{}]")


class _Text(Template):
    """Text with expressions in it."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: list[str | Template]) -> None:
        self._pieces = tuple(pieces)

    def evaluate(self, scope: Scope) -> str:
        return "".join([piece if type(piece) is str else piece.text(scope) for piece in self._pieces])  # type: ignore[union-attr]

    def parts(self) -> Iterator[Template]:
        return (piece for piece in self._pieces if isinstance(piece, Template))


class _Container:
    """A map or list with expressions somewhere in it: what is constant, and what goes where."""

    __slots__ = ("expressions", "inner", "outline")

    def __init__(self, outline: Any, expressions: list[tuple[Any, Template]], inner: list[tuple[Any, int]]) -> None:
        self.outline = outline  # with the constant members in place
        self.expressions = expressions
        self.inner = inner  # the places of containers, by their number


class _Structure(Template):
    """
    Maps and lists, innermost first.

    A flat plan instead of templates inside templates: no depth of nesting can exhaust the stack, and a fresh container is one copy in C
    plus its expressions (a task input of ten constants and three `${ref.output.x}`: 0.8 µs).
    """

    __slots__ = ("_containers",)

    def __init__(self, containers: list[_Container]) -> None:
        self._containers = tuple(containers)

    def evaluate(self, scope: Scope) -> Any:
        made: list[Any] = []
        for container in self._containers:
            fresh = container.outline.copy()
            for key, template in container.expressions:
                fresh[key] = template.evaluate(scope)
            for key, number in container.inner:
                fresh[key] = made[number]
            made.append(fresh)
        return made[-1]

    def parts(self) -> Iterator[Template]:
        return (template for container in self._containers for _, template in container.expressions)


def compile(value: Any) -> Template:
    """The template that *value*, any JSON, is. Never fails: what is no expression is text."""
    if isinstance(value, str):
        return _string(value)
    return _structure(value) if isinstance(value, _CONTAINERS) else Constant(value)


def evaluate(value: Any, scope: Scope) -> Any:
    """*value* with its expressions put in. For what is evaluated once; compile what is evaluated again."""
    return compile(value).evaluate(scope)


def literal(value: Any) -> Any:
    """What evaluates to *value*, any JSON: expressions that stand in it by chance are escaped."""
    whole = [value]
    ahead: list[Any] = [whole]
    while ahead:
        container = ahead.pop()
        for key, member in list(container.items()) if isinstance(container, dict) else enumerate(container):
            if isinstance(member, str):
                container[key] = member.replace("${", "$${")
            elif isinstance(member, _CONTAINERS):
                container[key] = member.copy()
                ahead.append(container[key])
    return whole[0]


def evaluate_on(value: Any, document: Any, environment: Callable[[str], str | None] = lambda name: None) -> Any:
    """*value* with its expressions looked up in *document*, any JSON: `${orderId}`, `${$.a.b}`, `${$[0].x}`; and in the environment."""
    return compile(value).evaluate(Document(document, environment))


def _structure(value: Any) -> Template:
    # Every container once, outer before inner; walked backwards, each is known to be constant or not before the one around it.
    containers: list[tuple[Any, int, Any]] = [(value, -1, None)]
    plans: list[_Container] = []
    for number, (container, _, _) in enumerate(containers):  # grows as it goes
        plan = _Container(container, [], [])
        for key, member in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(member, str):
                template = _string(member)
                if not template.is_constant:
                    plan.expressions.append((key, template))
                elif (text := template.evaluate(_NOWHERE)) is not member:
                    _outline(plan, container)[key] = text
            elif isinstance(member, _CONTAINERS):
                containers.append((member, number, key))
        plans.append(plan)
    kept: list[_Container] = []
    for number in range(len(plans) - 1, -1, -1):
        container, around, key = containers[number]
        plan = plans[number]
        if plan.expressions or plan.inner:
            kept.append(plan)
            if number:
                plans[around].inner.append((key, len(kept) - 1))
        elif number and plan.outline is not container:
            _outline(plans[around], containers[around][0])[key] = plan.outline
    return _Structure(kept) if kept else Constant(plans[0].outline)


def _outline(plan: _Container, source: Any) -> Any:
    """The outline of a plan, made its own before it is first changed: what was given to compile is left as it is."""
    if plan.outline is source:
        plan.outline = source.copy()
    return plan.outline


def _string(text: str) -> Template:
    if "${" not in text:
        return Constant(text)
    pieces = _pieces(text, 0)
    if len(pieces) == 1 and isinstance(pieces[0], Template):
        return pieces[0]
    return _joined(pieces)


def _joined(pieces: list[str | Template]) -> Template:
    if any(isinstance(piece, Template) and not piece.is_constant for piece in pieces):
        return _Text(pieces)
    return Constant("".join([piece if isinstance(piece, str) else piece.text(_NOWHERE) for piece in pieces]))


def _pieces(text: str, depth: int) -> list[str | Template]:
    """Literal text, its escapes undone, and expressions, in turn."""
    closed = _closings(text)
    pieces: list[str | Template] = []
    start = at = 0
    while (at := text.find("${", at)) >= 0:
        if text[at - 1:at] == "$":  # escaped
            at += 1
            continue
        end = closed.get(at + 1)
        if end is None or depth > NESTING_MAX:
            break  # Nothing behind an expression that is never closed is one, for Conductor.
        if start < at:
            pieces.append(text[start:at].replace("$${", "${"))
        pieces.append(_expression(text[at + 2:end], depth))
        start = at = end + 1
    if start < len(text):
        pieces.append(text[start:].replace("$${", "${"))
    return pieces


def _closings(text: str) -> dict[int, int]:
    """Where each brace is closed. All braces count, quoted ones too, as they do for Conductor."""
    closed: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            closed[opened.pop()] = brace.start()
    return closed


def _expression(inside: str, depth: int) -> Template:
    if "${" in inside:
        inner = _joined(_pieces(inside, depth + 1))
        if not inner.is_constant:
            return Computed(inner, f"${{{inside}}}")
        inside = inner.text(_NOWHERE)
    return read(inside)
