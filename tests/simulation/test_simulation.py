"""A slice of the simulation, the same seeds for everybody, and every seed that once found a fault. The long run: `make simulate`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator

import pytest
from simulated import core_run, engine_run

CORE_SLICE = int(os.environ.get("SIMULATE_CORE", "3000"))
ENGINE_SLICE = int(os.environ.get("SIMULATE_ENGINE", "600"))

#    level     seed      what it found
REGRESSIONS = [
    ("core",   1006372,  "a sub-workflow whose time came in a decision out of breath was never begun"),
    ("core",   1009750,  "the same, of another plan"),
    ("core",   2004061,  "the alarm of a deadline that had been overtaken was lost"),
    ("core",   2019201,  "the same, of another plan"),
    ("engine", 1000002,  "a retry, a rerun and a terminate of an ended execution on a slow disk each decided on a copy of their own"),
    ("engine", 1000267,  "the same, of another plan"),
    ("engine", 1007341,  "a reading that a commit had overtaken was kept in memory"),
    ("core",   3072176,  "nothing followed a TERMINATE that had been skipped"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def failures_of(level: str, seeds: Iterable[int]) -> list[str]:
    """What failed, a line each; the seed replays it."""
    play = {"core": core_run.play, "engine": engine_run.play}[level]
    results = (play(seed) for seed in seeds)
    return [f"{level} seed {r.seed}: {r.failure.said[:400]}" for r in results if r.failure is not None]


@pytest.mark.parametrize(("level", "seed", "what"), REGRESSIONS)
def test_what_a_seed_found_stays_mended(level: str, seed: int, what: str) -> None:
    assert not failures_of(level, [seed]), what


def test_the_decider_keeps_its_rules_whatever_happens() -> None:
    assert failures_of("core", range(CORE_SLICE)) == []


def test_the_engine_keeps_its_rules_through_crashes_and_faults() -> None:
    assert failures_of("engine", range(ENGINE_SLICE)) == []
