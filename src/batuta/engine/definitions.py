"""
Definitions: registered or inline definitions made ready to run, once per state of the catalog.

Not here: the registry itself (catalog.py), what resolving means (core/model/definition.py).
"""

from __future__ import annotations

import msgspec

from batuta.core.model.definition import ChildMissing, Definition, digest, resolve
from batuta.core.model.task import Json
from batuta.engine.catalog import Catalog
from batuta.errors import NotFound

CACHED_MAX = 2_000


class Definitions:
    """What executions run: snapshots, shared by all executions of the same hash that were started since the last change."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._named: dict[tuple[str, int | None], tuple[int, Definition]] = {}
        self._by_hash: dict[str, Definition] = {}

    def named(self, name: str, version: int | None) -> Definition:
        """
        The registered definition of this version (None: the latest), ready to run.

        Raises:
            NotFound: it is not registered, or an unversioned sub-workflow in it is not.
        """
        key = (name, version)
        cached = self._named.get(key)
        if cached is not None and cached[0] == self._catalog.revision:
            return cached[1]
        raw = self._catalog.workflow(name, version)
        if raw is None:
            raise NotFound(f"No such workflow defined. name={name}, version={'null' if version is None else version}")
        definition = self.made(raw)
        self._named[key] = (self._catalog.revision, definition)
        return definition

    def made(self, raw: Json) -> Definition:
        """The definition in its stored form, ready to run. Raises NotFound for an unversioned sub-workflow that is not registered."""
        try:
            full = resolve(raw, self._catalog.task, self._catalog.latest_version, self._catalog.schema)
        except ChildMissing as missing:
            raise NotFound(str(missing)) from None
        hash_, _ = digest(full)
        return self._by_hash.get(hash_) or self._remember(Definition(full, hash_))

    def remembered(self, hash_: str, text: bytes) -> Definition:
        """The snapshot of this hash; made of its text when it is not in memory."""
        return self._by_hash.get(hash_) or self._remember(Definition(msgspec.json.decode(text), hash_))

    def _remember(self, definition: Definition) -> Definition:
        if len(self._by_hash) >= CACHED_MAX:
            self._by_hash.clear()
            self._named.clear()
        self._by_hash[definition.hash] = definition
        return definition

    def known(self, hash_: str) -> Definition | None:
        """The snapshot of this hash, when it is in memory."""
        return self._by_hash.get(hash_)
