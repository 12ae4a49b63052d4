"""
Secrets in values: found, and put in.

A definition says `${workflow.secrets.NAME}`; what is stored and shown keeps saying so, and only the copy handed to whoever runs the task
has the secret in it. The expression is found in the stored input, so it works wherever a value has travelled (a sub-workflow's input),
and for the same reason text that came from outside and says it is found too (a commit's message). So only names that were *granted* are
put in, those that definitions name themselves; any other expression stays the text it is.

Not here: what is done with a secret that comes back in an output (masks.py). Source: conductor-semantics §3.4.
"""

import re
from collections.abc import Callable, Container
from typing import Any, Final

from batuta.core.expr import javatext, jsonpath
from batuta.core.expr.expression import SECRETS, into_json, text_of

MARK: Final = "${" + SECRETS
"""What every secret expression begins with: a payload without it, raw or decoded, has none."""

_CONTAINERS: Final = (dict, list)
_EXPRESSION: Final = re.compile(re.escape(MARK) + r"([^{}]+)\}")

Lookup = Callable[[str], str | None]
"""The value of a secret, None when there is none of this name. Raises SecretUnreadable when there is one that cannot be read."""


def has_secrets(value: Any) -> bool:
    """Whether any string in *value* names a secret."""
    return bool(secret_names(value))


def secret_names(value: Any) -> frozenset[str]:
    """The names of the secrets that strings in *value* ask for."""
    names: set[str] = set()
    ahead = [value]
    while ahead:
        item = ahead.pop()
        if isinstance(item, str):
            if MARK in item:
                names.update(_name(found) for found in _EXPRESSION.finditer(item))
        elif isinstance(item, _CONTAINERS):
            ahead.extend(item.values() if isinstance(item, dict) else item)
    return frozenset(names)


def resolve_secrets(value: Any, lookup: Lookup, granted: Container[str]) -> Any:
    """
    *value* with those of its secrets put in that are *granted*: fresh containers, or *value* itself when it names none at all.

    A string that is exactly one secret becomes that secret, null if *lookup* has none; inside other text it is written out, as nothing
    if there is none. `${workflow.secrets.NAME.a.b}` reads into a secret that is JSON.
    """
    if isinstance(value, str):
        return _put_in(value, lookup, granted)
    if not has_secrets(value):
        return value
    around = [value]
    ahead: list[tuple[Any, Any]] = [(around, 0)]
    while ahead:
        container, key = ahead.pop()
        fresh = container[key] = container[key].copy()
        for place, member in fresh.items() if isinstance(fresh, dict) else enumerate(fresh):
            if isinstance(member, str):
                fresh[place] = _put_in(member, lookup, granted)
            elif isinstance(member, _CONTAINERS):
                ahead.append((fresh, place))
    return around[0]


def _put_in(text: str, lookup: Lookup, granted: Container[str]) -> Any:
    if MARK not in text:
        return text
    whole = _EXPRESSION.fullmatch(text)
    if whole is not None:
        return _secret(whole[1], lookup)[0] if _name(whole) in granted else text
    return _EXPRESSION.sub(lambda found: _secret_text(found[1], lookup) if _name(found) in granted else found[0], text)


def _name(found: re.Match[str]) -> str:
    return found[1].partition(".")[0]


def _secret(reference: str, lookup: Lookup) -> tuple[Any, jsonpath.Path | None]:
    name, dot, behind = reference.partition(".")
    secret = lookup(name)
    if not dot:
        return secret, None
    path = jsonpath.parse(behind)
    return (None if path is None else into_json(secret, path)), path


def _secret_text(reference: str, lookup: Lookup) -> str:
    value, path = _secret(reference, lookup)
    return "" if value is None else text_of(path, value) if path is not None else javatext.text(value)
