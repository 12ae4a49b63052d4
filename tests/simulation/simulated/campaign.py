"""
Campaign: many seeds, one after the other, and what came of them.

    python -m simulated.campaign core 0:85000       (from tests/simulation, with tests/core and tests/simulation on the path; see `make simulate`)
    python -m simulated.campaign engine 0:15000
    python -m simulated.campaign core 1006372       one seed, with its trace

A failing seed replays exactly.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable
from types import ModuleType

from simulated import core_run, engine_run

LEVELS: dict[str, ModuleType] = {"core": core_run, "engine": engine_run}


def run(level: str, seeds: Iterable[int]) -> tuple[int, int, list[str], Counter[tuple[str, str, bool]]]:
    """Schedules, steps, what failed (a line each), and which statuses moved to which."""
    schedules = steps = 0
    failures: list[str] = []
    moves: Counter[tuple[str, str, bool]] = Counter()
    for seed in seeds:
        result = LEVELS[level].play(seed)
        schedules, steps = schedules + 1, steps + result.steps
        moves += result.moves
        if result.failure is not None:
            failures.append(f"{level} seed {seed}: {result.failure.said[:400]}")
            print(f"FAILED {failures[-1]}", flush=True)
    return schedules, steps, failures, moves


def main(arguments: list[str]) -> int:
    logging.disable(logging.CRITICAL)
    level, _, span = arguments[0], None, arguments[1]
    if ":" not in span:
        failure = LEVELS[level].play(int(span)).failure
        print("fine" if failure is None else "\n".join([failure.rule, failure.said, *failure.trace]))
        return int(failure is not None)
    first, last = map(int, span.split(":"))
    began = time.monotonic()
    schedules, steps, failures, _ = run(level, range(first, last))
    print(f"{schedules} schedules, {steps} steps, {time.monotonic() - began:.0f} s, {len(failures)} failed")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
