"""
Admission: executions of workflows that have a rate limit are started, or brought back to life, when there is a place for them.

A place is taken on the event loop before anything is decided, and given up when the end is durable; then the next in line is admitted. The names of
workflows that ever had a limit are kept, so that a new process reads those executions only.
Not here: the count itself (places.py), what waiting means (core/places.py).
"""

from __future__ import annotations

import abc
import asyncio

from batuta.core import revival
from batuta.core.decide import Outcome
from batuta.core.model.definition import Definition
from batuta.core.model.execution import Execution, Head
from batuta.core.places import key_of
from batuta.core.turn import Tools
from batuta.engine.durability import AGAIN_MS, Durability
from batuta.engine.places import Key
from batuta.engine.post import Act
from batuta.errors import NotFound, TooMany, Unavailable
from batuta.store.protocol import Document
from batuta.store.rows import head_of

_LIMITED = "rate-limited"  # kind of document: the name of a workflow that has, or had, a limit


class PlaceLost(Unavailable):
    """The execution ended, or was refused something, after it was asked whether there is a place for it: it has to be asked again."""


class Admission(Durability):
    """Who may go on, and who waits."""

    @abc.abstractmethod
    async def act(self, execution_id: str, act: Act) -> None:
        """The one path of every change (steps.py)."""

    @abc.abstractmethod
    async def read(self, execution_id: str) -> Execution:
        """The execution as it is on disk (reports.py). Raises NotFound."""

    async def _waits(self, x: Execution, definition: Definition, *, by_family: bool = False) -> bool:
        """
        Whether the execution must wait for a place; if not, it has one now. To be asked before it is started or brought back to life.

        *by_family*: a parent or child brings it back, which cannot be refused: it waits whatever the policy.
        Raises TooMany where the policy is to refuse; nobody waits then.
        """
        limit = definition.limit
        if limit is None:
            return False
        if definition.name not in self._limited_names:
            await asyncio.shield(self.store.put([Document(_LIMITED, definition.name, 0, b"{}")]))
            self._limited_names.add(definition.name)
        key = (definition.name, key_of(x, definition, self.tools))
        if self.places.take(key, x.head.id, limit.most):
            return False
        if limit.rejects and not by_family:
            raise TooMany(f"workflow {definition.name!r} has {limit.most} open executions under the rate limit {key[1]!r}, which is as many as there may be")
        self.places.queue(key, x.head.id, limit.most)
        return True

    async def _waits_to_live(self, execution_id: str) -> bool:
        """The same for an execution that its family brings back, should it have ended."""
        live = await self._load(execution_id)
        return live is not None and live.x.head.status.is_terminal and await self._waits(live.x, live.x.definition, by_family=True)

    async def _settle_place(self, execution_id: str) -> None:
        """When all that is under way with it is on disk: one that was to come back to life, and has ended all the same, neither counts nor waits."""
        if self.places.knows(execution_id):
            try:
                self._stands(await self.read(execution_id))
            except NotFound:
                self._gave_up_place(execution_id)

    def _placed(self, verb: Act, definition: Definition | None = None) -> Act:
        """The verb (after which it runs this definition, if one is given), unless the execution lost its place since it was asked whether there is one."""

        def act(x: Execution, now: int, tools: Tools) -> Outcome:
            if (definition or x.definition).limit is not None and x.head.status.is_terminal and not self.places.knows(x.head.id):
                raise PlaceLost(f"execution {x.head.id!r} has just ended; try again")
            return verb(x, now, tools)

        return act

    # -- who is next ------------------------------------------------------------------------------------------------------------

    async def _line_up(self) -> None:
        """Read who counts and who waits; before anything else is done in a new process."""
        for document in await self.store.documents(_LIMITED):
            self._limited_names.add(document.key)
            found = await self.store.find(name=document.key, statuses=("RUNNING", "PAUSED"), limit=10_000_000)
            for head in sorted((head_of(one.head) for one in found), key=lambda head: head.queued_at):
                key = (head.name, head.rate_limit_key)
                if head.held is None:
                    if head.rate_limit_key:
                        self.places.count(key, head.id)
                elif (definition := await self._definition_of(head)) is not None and definition.limit is not None:
                    self.places.queue(key, head.id, definition.limit.most)

    async def _definition_of(self, head: Head) -> Definition | None:
        """Thousands may wait, of a definition or two."""
        definition = self.definitions.known(head.definition_hash)
        if definition is None and (live := await self._load(head.id)) is not None:
            definition = live.x.definition
        return definition

    def _admit_all(self) -> None:
        """Places that became free while nobody looked: a process died between an end and the next admission."""
        for key in self.places.waited_for():
            self._admit_next(key)

    def _admit_next(self, key: Key | None) -> None:
        if key is not None:
            for execution_id in self.places.next(key):
                self.spawn(self._admit(execution_id))

    async def _admit(self, execution_id: str) -> None:
        while not self._closing:
            try:
                await self.act(execution_id, revival.admit)
                return
            except NotFound:
                return self._gave_up_place(execution_id)
            except Unavailable:
                await self._pause(AGAIN_MS)

    def _gave_up_place(self, execution_id: str) -> None:
        self._admit_next(self.places.leave(execution_id))

    def _stands(self, x: Execution) -> None:
        """How an execution under a limit stands, on disk: an end frees its place, and one that was put in line too late is admitted."""
        key = (x.head.name, x.head.rate_limit_key)
        if x.head.status.is_terminal:
            self._gave_up_place(x.head.id)
        elif x.head.held is None:
            if not self.places.has(x.head.id):
                self.places.count(key, x.head.id)
        elif self.places.has(x.head.id):
            self.spawn(self._admit(x.head.id))
        elif x.definition.limit is not None:
            self.places.queue(key, x.head.id, x.definition.limit.most)
