"""
Verbs: what an operator does to an execution, and to the family it belongs to.

Here: finding the execution a verb is about and walking down to a child. What a verb does to one execution is core/lifecycle.py and core/revival.py; what it
does to parents and children travels as messages and is applied when the call returns.
Source: conductor-rest-api.md §1.1, conductor-semantics.md §1.6–§1.13.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from batuta.core import lifecycle, revival
from batuta.core.decide import Outcome, decide
from batuta.core.inbox import push
from batuta.core.jump import jump
from batuta.core.model.definition import Definition
from batuta.core.model.event import Reported, Ticked
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json
from batuta.core.turn import Tools
from batuta.core.upgrade import upgrade
from batuta.core.variables import update_state, update_variables
from batuta.engine.admission import PlaceLost
from batuta.engine.post import Act, offered_again
from batuta.engine.reports import Reports, open_by_ref
from batuta.engine.steps import CONFLICTS_MAX
from batuta.engine.tally import ARCHIVED
from batuta.errors import BatutaError, Invalid, NotFound, Unavailable, VersionConflict
from batuta.store.protocol import Commit
from batuta.wire.requests import RerunRequest, StateUpdate, UpgradeRequest

Revival = Callable[[Execution, int, Tools, bool], Outcome]  # a verb that brings back to life; the last argument says whether it has to wait for a place
DEPTH_MAX = 100  # sub-workflows inside sub-workflows


class Verbs(Reports):
    """The operator's side of the engine. Every verb raises NotFound for an unknown id, Conflict where the state forbids it."""

    async def terminate(self, execution_id: str, reason: str | None) -> None:
        """End it and its children; its parent is told."""
        await self.act(execution_id, lambda x, now, tools: lifecycle.terminate(x, now, tools, reason))

    async def pause(self, execution_id: str) -> None:
        await self.act(execution_id, lifecycle.pause)

    async def resume(self, execution_id: str) -> None:
        await self.act(execution_id, lifecycle.resume)

    async def decide(self, execution_id: str) -> None:
        """Look at it again, as if time had passed."""
        await self.act(execution_id, lambda x, now, tools: decide(x, Ticked(), now, tools))

    async def reset_callbacks(self, execution_id: str) -> None:
        await self.act(execution_id, lifecycle.reset_callbacks)

    async def skip_task(self, execution_id: str, ref: str, given: Json | None, output: Json | None) -> None:
        await self.act(execution_id, lambda x, now, tools: lifecycle.skip_task(x, now, tools, ref, given, output))

    async def push(self, execution_id: str, payload: Json) -> str:
        """
        A message for its PULL_WORKFLOW_MESSAGES, one of which may wait for it; the message's id.

        Raises:
            Conflict: it is not RUNNING.
            TooMany: too many wait already.
        """
        message_id = self._ids.next()
        await self.act(execution_id, lambda x, now, tools: push(x, now, tools, message_id, payload, self._inbox_max))
        return message_id

    async def update_variables(self, execution_id: str, variables: Json) -> None:
        """Set these variables, each as a whole."""
        await self.act(execution_id, lambda x, now, tools: update_variables(x, now, tools, variables))

    async def update_state(self, execution_id: str, update: StateUpdate) -> None:
        """Set variables and report the open task of a reference, in one commit. Raises NotFound when a reference is given and no such task is open."""
        result = update.result

        def act(x: Execution, now: int, tools: Tools) -> Outcome:
            report = None
            if result is not None and not x.head.status.is_terminal:
                task = open_by_ref(x, update.ref or "")
                if task is None:
                    raise NotFound(f"Found no running task {update.ref} of workflow {execution_id} to update")
                report = Reported(
                    n=task.n, status=result.status or TaskStatus.COMPLETED, output=result.output, reason=result.reason, worker=result.worker,
                    callback_after_s=result.callback_after_s, merge=True,
                )  # fmt: skip
            return update_state(x, now, tools, update.variables, report)

        await self.act(execution_id, act)

    async def jump(self, execution_id: str, ref: str, given: Json) -> None:
        """Go on from this task, whatever is open now."""
        await self.act(execution_id, lambda x, now, tools: jump(x, now, tools, ref, given))

    async def upgrade(self, execution_id: str, request: UpgradeRequest) -> None:
        """Go on with another version of the definition."""
        x = await self.read(execution_id)
        if request.name != x.head.name:
            raise Invalid(f"name is {request.name!r}; an upgrade changes the version of an execution of {x.head.name!r}, not its workflow")
        definition = self.definitions.named(request.name, request.version)
        await self._will_run(execution_id, definition)
        await self.act(execution_id, lambda x, now, tools: upgrade(x, now, tools, definition, request.workflow_input, request.task_output))
        if definition.limit is None:
            self._gave_up_place(execution_id)

    async def _will_run(self, execution_id: str, definition: Definition) -> None:
        """The execution is about to run this definition: one with scripts is decided on another thread from now on, beginning with the change itself."""
        live = self.lives.get(execution_id) or await self._load(execution_id)
        if definition.has_scripts and live is not None and live.turn is None:
            live.turn = asyncio.Lock()
            if self.lives.get(execution_id) is None:
                self.lives.put(live)

    async def restart(self, execution_id: str, use_latest: bool) -> None:
        """Begin again; *use_latest*: with the newest definition instead of the snapshot."""
        definition = None
        if use_latest:
            definition = self.definitions.named((await self.read(execution_id)).head.name, None)
            await self._will_run(execution_id, definition)
        await self._bring_back(execution_id, lambda x, now, tools, waits: revival.restart(x, now, tools, definition, waits=waits), definition)

    async def retry(self, execution_id: str, resume_subworkflow_tasks: bool = False) -> None:
        """New attempts of what failed; *resume_subworkflow_tasks*: inside the deepest child that failed, ancestors go on with it."""
        x = await self.read(execution_id)
        if resume_subworkflow_tasks and x.head.status.is_terminal:
            deepest = await self._deepest_failed(x)
            if deepest is None:
                return
            execution_id = deepest
        await self._bring_back(execution_id, lambda x, now, tools, waits: revival.retry(x, now, tools, waits=waits))

    async def _deepest_failed(self, x: Execution) -> str | None:
        for _ in range(DEPTH_MAX):
            failed = next((t for t in x.ordered() if t.status in revival.LOST and not t.retried), None)
            if failed is None:
                return None
            if failed.type == "DO_WHILE":
                failed = next((t for t in x.ordered() if t.type == "SUB_WORKFLOW" and t.status in revival.LOST and not t.retried), failed)
            if failed.type != "SUB_WORKFLOW" or not failed.sub_execution_id:
                return x.head.id
            x = await self.read(failed.sub_execution_id)
        return x.head.id

    async def rerun(self, execution_id: str, request: RerunRequest) -> str:
        """Play it again from a task (also one of a child's), or from the beginning; the same id."""
        x = await self.read(execution_id)
        target = execution_id
        if request.task_id is not None and request.task_id not in x.by_id:
            target = await self._holder_below(x, request.task_id)
        given = request.workflow_input if target == execution_id else None
        await self._bring_back(
            target,
            lambda x, now, tools, waits: revival.rerun(
                x, now, tools, from_task=request.task_id, task_input=request.task_input, workflow_input=given, correlation_id=request.correlation_id,
                waits=waits,
            ),
        )  # fmt: skip
        return execution_id

    async def _bring_back(self, execution_id: str, verb: Revival, definition: Definition | None = None) -> None:
        """The verb on an ended execution, which may have to wait for a place. Raises TooMany where it may not wait."""
        for _ in range(CONFLICTS_MAX):
            x = await self.read(execution_id)
            waits = x.head.status.is_terminal and await self._waits(x, definition or x.definition)
            try:
                return await self.act(execution_id, self._placed(_with(verb, waits), definition))
            except PlaceLost:
                continue
            except BatutaError:
                await self._settle_place(execution_id)
                raise
        raise Unavailable(f"execution {execution_id!r} was changed by others {CONFLICTS_MAX} times in a row; try again later")

    async def _holder_below(self, x: Execution, task_id: str) -> str:
        """The descendant of this execution that has the task."""
        holder = await self.holder_of(task_id)
        current = holder
        for _ in range(DEPTH_MAX):
            if current is None:
                break
            if current == x.head.id and holder is not None:
                return holder
            current = (await self.read(current)).head.parent_id or None
        raise Invalid(f"Task {task_id} not found")

    async def remove(self, execution_id: str, archive: bool) -> None:
        """Delete it for good; *archive*: only when it has ended. One that runs is terminated first: children and parent learn of it, and wait for nothing."""
        for _ in range(CONFLICTS_MAX):
            try:
                return await self._remove(execution_id, archive)
            except VersionConflict:
                continue  # it moved while we looked
        raise Unavailable(f"execution {execution_id!r} was changed by others {CONFLICTS_MAX} times in a row; try again later")

    async def _remove(self, execution_id: str, archive: bool) -> None:
        x = await self.read(execution_id)
        if archive and not x.head.status.is_terminal:
            raise Invalid(f"Cannot archive workflow: {execution_id} with status: {x.head.status}")
        if not x.head.status.is_terminal:
            await self.act(execution_id, _ended("The execution was removed"))
            x = await self.read(execution_id)
        removal = Commit(execution_id=execution_id, expected=x.head.revision, removed=True)
        gone = self.store.submit([removal])
        if (live := self.lives.get(execution_id)) is not None:
            self.lives.drop(live)
        await asyncio.shield(gone)
        if self.changes.is_heard:
            self.changes.tell(removal)
        if (reading := self._loading.get(execution_id)) is not None:
            await asyncio.wait([reading])
        if (live := self.lives.get(execution_id)) is not None:
            self.lives.drop(live)  # read while it was still there
        for task in x.tasks.values():
            if task.queue:
                self.queues.withdraw(task.queue, (execution_id, task.n))
                if self.limits.left(task.def_name, (execution_id, task.n)):
                    self.queues.get(task.queue).wake(1)
        self.alarms.set(execution_id, 0)
        self.on_removed(execution_id)
        self._gave_up_place(execution_id)
        if archive:
            self.tally.count(ARCHIVED, x.head.name, x.head.status)

    async def requeue(self, task_type: str) -> int:
        """Offer every open task of the type again, also those with a worker; how many."""
        count = 0
        for execution_id, n in await self.pending_keys(task_type):
            try:
                x = await self.read(execution_id)
            except NotFound:
                continue
            task = x.tasks.get(n)
            if task is None or task.status.is_terminal or x.head.status is not WorkflowStatus.RUNNING:
                continue
            try:
                await self.act(execution_id, offered_again(n))
            except NotFound:
                continue
            count += 1
        return count

    async def pending_keys(self, task_type: str) -> list[tuple[str, int]]:
        """Execution id and row number of every open worker task of the type, in any domain."""
        await self.flushed()
        waiting = [key for q in self.queues.sizes() if q == task_type or q.endswith(f":{task_type}") for key in self.queues.members(q)]
        taken = [(c.execution_id, c.n) for c in await self.store.in_progress(task_type, limit=100_000)]
        return list(dict.fromkeys([*waiting, *taken]))


def _with(verb: Revival, waits: bool) -> Act:
    return lambda x, now, tools: verb(x, now, tools, waits)


def _ended(reason: str) -> Act:
    """The act of terminating whatever has not ended by itself."""
    return lambda x, now, tools: lifecycle.NOTHING if x.head.status.is_terminal else lifecycle.terminate(x, now, tools, reason)
