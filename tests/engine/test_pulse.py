"""How fast it goes, read off what is counted anyway."""

from __future__ import annotations

import pytest

from batuta.engine.clock import ManualClock
from batuta.engine.metrics import Metrics
from batuta.engine.pulse import STEPS, Pulse, quantile

#   counts by bucket      share   value (bounds 1, 2, 4)
QUANTILES = [
    ([0, 0, 0, 0], 0.5, -1.0),
    ([2, 0, 0, 0], 0.5, 0.5),
    ([1, 1, 0, 0], 0.95, 1.9),
    ([0, 0, 4, 0], 0.5, 3.0),
    ([1, 0, 0, 9], 0.95, 4.0),
]


@pytest.mark.parametrize(("counts", "share", "value"), QUANTILES)
def test_a_quantile_is_spread_inside_its_bucket(counts: list[int], share: float, value: float) -> None:
    assert quantile(counts, (1.0, 2.0, 4.0), share) == pytest.approx(value)


def test_a_beat_tells_what_happened_since_the_one_before() -> None:
    metrics, clock = Metrics(), ManualClock()
    pulse = Pulse(metrics, clock)
    metrics.prepare(["flow"], ["job"])
    series, tasks = metrics.workflows["flow"], metrics.tasks["job"]
    series.started, series.ends["COMPLETED"], series.ends["FAILED"], tasks.ends["COMPLETED"], tasks.ends["TIMED_OUT"] = 5, 2, 1, 3, 1
    for seconds in (0.3, 0.3, 2.0):
        series.seconds.add(seconds)
    beat = pulse.step()
    assert (beat.at, beat.started, beat.completed, beat.failed, beat.tasks, beat.tasks_failed) == (clock.now(), 5, 2, 1, 4, 1)
    assert 100 < beat.p50 <= 500 and 1000 < beat.p95 <= 5000
    assert [(b.started, b.completed, b.p50) for b in (pulse.step(),)] == [(0, 0, -1)]


def test_an_hour_is_kept() -> None:
    pulse = Pulse(Metrics(), ManualClock())
    for _ in range(STEPS + 5):
        pulse.step()
    assert len(pulse.beats) == STEPS
