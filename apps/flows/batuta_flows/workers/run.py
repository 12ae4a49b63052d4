"""
One task of one node: which provider, whether it was done before, a step of the adapter, and what to tell the orchestrator.

The order matters. A remembered result ends the task without a call. A job the provider already has is looked after, never sent again. Money is booked and
the sending announced before a paid request leaves; what the adapter wants to remember, and what was paid for, is stored before the task is given back.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from batuta.client import Failed, FailedForGood, InProgress, TaskContext
from batuta_flows.assets.store import AssetStore
from batuta_flows.catalogue import NODE_TYPES, NodeType, Provider
from batuta_flows.errors import NodeFailed, is_of_storage
from batuta_flows.providers.protocol import Adapter, Done, Job, Waiting
from batuta_flows.records.results import Remembered, Results, result_key
from batuta_flows.records.spend import Spend
from batuta_flows.records.submissions import InHand, NoRoom, Submissions
from batuta_flows.workers.inputs import complete, settings_of

Json = Any
ASK_AGAIN_MOST_S: Final = 60.0
IN_HAND_S: Final = 1.0
TURN_GROWTH, TURN_MOST_S = 1.5, 15.0  # seconds until it is looked again whether a provider has room
_OURS: Final = ("provider", "fresh")  # settings that choose, and are no input of the work
_MAKE_ROOM: Final = "Make room on its disk, and see that FLOWS_DATA can be written; then retry the run"
_FAULTS: Final = "_faults"  # in the state of a job: how often asking for it went wrong
_UNPAID: Final = frozenset({"bad_input", "bad_key", "quota", "rate_limited", "refused_content", "too_large", "not_available"})  # answers to a submission


class Runner:
    """What all node workers of a process share."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        assets: AssetStore,
        submissions: Submissions,
        results: Results,
        spend: Spend,
        *,
        configured: frozenset[str],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._adapters, self._assets, self._now_ms = adapters, assets, now_ms
        self._submissions, self._results, self._spend, self._configured = submissions, results, spend, configured

    def run(self, context: TaskContext) -> dict[str, Json] | InProgress:
        """
        Take this task a step further.

        Raises:
            Failed: it may succeed when it is tried again.
            FailedForGood: it will not.
        """
        try:
            return self._run(context)
        except NodeFailed as failure:
            if failure.may_retry and failure.retry_after_s is not None:  # the orchestrator's own back-off does not know of it
                return InProgress(failure.retry_after_s, {"status": {"note": f"{failure.message}; asked to wait {failure.retry_after_s:g} s"}})
            raise _told(failure) from failure
        except (OSError, sqlite3.Error) as error:
            if not is_of_storage(error):
                raise
            said = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise _told(NodeFailed("storage", f"this machine cannot keep what is made: {said}", fix=_MAKE_ROOM, may_retry=True)) from error

    def _run(self, context: TaskContext) -> dict[str, Json] | InProgress:
        given = context.task.input
        node_type = NODE_TYPES[str(given["nodeType"])]
        settings = complete(node_type.name, settings_of(given))
        provider = choose(node_type, str(settings.get("provider") or "auto"), self._configured)
        job = _job(node_type, provider, settings, given)
        key = result_key(node_type.name, node_type.version, provider.id, job.model, job.seed, job.settings)
        if not settings.get("fresh") and (found := self._results.find(key)) is not None:
            return self._remembered(found, given, context)
        with tempfile.TemporaryDirectory(prefix="flow-") as directory:
            outcome = self._step(job, provider, _Desk(self, context, job, provider, given, Path(directory)))
        if isinstance(outcome, Waiting):
            told = {"provider": provider.id, "progress": outcome.progress, "note": outcome.note}
            return InProgress(outcome.again_in_s, {"status": told})
        self._results.keep(key, outcome, str(given.get("runId", "")), str(given["nodeId"]), self._now_ms())
        return outcome

    def _remembered(self, found: Remembered, given: Mapping[str, Json], context: TaskContext) -> dict[str, Json]:
        """A result of before, with the run it came from; one of this very node is its own, made by an attempt that was lost before it could say so."""
        if (found.run_id, found.node_id) == (given.get("runId"), given["nodeId"]):
            return found.output
        context.log(f"the same inputs gave this in run {found.run_id}")
        return {**found.output, "cachedFrom": found.run_id}

    def _step(self, job: Job, provider: Provider, desk: _Desk) -> dict[str, Json] | Waiting:
        """What the node puts out, or how long to wait. What is paid for is written down in the same breath."""
        adapter = self._adapters.get(provider.id)
        if adapter is None:
            raise NodeFailed("not_available", f"{provider.title} is not installed here", fix="Install the extra that brings it, or choose another provider")
        submission = self._submissions.find(job.key)
        if submission is not None and submission.phase == "done":
            return submission.state
        state = submission.state if submission is not None else None
        try:
            outcome = adapter.step(job, state, desk)
        except InHand:
            return Waiting({}, IN_HAND_S, None, f"another worker is sending it to {provider.title}")
        except NoRoom:
            return Waiting({}, min(TURN_MOST_S, TURN_GROWTH**desk.poll_count), None, f"it waits its turn: {provider.title} has as many requests as it may")
        except NodeFailed as failure:
            return self._faulted(failure, job, state, desk)
        except BaseException:
            self._submissions.doubted(job.key)
            raise
        if isinstance(outcome, Waiting):
            if desk.opened(outcome.state):
                return outcome
            adapter.cancel(job, outcome.state)
            raise NodeFailed("cancelled", "the run was cancelled while the request was being sent")
        output = {**outcome.outputs, **_account(job, provider, outcome)}
        if desk.is_paid:
            self._submissions.done(job.key, output, self._now_ms())
            self._spend.settle(job.key, outcome.cost_usd or None)
        return output

    def _faulted(self, failure: NodeFailed, job: Job, state: dict[str, Json] | None, desk: _Desk) -> Waiting:
        """A fault that passes, of a job that the provider has, is waited for: the task's time-out bounds it. Any other ends the job. Raises the failure."""
        if state is not None and failure.may_retry:
            faults = int(state.get(_FAULTS, 0)) + 1
            desk.opened({**state, _FAULTS: faults})
            again_in_s = failure.retry_after_s if failure.retry_after_s is not None else min(ASK_AGAIN_MOST_S, 2.0**faults)
            return Waiting(state, again_in_s, None, f"{failure.message}; it is asked again")
        if failure.code != "unknown_submission":
            self._submissions.ended(job.key, self._now_ms())
            if state is None and failure.code in _UNPAID:
                self._spend.released(job.key)
            else:
                self._spend.settle(job.key, None)
        raise failure

    def cancel_run(self, run_id: str) -> int:
        """Tell providers that nobody wants the open jobs of this run any more; how many were told."""
        unwanted = self._submissions.unwanted(run_id, self._now_ms())
        for submission in unwanted:
            adapter = self._adapters.get(submission.provider)
            if adapter is not None:
                adapter.cancel(Job("", {}, "", 0, submission.key), submission.state)
        return len(unwanted)

    def runs_at_providers(self) -> list[str]:
        """Ids of runs of which providers have jobs."""
        return self._submissions.runs_with_open()

    def clear_doubts(self, run_id: str) -> None:
        """What may have been sent and may not is sent again by the next attempt: a person has said so."""
        self._submissions.cleared(run_id, self._now_ms())

    def reserve(self, job: Job, provider: Provider, given: Mapping[str, Json]) -> None:
        """Announce and book what is about to be sent."""
        run_id, now = str(given.get("runId", "")), self._now_ms()
        self._submissions.announce(job.key, run_id, str(given["nodeId"]), provider.id, now)
        try:
            self._spend.reserve(job.key, run_id, provider.id, provider.price_usd({**job.settings, "model": job.model}), now)
        except NodeFailed:
            self._submissions.ended(job.key, now)
            raise

    def remember(self, job: Job, provider: Provider, given: Mapping[str, Json], state: dict[str, Json]) -> bool:
        """The provider has the job; whether anybody still wants it."""
        return self._submissions.opened(job.key, str(given.get("runId", "")), str(given["nodeId"]), provider.id, state, self._now_ms())

    @property
    def assets(self) -> AssetStore:
        return self._assets


class _Desk:
    """The desk of one step, over the running task."""

    def __init__(self, runner: Runner, context: TaskContext, job: Job, provider: Provider, given: Mapping[str, Json], directory: Path) -> None:
        self._runner, self._context, self._job, self._provider, self._given = runner, context, job, provider, given
        self.assets, self.directory, self.is_paid = runner.assets, directory, not provider.is_local

    @property
    def poll_count(self) -> int:
        return self._context.poll_count

    @property
    def is_cancelled(self) -> bool:
        return self._context.is_cancelled

    def log(self, line: str) -> None:
        self._context.log(line)

    def progress(self, fraction: float, note: str = "") -> None:
        self._context.progress({"status": {"provider": self._provider.id, "progress": round(fraction, 3), "note": note}})

    def submitting(self) -> None:
        self._runner.reserve(self._job, self._provider, self._given)

    def opened(self, state: dict[str, Json]) -> bool:
        """The provider's answer to a submission, or a newer state of it; whether anybody still wants it."""
        return self._runner.remember(self._job, self._provider, self._given, state)


def _told(failure: NodeFailed) -> Failed:
    """The failure as the orchestrator is told of it."""
    output = {"error": {"code": failure.code, "message": failure.message, "fix": failure.fix}}
    return (Failed if failure.may_retry else FailedForGood)(str(failure), output=output)


def choose(node_type: NodeType, wanted: str, configured: frozenset[str]) -> Provider:
    """
    The provider that does the work: the one named, or with `auto` the first that is configured.

    Raises:
        NodeFailed: it is not configured, or unknown; never another one in its place.
    """
    if wanted == "auto":
        found = next((p for p in node_type.providers if p.is_local or p.id in configured), None)
    else:
        found = node_type.provider(wanted)
    if found is None or not (found.is_local or found.id in configured):
        needs = sorted({need for p in ([found] if found else node_type.providers) for need in p.needs})
        raise NodeFailed("not_available", f"{node_type.title} needs {' or '.join(needs)}", fix="Set it in the environment of the workers and start them again")
    return found


def _job(node_type: NodeType, provider: Provider, settings: Mapping[str, Json], given: Mapping[str, Json]) -> Job:
    model = str(settings.get("model") or next(iter(provider.models), ""))
    inputs = {name: value for name, value in settings.items() if name not in (*_OURS, "model", "seed", *provider.ignores)}
    seed = settings.get("seed")
    if seed is None:
        text = repr((node_type.name, sorted(inputs.items(), key=lambda item: item[0]), given.get("nodeId"), given.get("itemIndex")))
        seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4]) >> 1
    key = "/".join(str(given.get(name, "")) for name in ("runId", "nodeId", "itemIndex"))
    return Job(node_type.name, inputs, model, int(seed), key)


def _account(job: Job, provider: Provider, done: Done) -> dict[str, Json]:
    """Who did it, and how; never less than the provider's id, by which a result is known to be one."""
    account = {
        "provider": provider.id,
        "model": done.model or job.model or None,
        "requestId": done.request_id or None,
        "seed": job.seed,
        "costUsd": done.cost_usd or round(provider.price_usd({**job.settings, "model": job.model}), 6) or None,
    }
    return {name: value for name, value in account.items() if value is not None}
