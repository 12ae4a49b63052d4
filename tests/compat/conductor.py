"""Conductor's own list of its endpoints, from conductor_routes.txt, and how to find them in a route table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("conductor_routes.txt")


class Endpoint(NamedTuple):
    """One endpoint of Conductor OSS. `when` is the property that must be set for it to be there, empty for none."""

    method: str
    path: str
    query: tuple[str, ...]
    when: str

    @property
    def key(self) -> tuple[str, str]:
        return key(self.method, self.path)


def key(method: str, path: str) -> tuple[str, str]:
    """Method and path without the names of its variables, which differ and mean nothing."""
    return method, re.sub(r"\{[^}]*\}", "{}", path)


def endpoints() -> Iterator[Endpoint]:
    """Every endpoint, in the order of the file."""
    when = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            when = line.strip("[]")
        elif line and not line.startswith("#"):
            method, path, *query = line.split()
            yield Endpoint(method, path, tuple(query), when)
