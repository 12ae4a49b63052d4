"""
Telling the server what became of a task, and not giving up while it is away.

Here: the first try, keeping what it did not take, trying again, and sending what an earlier process kept. Not here: files
(spool.py) and how results come about (running.py).

    first try fails -> on disk at once -> tried again with growing pauses -> after *report_for_s* left on disk for the next start
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import logging
import time

import msgspec

from batuta.client.backoff import Backoff, Reachability, is_set_within
from batuta.client.client import Client
from batuta.client.errors import ClientError, Conflict, Denied, NotFound, ServerFault, Unavailable
from batuta.client.metrics import WorkerMetrics
from batuta.client.models import TaskResult
from batuta.client.spool import Spool

log = logging.getLogger("batuta.client.worker")

# Past this many results on their way, the host stops polling for more tasks.
PENDING_MAX = 500


class _Verdict(enum.Enum):
    TAKEN = enum.auto()
    REFUSED = enum.auto()
    AGAIN = enum.auto()  # this report may be taken later; others may be taken now
    AWAY = enum.auto()  # nothing is taken at the moment


@dataclasses.dataclass(eq=False, slots=True)
class _Report:
    """One result on its way."""

    result: TaskResult
    since: float
    is_kept: bool = False
    has_been_replaced: bool = False
    has_been_said: bool = False


class Reporter:
    """
    Delivers results to the server behind *client*.

    Only results that end an attempt are kept on disk: one that puts a task back (IN_PROGRESS) would disturb whoever runs it
    by the time it is sent again.

    ``may_take`` is set while new tasks may be taken: not too many results are on their way, and none waits for the server to
    be back. A server that comes back offers what it thinks nobody finished; it shall hear first what was.
    """

    def __init__(
        self, client: Client, spool: Spool, metrics: WorkerMetrics, reachability: Reachability, *, report_for_s: float, backoff: Backoff
    ) -> None:
        self._client, self._spool, self._metrics, self._reachability = client, spool, metrics, reachability
        self._report_for_s, self._backoff = report_for_s, backoff
        self._first_tries: set[_Report] = set()
        self._pending: dict[_Report, None] = {}  # in the order they came
        self._resending: asyncio.Task[None] | None = None
        self._nudge = asyncio.Event()
        reachability.when_back = self._hurry
        self._is_holding = False
        self.may_take = asyncio.Event()
        self.may_take.set()

    async def deliver(self, result: TaskResult) -> bool:
        """Try to report *result* once; whether that is settled. If it is not, it is kept and tried again from here."""
        report = _Report(result, time.monotonic())
        self._first_tries.add(report)
        self._count()
        try:
            verdict = await self._try(report)
            if verdict in (_Verdict.TAKEN, _Verdict.REFUSED):
                self._metrics.reports.add("sent" if verdict is _Verdict.TAKEN else "refused")
                return True
            self._hold(verdict is _Verdict.AWAY)
            await asyncio.to_thread(self._keep, report)
            self._add(report)
            return False
        finally:
            self._first_tries.discard(report)
            self._count()

    async def replay(self) -> int:
        """Take over what is on disk from an earlier process; how many results that is."""
        results = await asyncio.to_thread(lambda: list(self._spool.results()))
        mine = {report.result.task_id for report in (*self._pending, *self._first_tries)}
        results = [result for result in results if result.task_id not in mine]
        if results:
            log.info("sending %d results kept from before in %s", len(results), self._spool.folder)
            self._hold(True)
            self._hurry()
        for result in results:
            self._add(_Report(result, time.monotonic(), is_kept=True))
        return len(results)

    async def close(self, grace_s: float) -> int:
        """Go on trying the waiting results for *grace_s*; how many the server has not taken, kept on disk or not."""
        if self._resending is not None:
            self._hurry()
            await asyncio.wait({self._resending}, timeout=grace_s)
            self._resending.cancel()
        await asyncio.to_thread(self.keep_all)
        unsent = list(dict.fromkeys((*self._first_tries, *self._pending)))
        for report in unsent:
            where = f"kept in {self._spool.folder}" if report.is_kept else "LOST"
            log.error("result of task %s (%s) was not taken by the server: %s", report.result.task_id, report.result.status, where)
            if not report.is_kept:
                self._metrics.reports.add("lost")
        return len(unsent)

    def keep_all(self) -> None:
        """Write to disk every result not known to be taken. Blocks; for the moment before the process ends."""
        for report in dict.fromkeys((*self._first_tries, *self._pending)):
            self._keep(report)

    def _hurry(self) -> None:
        """Try the waiting results now: the server is back, or this is the last chance."""
        self._backoff.reset()
        self._nudge.set()

    def _keep(self, report: _Report) -> None:
        if report.result.is_final and not report.is_kept:
            report.is_kept = self._spool.put(report.result)
            if report.is_kept:
                self._metrics.reports.add("kept")

    def _add(self, report: _Report) -> None:
        self._pending[report] = None
        self._count()
        if self._resending is None or self._resending.done():
            self._resending = asyncio.create_task(self._resend(), name="resend results")

    async def _resend(self) -> None:
        """Try all waiting results in turn, pause, and again, until none waits."""
        self._backoff.reset()
        while self._pending:
            await is_set_within(self._nudge, self._backoff.next_s())
            self._nudge.clear()
            verdict = _Verdict.AGAIN
            for report in list(self._pending):
                verdict = await self._try(report)
                if verdict is _Verdict.AWAY:
                    break
                if verdict is not _Verdict.AGAIN:
                    self._backoff.reset()
                    await self._settle(report, "resent" if verdict is _Verdict.TAKEN else "refused")
            self._leave_to_disk()
            self._hold(verdict is _Verdict.AWAY and bool(self._pending))

    def _hold(self, is_holding: bool) -> None:
        self._is_holding = is_holding
        self._count()

    async def _settle(self, report: _Report, outcome: str) -> None:
        self._pending.pop(report, None)
        self._metrics.reports.add(outcome)
        self._count()
        if report.is_kept:
            await asyncio.to_thread(self._spool.remove, report.result)

    def _leave_to_disk(self) -> None:
        """Forget, here, the results that were tried for long enough; those that are not on disk are tried on."""
        oldest = time.monotonic() - self._report_for_s
        for report in [r for r in self._pending if r.since <= oldest and (r.is_kept or not r.result.is_final)]:
            del self._pending[report]
            where = f"it stays in {self._spool.folder} for the next start" if report.is_kept else "it is dropped"
            log.error("result of task %s was not taken for %g s: %s", report.result.task_id, self._report_for_s, where)
            if not report.is_kept:
                self._metrics.reports.add("lost")
        self._count()

    def _count(self) -> None:
        self._metrics.reports_pending.set(len(self._pending))
        if len(self._pending) + len(self._first_tries) < PENDING_MAX and not self._is_holding:
            self.may_take.set()
        else:
            self.may_take.clear()

    async def _try(self, report: _Report) -> _Verdict:
        """Send it once. What a refused result said is told to the server as the task's failure, so that it does not hang."""
        try:
            await self._client.update_task(report.result)
        except Unavailable as error:
            self._reachability.lost(error)
            return _Verdict.AWAY
        except (NotFound, Conflict) as error:
            log.warning("result of task %s is dropped, the server has no use for it: %s", report.result.task_id, error)
            verdict = _Verdict.REFUSED
        except (ServerFault, Denied) as error:
            log.log(
                logging.DEBUG if report.has_been_said else logging.WARNING, "result of task %s will be sent again: %s", report.result.task_id, error
            )
            report.has_been_said = True
            verdict = _Verdict.AGAIN
        except (ClientError, TypeError, ValueError) as error:
            log.error("result of task %s was refused: %s", report.result.task_id, error)
            if not report.has_been_replaced and report.result.is_final:
                report.has_been_replaced = True
                report.result = _refusal(report.result, error)
                return await self._try(report)
            verdict = _Verdict.REFUSED
        else:
            verdict = _Verdict.TAKEN
        self._reachability.found()
        return verdict


def _refusal(result: TaskResult, error: Exception) -> TaskResult:
    """The result that says why the server did not take *result*."""
    reason = f"the server refused the worker's result ({result.status}): {error}"
    return msgspec.structs.replace(result, status="FAILED_WITH_TERMINAL_ERROR", output={}, logs=(), reason=reason)
