"""
Masks: secrets that come back, in outputs, reasons and log lines, are taken out before anything is stored.

In an output the value becomes the expression that stands for it, `${workflow.secrets.NAME}`: nothing is shown, and a task further on that is
handed the output gets the value again, as with any other secret. Where nothing can be put in again (reasons, logs, a value written in another
way: escaped, in base64) it becomes `***`.

A value of fewer than LENGTH_MIN characters is not looked for: it would be found everywhere. Why so: docs/decisions/0005-secrets.md.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from batuta.core.expr.secrets import MARK

LENGTH_MIN: Final = 8
LINE_LENGTH_MIN: Final = 16  # of one line of a value of several, a key in PEM for one
CUT_MAX: Final = 500  # letters of a secret looked for at the end of a text: no reason is longer
STARS: Final = "***"

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,99}")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARTS_MAX: Final = 64  # members of a secret that is JSON
_HALF: Final = re.compile(r"[\ud800-\udfff]")  # half of a surrogate pair: JSON inside a secret can say it, no request or answer can
_encode: Final = msgspec.json.Encoder().encode


class Mask:
    """What takes these secrets out of what comes in. True when there is anything to look for."""

    __slots__ = ("_encoded", "_expressions", "_found", "_needles", "_numbers", "_ours")

    def __init__(self, secrets: Mapping[str, str], former: Iterable[str] = ()) -> None:
        """*secrets* by name; *former* are values that no name stands for any more."""
        self._expressions: dict[str, str] = {}  # value -> what stands for it
        needles: set[str] = set()
        for name, value in (*secrets.items(), *(("", value) for value in former)):
            for reference, part in _parts(name, value):
                if len(part) >= LENGTH_MIN and not _HALF.search(part):
                    self._expressions.setdefault(part, f"{MARK}{reference}}}" if reference else STARS)
                    needles.update(form for form in _forms(part) if len(form) >= LENGTH_MIN)
        self._needles = sorted(needles | self._expressions.keys(), key=len, reverse=True)  # the longest first: one may hold another
        self._encoded = [_encode(needle)[1:-1] for needle in self._needles]
        self._numbers = {int(value): expression for value, expression in self._expressions.items() if _NUMBER.fullmatch(value)}
        # An expression of theirs that stands there already is passed over: what was masked once stays as it is.
        self._ours = frozenset(self._expressions.values()) - {STARS}
        self._found = re.compile("|".join(map(re.escape, [*sorted(self._ours, key=len, reverse=True), *self._needles])))

    def __bool__(self) -> bool:
        return bool(self._needles)

    def text(self, text: str) -> str:
        """A reason or a line of a log without the secrets; a text that was cut within one loses the beginning of it too."""
        if any(needle in text for needle in self._needles):
            text = self._found.sub(lambda found: found[0] if found[0] in self._ours else STARS, text)
        end = text[-CUT_MAX:]
        for needle in self._needles:
            begin = end.find(needle[:LENGTH_MIN])
            while begin >= 0:
                if needle.startswith(end[begin:]):
                    return text[: len(text) - len(end) + begin] + STARS
                begin = end.find(needle[:LENGTH_MIN], begin + 1)
        return text

    def payload(self, value: Any) -> Any:
        """
        Any JSON without the secrets, keys and numbers included: fresh containers, or *value* itself when none is in it.

        Cost where nothing is found: the payload is encoded once and searched, 1 ms a megabyte for each way of writing (a plain token has 6, one
        with special characters 17); for a small one 5 to 12 µs.
        """
        try:
            text = _encode(value)
        except UnicodeEncodeError:  # half of a surrogate pair: look for all in each string
            there = self._needles
        else:
            there = [needle for needle, encoded in zip(self._needles, self._encoded, strict=True) if encoded in text]
            if not there:
                return value
        around = [value]
        ahead: list[tuple[Any, Any]] = [(around, 0)]
        while ahead:
            container, place = ahead.pop()
            member = container[place]
            if isinstance(member, dict):
                fresh: Any = {self._in_payload(key, there): inner for key, inner in member.items()}
                ahead.extend((fresh, key) for key in fresh)
            elif isinstance(member, list):
                fresh = member.copy()
                ahead.extend((fresh, n) for n in range(len(fresh)))
            else:
                fresh = self._in_payload(member, there)
            container[place] = fresh
        return around[0]

    def _in_payload(self, leaf: Any, there: Sequence[str]) -> Any:
        if isinstance(leaf, str):
            for needle in there:
                if needle in leaf:
                    return self._found.sub(lambda found: found[0] if found[0] in self._ours else self._expressions.get(found[0], STARS), leaf)
            return leaf
        return self._numbers.get(leaf, leaf) if type(leaf) is int else leaf


def _parts(name: str, value: str) -> Iterator[tuple[str, str]]:
    """What of a secret may come back, and the reference that stands for it (empty: none does). The whole; its lines; its members, when it is JSON."""
    yield name, value
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (("", line.strip()) for line in lines if len(line.strip()) >= LINE_LENGTH_MIN and not line.startswith("-----"))
    if value.lstrip()[:1] in ("{", "["):
        try:
            members = json.loads(value)
        except (ValueError, RecursionError):
            return
        yield from _members(name, members)


def _members(reference: str, value: Any) -> Iterator[tuple[str, str]]:
    ahead: list[tuple[str, Any]] = [(reference, value)]
    told = 0
    for at, member in ahead:  # grows as it goes
        if told == _PARTS_MAX:
            return
        if isinstance(member, dict):
            ahead.extend((f"{at}.{key}" if at and _PLAIN_KEY.fullmatch(key) else "", inner) for key, inner in member.items())
        elif isinstance(member, list):
            ahead.extend((f"{at}[{n}]" if at != reference else "", inner) for n, inner in enumerate(member))
        elif isinstance(member, str | int) and not isinstance(member, bool):
            told += 1
            yield at, str(member)


def _forms(value: str) -> Iterator[str]:
    """The value as other programs write it: in JSON, also in JSON inside JSON, in an address, in HTML, in base64 and hex."""
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
    raw = value.encode()
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    yield html.escape(value)
    yield raw.hex()
    yield raw.hex().upper()
    for shift in range(3):  # what stands before it decides how its bytes fall into groups of three; its first and last character go with the neighbours
        coded = base64.b64encode(bytes(shift) + raw)[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6].decode()
        yield coded
        yield coded.replace("+", "-").replace("/", "_")
