"""
The settings as the command line shows them: each field of `Settings` with its type, default and docstring.

Here: reading them out of settings.py, whose docstrings are the only text about a setting, and making options of them. `docs/reference/settings.md` is
made from the same.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class Field(NamedTuple):
    """One setting."""

    name: str
    kind: type
    default: Any
    doc: str

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        from batuta.settings import ENVIRONMENT_PREFIX

        return ENVIRONMENT_PREFIX + self.name.upper()


def fields() -> list[Field]:
    """All settings, in the order of settings.py."""
    from batuta import settings

    kinds = {"str": str, "int": int, "float": float, "bool": bool}
    try:
        docs = _docs(inspect.getsource(settings))
    except OSError:
        docs = {}  # installed without its sources: options without explanations are better than none
    return [
        Field(name, kinds[settings.Settings.__annotations__[name]], default, docs.get(name, ""))
        for name, default in zip(settings.Settings.__struct_fields__, settings.Settings.__struct_defaults__, strict=True)
    ]


def options(function: F) -> F:
    """An option for every setting that may stand on a command line. Not given, it is None, so that the environment and the default still count."""
    from batuta.settings import ENVIRONMENT_ONLY

    for field in reversed(fields()):
        if field.name in ENVIRONMENT_ONLY:
            continue
        shown = "empty" if field.default == "" else field.default
        help_ = f"{field.doc}  [{field.variable}; {shown}]"
        function = click.option(field.option, field.name, type=field.kind, default=None, help=help_)(function)
    return function


def _docs(source: str) -> dict[str, str]:
    """The text below each field of the class `Settings`, on one line."""
    body = next(node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    docs = {}
    for pair in itertools.pairwise(body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = " ".join(text.split())
    return docs
