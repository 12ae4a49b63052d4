"""
Handlers: the event handlers, durable in the store and mirrored in memory, found by the event they listen to.

Not here: what they do with a message (events.py), the rules of a good handler (wire/event.py).
Source: conductor-rest-api.md §1.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from batuta.engine.catalog import Entry, Shelf
from batuta.errors import Conflict, InvalidFields, NotFound
from batuta.store.protocol import Store
from batuta.wire.event import problems, read_handler
from batuta.wire.shape import Json


class Handlers:
    """The registered event handlers. They are handed out in their stored form; what is handed out must not be changed."""

    def __init__(self, store: Store) -> None:
        self._shelf = Shelf(store, "event-handler", read_handler)
        self._writing = asyncio.Lock()
        self._listening: tuple[int, dict[str, list[Entry]]] = (-1, {})  # as of a revision of the shelf: handlers by event

    async def load(self) -> None:
        """Fill the mirror; once, before anything is asked. Raises Unavailable."""
        await self._shelf.load()

    def all(self) -> list[Entry]:
        """Every handler, by name."""
        return list(self._shelf)

    def of(self, event: str) -> Sequence[Entry]:
        """Every handler of exactly this event, by name, active or not."""
        if self._listening[0] != self._shelf.revision:
            found: dict[str, list[Entry]] = {}
            for entry in self._shelf:
                found.setdefault(entry.value["event"], []).append(entry)
            self._listening = (self._shelf.revision, found)
        return self._listening[1].get(event, ())

    def listening(self, event: str) -> list[Json]:
        """The active handlers of exactly this event, by name."""
        return [entry.value for entry in self.of(event) if entry.value["active"]]

    def events(self) -> list[str]:
        """The events that some active handler listens to."""
        return sorted({entry.value["event"] for entry in self._shelf if entry.value["active"]})

    async def create(self, *handlers: Json) -> None:
        """
        Register handlers, all or none.

        Raises:
            InvalidFields: one breaks a rule.
            Conflict: there is one of this name.

        Source: POST /api/event.
        """
        if broken := [violation for handler in handlers for violation in problems(handler, "addEventHandler.arg0")]:
            raise InvalidFields(broken)
        names = [handler["name"] for handler in handlers]
        async with self._writing:
            for n, name in enumerate(names):
                if self._shelf.get(name) is not None or name in names[:n]:
                    raise Conflict(f"EventHandler with name {name} already exists!")
            await self._shelf.put([(handler["name"], 0, handler) for handler in handlers])

    async def replace(self, handler: Json) -> None:
        """
        Replace a handler that exists.

        Raises:
            InvalidFields: it breaks a rule.
            NotFound: there is none of this name.

        Source: PUT /api/event.
        """
        if broken := problems(handler, "updateEventHandler.arg0"):
            raise InvalidFields(broken)
        async with self._writing:
            former = self._known(handler["name"])
            if "tags" not in handler and "tags" in former:
                handler = {**handler, "tags": former["tags"]}
            await self._shelf.put([(handler["name"], 0, handler)])

    async def delete(self, name: str) -> None:
        """Forget a handler. Raises NotFound. Source: DELETE /api/event/{name}."""
        async with self._writing:
            self._known(name)
            await self._shelf.delete(name)

    def tags(self, name: str) -> list[Json]:
        """The tags of a handler. Raises NotFound."""
        tags: list[Json] = self._known(name).get("tags", [])
        return tags

    async def tag(self, name: str, tags: list[Json]) -> None:
        """These are its tags from now on. Raises NotFound."""
        async with self._writing:
            await self._shelf.put([(name, 0, {**self._known(name), "tags": tags})])

    def _known(self, name: str) -> Json:
        entry = self._shelf.get(name)
        if entry is None:
            raise NotFound(f"EventHandler with name {name} not found!")
        return entry.value
