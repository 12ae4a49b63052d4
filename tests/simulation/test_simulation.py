"""A slice of the simulation, the same seeds for everybody, and every seed that once found a fault. The long run: `make simulate`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from simulated import campaign

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
]  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(("level", "seed", "what"), REGRESSIONS)
def test_what_a_seed_found_stays_mended(level: str, seed: int, what: str) -> None:
    assert not campaign.run(level, [seed])[2], what


def test_the_decider_keeps_its_rules_whatever_happens() -> None:
    schedules, _, failures, _ = campaign.run("core", range(CORE_SLICE))
    assert schedules == CORE_SLICE
    assert not failures, "\n".join(failures)


def test_the_engine_keeps_its_rules_through_crashes_and_faults() -> None:
    schedules, _, failures, _ = campaign.run("engine", range(ENGINE_SLICE))
    assert schedules == ENGINE_SLICE
    assert not failures, "\n".join(failures)
