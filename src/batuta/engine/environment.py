"""
Environment: what `${workflow.env.NAME}` stands for. The server's environment variables CONDUCTOR_ENV_NAME, and those kept in the store.

A name of the server's environment wins over a stored one and cannot be changed here. Nothing of it is secret.
Source: conductor-rest-api.md §1.8; writing and tags are Orkes'.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from batuta.engine.catalog import Shelf
from batuta.errors import Invalid, NotFound, ReadOnly
from batuta.store.protocol import Store
from batuta.wire.shape import Json

KIND: Final = "environment"
PREFIX: Final = "CONDUCTOR_ENV_"
LENGTH_MAX: Final = 65_535
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,255}")


class Environment:
    """All variables of one server. Reads are answered from memory; writes are durable when they return."""

    def __init__(self, store: Store, *, process: Mapping[str, str] = os.environ) -> None:
        self._process = process
        self._shelf = Shelf(store, KIND)

    async def load(self) -> None:
        """Once, before anything is asked. Raises Unavailable."""
        await self._shelf.load()

    def get(self, name: str) -> str | None:
        """The value; None when there is no such variable."""
        if (value := self._process.get(PREFIX + name)) is not None:
            return value
        entry = self._shelf.get(name)
        return None if entry is None else str(entry.value["value"])

    def all(self) -> list[tuple[str, str, list[Json]]]:
        """Every variable by name, with its value and tags."""
        stored = {entry.key: (str(entry.value["value"]), list(entry.value["tags"])) for entry in self._shelf}
        given: dict[str, tuple[str, list[Json]]] = {name.removeprefix(PREFIX): (value, []) for name, value in self._process.items() if name.startswith(PREFIX)}
        return [(name, value, tags) for name, (value, tags) in sorted({**stored, **given}.items())]

    async def put(self, name: str, value: str) -> None:
        """Store it, or replace what is stored. Raises Invalid; ReadOnly when it is the process's."""
        if not _NAME.fullmatch(name):
            raise Invalid(f"key is {name!r}; key must match pattern [a-zA-Z0-9_-]+ (alphanumeric, underscore, dash only), at most 255 of them")
        if len(value) > LENGTH_MAX:
            raise Invalid(f"the value has {len(value)} characters; a variable has at most {LENGTH_MAX}")
        self._check_ours(name)
        entry = self._shelf.get(name)
        await self._shelf.put([(name, 0, {"value": value, "tags": [] if entry is None else entry.value["tags"]})])

    async def delete(self, name: str) -> str:
        """Forget it; the value it had. Raises NotFound; ReadOnly when only the process has it."""
        entry = self._shelf.get(name)
        if entry is None:
            self._check_ours(name)
            raise NotFound(f"no variable is named {name!r}")
        await self._shelf.delete(name)
        return str(entry.value["value"])

    def tags(self, name: str) -> list[Json]:
        """Its tags. Raises NotFound."""
        if self.get(name) is None:
            raise NotFound(f"no variable is named {name!r}")
        entry = self._shelf.get(name)
        return [] if entry is None else list(entry.value["tags"])

    async def tag(self, name: str, tags: list[Json]) -> None:
        """Replace its tags. Raises NotFound, ReadOnly."""
        entry = self._shelf.get(name)
        if entry is None:
            self._check_ours(name)
            raise NotFound(f"no variable is named {name!r}")
        await self._shelf.put([(name, 0, {**entry.value, "tags": tags})])

    def _check_ours(self, name: str) -> None:
        if PREFIX + name in self._process:
            raise ReadOnly(f"variable {name!r} is {PREFIX}{name} of the server's environment and is changed there")
