"""
Secrets: what `${workflow.secrets.NAME}` stands for. Those of the server's environment (CONDUCTOR_SECRET_NAME), and those kept in the store, sealed.

A name of the environment wins over a stored one and cannot be changed here. Values are in memory from the start on; on disk they are sealed
(keyring.py), one document each. A stored one whose key is not here has a name and no value: the server starts all the same, and only what uses it
fails, saying why.

Not here: where values are put in (core/expr/secrets.py) and taken out (core/expr/masks.py), the API (api/secrets.py). Source: conductor-rest-api.md §1.8.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from batuta.core.expr.masks import Mask
from batuta.engine.catalog import Shelf
from batuta.engine.clock import Clock
from batuta.engine.keyring import CannotOpen, Keyring, Sealed
from batuta.errors import Conflict, Invalid, NotFound, ReadOnly, SecretUnreadable
from batuta.store.protocol import Store
from batuta.wire.shape import Json

KIND: Final = "secret"
ENVIRONMENT_PREFIX: Final = "CONDUCTOR_SECRET_"
LENGTH_MAX: Final = 65_535
FORMER_MAX: Final = 8  # values a secret had before, which a task may still hold
_MASKS_MAX: Final = 500
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,65535}")


def checked_name(name: str) -> str:
    """The name. Raises Invalid when no secret can have it."""
    if not _NAME.fullmatch(name):
        raise Invalid(f"key is {name!r}; key must match pattern [a-zA-Z0-9_-]+ (alphanumeric, underscore, dash only)")
    return name


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as its document holds it. Instants are epoch milliseconds."""

    sealed: Sealed
    created_at: int
    updated_at: int
    tags: list[Json] = []


def read_stored(body: bytes) -> Stored:
    """The secret that a document's body is."""
    return msgspec.json.decode(body, type=Stored)


class Secrets:
    """All secrets of one server. Reads are answered from memory; writes are durable when they return."""

    def __init__(self, store: Store, clock: Clock, ring: Keyring | None = None, *, environment: Mapping[str, str] = os.environ) -> None:
        self.ring = Keyring() if ring is None else ring
        self._clock, self._environment = clock, environment
        self._shelf = Shelf(store, KIND)
        self._values: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}  # why, by name
        self._former: dict[str, deque[str]] = {}
        self._masks: dict[tuple[tuple[str, str | None, tuple[str, ...]], ...], Mask] = {}
        self._writing = asyncio.Lock()

    async def load(self) -> None:
        """Open what is stored; what an interrupted rotation left sealed with an old key is sealed anew. Once, before anything is asked. Raises Unavailable."""
        await self._shelf.load()
        for entry in self._shelf:
            try:
                self._values[entry.key] = self.ring.open(entry.key, self._stored(entry.key).sealed)
            except CannotOpen as error:
                self._unreadable[entry.key] = str(error)
        if len(self.ring) > 1:
            await self._seal_anew()

    # -- reading ----------------------------------------------------------------------------------------------------------------------

    def get(self, name: str) -> str | None:
        """The value; None when there is no such secret. Raises SecretUnreadable."""
        if (value := self._environment.get(ENVIRONMENT_PREFIX + name)) is not None:
            if _is_unicode(value):
                return value
            raise SecretUnreadable(f"secret {name!r} cannot be read: {ENVIRONMENT_PREFIX}{name} is not UTF-8")
        if (why := self._unreadable.get(name)) is not None:
            raise SecretUnreadable(f"secret {name!r} cannot be read: {why}")
        return self._values.get(name)

    def names(self) -> list[str]:
        """The names of all, readable or not."""
        prefix = ENVIRONMENT_PREFIX
        given = (name.removeprefix(prefix) for name in self._environment if name.startswith(prefix))
        return sorted({*(name for name in given if _NAME.fullmatch(name)), *self._shelf.keys()})

    def exists(self, name: str) -> bool:
        return self.is_given(name) or self._shelf.get(name) is not None

    def is_given(self, name: str) -> bool:
        """Whether it is the environment's, and so not to be changed here."""
        return ENVIRONMENT_PREFIX + name in self._environment

    def stored(self, name: str) -> Stored | None:
        """What is stored of it besides its value; None for one of the environment's."""
        return None if self.is_given(name) or self._shelf.get(name) is None else self._stored(name)

    def tags(self, name: str) -> list[Json]:
        """Its tags; one of the environment's has none."""
        stored = self.stored(name)
        return [] if stored is None else stored.tags

    def _stored(self, name: str) -> Stored:
        entry = self._shelf.get(name)
        assert entry is not None
        return msgspec.convert(entry.value, Stored)

    def mask(self, names: Collection[str]) -> Mask:
        """What takes the values of these secrets out of what comes in: those they have, and those they had before and tasks may still hold."""
        values = tuple((name, self._readable(name), tuple(self._former.get(name, ()))) for name in sorted(names))
        mask = self._masks.get(values)
        if mask is None:
            if len(self._masks) >= _MASKS_MAX:
                self._masks.clear()
            current = {name: now for name, now, _ in values if now is not None}
            mask = self._masks[values] = Mask(current, [value for _, _, former in values for value in former])
        return mask

    def mask_all(self, text: str) -> str:
        """A line of the server's own log without any secret."""
        return self.mask({*self.names(), *self._former}).text(text)

    def _readable(self, name: str) -> str | None:
        try:
            return self.get(name)
        except SecretUnreadable:
            return None

    # -- writing ----------------------------------------------------------------------------------------------------------------------

    async def put(self, name: str, value: str) -> None:
        """
        Store it, or replace what is stored.

        Raises:
            Invalid: the name, an empty value, or one of more than LENGTH_MAX characters.
            ReadOnly: it is the environment's.
            Conflict: other secrets are sealed with a key that is not here, or there is nowhere to keep a key.
        """
        checked_name(name)
        if not value:
            raise Invalid("value is required: the body is the secret, as text")
        if len(value) > LENGTH_MAX:
            raise Invalid(f"the value has {len(value)} characters; a secret has at most {LENGTH_MAX}")
        if self.is_given(name):
            raise ReadOnly("env-backed secrets are read-only")
        async with self._writing:
            if lost := sorted(other for other in self._unreadable if other != name):
                why = f"secret {name!r} is not stored while {lost[0]!r} cannot be read: {self._unreadable[lost[0]]}"
                raise Conflict(f"{why}; bring that key back, or delete what it sealed")
            self.ring.make()
            now, there = self._clock.now(), self._shelf.get(name)
            before = None if there is None else self._stored(name)
            sealed = self.ring.seal(name, value)
            await self._keep({name: Stored(sealed=sealed, created_at=before.created_at if before else now, updated_at=now, tags=before.tags if before else [])})
            self._forget(name)
            self._values[name] = value

    async def delete(self, name: str) -> None:
        """
        Forget it; its sealed value leaves the store.

        Raises:
            NotFound: there is none.
            ReadOnly: it is the environment's.
        """
        checked_name(name)
        async with self._writing:
            if self._shelf.get(name) is None:
                if self.is_given(name):
                    raise ReadOnly("env-backed secrets are read-only")
                raise NotFound(f"no secret is named {name!r}")
            await self._shelf.delete(name)
            self._forget(name)

    async def tag(self, name: str, tags: list[Json]) -> None:
        """Replace its tags. Raises NotFound, ReadOnly."""
        checked_name(name)
        async with self._writing:
            if self._shelf.get(name) is None:
                if self.is_given(name):
                    raise ReadOnly("env-backed secrets are read-only")
                raise NotFound(f"no secret is named {name!r}")
            await self._keep({name: msgspec.structs.replace(self._stored(name), tags=tags)})

    async def rotate(self) -> int:
        """
        A new key; every stored secret is sealed with it, and the old key is forgotten. How many there were.

        A crash on the way leaves both keys in the file, and the next start goes on.

        Raises:
            Conflict: some secret cannot be read now and never could be after, or the key is given by a setting.
        """
        async with self._writing:
            if self._unreadable:
                name, why = next(iter(sorted(self._unreadable.items())))
                raise Conflict(f"the key stays: secret {name!r} cannot be read, {why}; bring its key back, or delete it")
            self.ring.begin_rotation()
            await self._seal_anew()
            return len(self._values)

    async def _seal_anew(self) -> None:
        stale = {name: stored for name in self._values if (stored := self._stored(name)).sealed.key != self.ring.current}
        if stale:
            await self._keep({n: msgspec.structs.replace(s, sealed=self.ring.seal(n, self._values[n])) for n, s in stale.items()})
        if not self._unreadable:
            self.ring.end_rotation()

    async def _keep(self, stored: Mapping[str, Stored]) -> None:
        await self._shelf.put([(name, 0, msgspec.to_builtins(one)) for name, one in stored.items()])

    def _forget(self, name: str) -> None:
        """The value is not current any more; a task that was handed it may still send it back."""
        self._unreadable.pop(name, None)
        if (value := self._values.pop(name, None)) is not None:
            self._former.setdefault(name, deque(maxlen=FORMER_MAX)).append(value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
