"""
References to what is known only when the workflow runs: ``a.output.y`` stands for ``${a.output.y}``.

Here: writing them, and turning Python values that hold them into JSON. Not here: whether what they name exists (check.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

_PLAIN_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class DefinitionError(ValueError):
    """The workflow or task definition being built is not one a server would take, or would not do what it says."""


class Expr:
    """
    A path into the running execution.

    Every attribute and item leads one step deeper: ``a.output.files[0]["name with spaces"]``. In an f-string it reads as the
    expression it stands for. It has no value while the workflow is built, so it can be neither tested nor compared.
    """

    __slots__ = ("__path",)

    def __init__(self, path: str) -> None:
        self.__path = path

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, step: str | int) -> Expr:
        if isinstance(step, int):
            return Expr(f"{self.__path}[{step}]")
        if not isinstance(step, str):
            raise DefinitionError(f"{self} is followed by {step!r}; a step is a name or a number")
        if _PLAIN_STEP.match(step):
            return Expr(f"{self.__path}.{step}")
        if any(sign in step for sign in "'\\{}"):
            raise DefinitionError(f"{self} is followed by {step!r}; a name with quotes, braces or backslashes cannot stand in an expression")
        return Expr(f"{self.__path}['{step}']")

    def __str__(self) -> str:
        return f"${{{self.__path}}}"

    def __format__(self, spec: str) -> str:
        if spec:
            raise DefinitionError(f"{self} has no value yet and cannot be formatted as {spec!r}")
        return str(self)

    def __repr__(self) -> str:
        return f"Expr({self.__path!r})"

    def _no_value(self, *_: object) -> NoReturn:
        raise DefinitionError(
            f"{self} has no value while the workflow is built; let the workflow test or compare it, with switch(), inline() or do_while()"
        )

    __hash__ = None  # type: ignore[assignment]
    __bool__ = __iter__ = __len__ = __contains__ = _no_value
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_value
    __add__ = __radd__ = __sub__ = __mul__ = __int__ = __float__ = _no_value


def plain(value: Any, where: str) -> Any:
    """
    *value* as JSON, with expressions in their written form; *where* names its place in errors.

    Raises:
        DefinitionError: it holds something JSON has no form for.
    """
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "output") and hasattr(value, "ref"):
        raise DefinitionError(f"{where} is the task {value.ref!r} itself; give its .output, or a field of it")
    try:
        return plain(msgspec.to_builtins(value, str_keys=True), where)
    except TypeError:
        raise DefinitionError(f"{where} is {type(value).__name__} {value!r:.80}; expected JSON or a reference") from None


def plain_map(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Each of *values* as JSON under its name."""
    return {_key(name, where): plain(value, f"{where}.{name}") for name, value in values.items()}


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise DefinitionError(f"{where} has the key {key!r}; JSON keys are text")
    return key
