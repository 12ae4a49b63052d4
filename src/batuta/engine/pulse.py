"""
Pulse: how fast it has been going, in steps of STEP_S over the last hour. The differences of what metrics.py counts anyway; nothing is kept by a commit.

Here: the ring, its one timer, and durations read off histograms (so a quantile is as exact as the histogram's steps). Not here: counting (metrics.py).
It lives in memory and begins anew with the process: for longer times there is Prometheus.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from batuta.engine.clock import Clock
from batuta.engine.metrics import COMMIT_S, TASK_ENDS, UNSUCCESSFUL, WORKFLOW_ENDS, WORKFLOW_S, Metrics
from batuta.wire.console import Beat

STEP_S = 10
STEPS = 360


class _Sum:
    """Everything counted so far."""

    def __init__(self, metrics: Metrics) -> None:
        self.ends = dict.fromkeys(WORKFLOW_ENDS, 0)
        self.tasks = dict.fromkeys(TASK_ENDS, 0)
        self.seconds = [0] * (len(WORKFLOW_S) + 1)
        self.commits = list(metrics.commit_seconds.counts)
        self.started = 0
        for workflow in metrics.workflows.values():
            self.started += workflow.started
            for status, number in workflow.ends.items():
                self.ends[status] += number
            self.seconds = [a + b for a, b in zip(self.seconds, workflow.seconds.counts, strict=True)]
        for task in metrics.tasks.values():
            for status, number in task.ends.items():
                self.tasks[status] += number


class Pulse:
    """The last hour of one server. Start it, read `beats`, stop it."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics, self._clock = metrics, clock
        self._last = _Sum(metrics)
        self._timer: asyncio.TimerHandle | None = None
        self.beats: deque[Beat] = deque(maxlen=STEPS)
        self.began_at = clock.now()

    def start(self) -> None:
        """A step is taken every STEP_S from now on."""
        self._timer = asyncio.get_running_loop().call_later(STEP_S, self._on_timer)

    def stop(self) -> None:
        """No more steps."""
        if self._timer is not None:
            self._timer.cancel()

    def _on_timer(self) -> None:
        self.step()
        self.start()

    def step(self) -> Beat:
        """End a step here; what happened in it."""
        before, now = self._last, _Sum(self._metrics)
        self._last = now
        seconds = [a - b for a, b in zip(now.seconds, before.seconds, strict=True)]
        commits = [a - b for a, b in zip(now.commits, before.commits, strict=True)]
        ended = {status: now.ends[status] - before.ends[status] for status in WORKFLOW_ENDS}
        tasks = {status: now.tasks[status] - before.tasks[status] for status in TASK_ENDS}
        beat = Beat(
            at=self._clock.now(), started=now.started - before.started, completed=ended["COMPLETED"], failed=sum(ended[status] for status in UNSUCCESSFUL),
            tasks=sum(tasks.values()), tasks_failed=sum(tasks[s] for s in ("FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT")),
            p50=_ms(seconds, WORKFLOW_S, 0.5), p95=_ms(seconds, WORKFLOW_S, 0.95), commit_p95=round(quantile(commits, COMMIT_S, 0.95) * 1000, 2),
        )  # fmt: skip
        self.beats.append(beat)
        return beat


def _ms(counts: Sequence[int], bounds: Sequence[float], share: float) -> int:
    found = quantile(counts, bounds, share)
    return -1 if found < 0 else round(found * 1000)


def quantile(counts: Sequence[int], bounds: Sequence[float], share: float) -> float:
    """The value below which *share* of them lie, taking them to be spread evenly inside a bucket, as Prometheus does; -1: there are none."""
    total = sum(counts)
    if not total:
        return -1.0
    rank, so_far = share * total, 0
    for at, count in enumerate(counts):
        if so_far + count >= rank and count:
            if at == len(bounds):
                return bounds[-1]
            low = bounds[at - 1] if at else 0.0
            return low + (bounds[at] - low) * (rank - so_far) / count
        so_far += count
    return bounds[-1]
