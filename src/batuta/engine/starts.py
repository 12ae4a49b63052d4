"""
Starts: by request, under a given id, and once under a key.

An idempotency key makes the execution's id: of two servers that start under one key only one can store it. Source: conductor-rest-api.md §3.7
(Conductor OSS accepts keys and ignores them; the strategies are Orkes').
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection

from batuta.core.model.definition import Definition
from batuta.core.model.execution import Execution, Head
from batuta.core.model.ids import named
from batuta.engine.family import OTHER
from batuta.engine.post import Letters, settled
from batuta.engine.reports import Reports
from batuta.engine.tally import START_ERRORS
from batuta.errors import Conflict, Invalid, NotFound, VersionConflict
from batuta.wire.requests import StartRequest

RUNS_AT_ONCE = 50  # executions of one key asked for in one look


class Starts(Reports):
    """Beginning executions."""

    async def start(self, request: StartRequest) -> str:
        """
        Start an execution; its first tasks are there when this returns.

        Raises:
            NotFound: no such definition.
            Invalid: neither input nor a name, an input that does not fit the definition's schema, or a path that leads to none.
            TooLarge: the input is larger than any payload may be.
            Conflict: the idempotency key is taken, and the strategy says that this is an error.

        Source: POST /api/workflow.
        """
        try:
            if request.definition is None and not (request.name or "").strip():
                raise Invalid("Workflow name cannot be null or empty")
            if request.input is None and not request.external_input:
                raise Invalid("NULL input passed when starting workflow")
            if request.idempotency_key:
                return await self._start_once(request, request.idempotency_key)
            return await self._begin(request, self._ids.next())
        except (Invalid, NotFound):
            name = request.name or ""
            self.tally.count(START_ERRORS, name if self.catalog.workflow(name) is not None else OTHER)
            raise

    async def _begin(self, request: StartRequest, execution_id: str) -> str:
        head, definition = await self._asked_for(request, execution_id)
        head.idempotency_key = request.idempotency_key or ""
        letters: Letters = deque()
        durable = await self._first_step(Execution(head, definition), letters)
        if letters:
            await self._carry(letters)
        await settled(durable)
        return head.id

    async def _asked_for(self, request: StartRequest, execution_id: str) -> tuple[Head, Definition]:
        """The execution as requested, with an input that may stand under a path, and what it runs. Nothing of it is stored yet."""
        inline, given = request.definition, request.input or {}
        definition = self.definitions.made(inline) if inline is not None else self.definitions.named(request.name or "", request.version)
        if request.external_input and not given:
            given = await self.payload_given(request.external_input)
        head = self._head(execution_id, definition, given)
        await self._require_fit(definition, head.input)
        head.correlation_id, head.priority, head.task_to_domain = request.correlation_id, request.priority, request.task_to_domain
        head.created_by = request.created_by or ""
        return head, definition

    async def start_as(self, execution_id: str, request: StartRequest, *, event: str | None = None, secrets: Collection[str] = ()) -> bool:
        """
        Start an execution under an id of the caller's; False when there is one already, also when another server was quicker.

        For starts that may be asked for twice (a message delivered again, a tick that two servers saw): the id says what is the same.
        *secrets*: names that the execution may use besides those of its definition, since the handler or schedule names them.

        Raises:
            NotFound: no such definition.
            Invalid: the input does not fit the definition's schema.
            Unavailable: the store did not take it; nothing happened.
        """
        if await self._load(execution_id) is not None:
            return False
        head, definition = await self._asked_for(request, execution_id)
        head.event = event
        head.secrets = sorted(secrets)
        letters: Letters = deque()
        durable = await self._first_step(Execution(head, definition), letters)
        try:
            await settled(durable)
        except VersionConflict:
            return False
        if letters:
            await self._carry(letters)
        return True

    async def _start_once(self, request: StartRequest, key: str) -> str:
        """
        Start unless the key is taken. RETURN_EXISTING (and no strategy at all): the last execution of the key is the answer. FAIL: that is a conflict.
        FAIL_ON_RUNNING: a conflict while that one has not ended, else another one starts.
        """
        name = request.name or str((request.definition or {}).get("name"))
        lock = self._keys.setdefault(f"{name}/{key}", asyncio.Lock())
        async with lock:
            for _ in range(RUNS_AT_ONCE):
                taken, free_id = await self._last_of(name, key)
                if taken is not None:
                    if request.idempotency_strategy in (None, "RETURN_EXISTING"):
                        return taken
                    has_ended = (await self.read(taken)).head.status.is_terminal
                    if request.idempotency_strategy == "FAIL" or not has_ended:
                        raise Conflict(f"idempotencyKey {key!r} of workflow {name!r} is taken by execution {taken}")
                try:
                    return await self._begin(request, free_id)
                except VersionConflict:
                    continue  # another server was quicker; look again
        raise Conflict(f"idempotencyKey {key!r} of workflow {name!r} is wanted by too many at once")

    async def _last_of(self, name: str, key: str) -> tuple[str | None, str]:
        """The newest execution of the key, and the id that the next one would have."""
        last, number = None, 0
        while True:
            ids = [named(f"key:{name}:{key}:{n}") for n in range(number, number + RUNS_AT_ONCE)]
            stored = {found.execution_id for found in await self.store.heads(ids)}
            for candidate in ids:
                if candidate not in stored and self.lives.get(candidate) is None:
                    return last, candidate
                last = candidate
            number += RUNS_AT_ONCE
