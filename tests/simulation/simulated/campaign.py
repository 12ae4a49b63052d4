"""
Many schedules: play seeds, in several processes, and make a failing one as small as is cheap before it is shown.

A failure is played a second time first: one that does not fail the same way again is itself a fault, of the simulation.
Shrinking leaves out steps, then nodes of the definitions, as long as the same rule breaks.
"""

from __future__ import annotations

import copy
import json
import logging
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from batuta.core.model.task import Json
from simulated import core_run, engine_run
from simulated.core_run import Failure, Result
from simulated.plans import Plan, rows_in, tidy

Play = Callable[..., Result]
LEVELS: dict[str, Play] = {"core": core_run.play, "engine": engine_run.play}
SHRINK_TRIES = 400
CHUNK = 250


class Found(msgspec.Struct):
    """One failing schedule, as small as it got."""

    level: str
    seed: int
    failure: Failure
    steps_before: int


class Report(msgspec.Struct):
    """What came of a range of seeds."""

    level: str
    schedules: int
    steps: int
    seconds: float
    moves: Counter[tuple[str, str, bool]]
    found: list[Found]


def campaign(level: str, first: int, end: int, *, jobs: int = 1, failures_max: int = 5, shrinks: bool = True) -> Report:
    """Play the seeds from *first* up to *end*; stop after so many failures."""
    began = time.monotonic()
    total = Report(level, 0, 0, 0.0, Counter(), [])
    chunks = [(level, a, min(a + CHUNK, end), shrinks) for a in range(first, end, CHUNK)]
    for part in _parts(chunks, jobs):
        total.schedules += part.schedules
        total.steps += part.steps
        total.moves.update(part.moves)
        total.found += part.found
        if len(total.found) >= failures_max:
            break
    total.seconds = time.monotonic() - began
    return total


def _parts(chunks: Sequence[tuple[str, int, int, bool]], jobs: int) -> Iterator[Report]:
    if jobs <= 1:
        yield from map(_chunk, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(_chunk, chunks)


def _chunk(chunk: tuple[str, int, int, bool]) -> Report:
    level, first, end, shrinks = chunk
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a process that dies leaves reads behind that nobody waits for
    play = LEVELS[level]
    total = Report(level, 0, 0, 0.0, Counter(), [])
    for seed in range(first, end):
        result = play(seed)
        total.schedules += 1
        total.steps += result.steps
        total.moves.update(result.moves)
        if result.failure is not None:
            total.found.append(_found(level, seed, result.failure, shrinks))
    return total


def _found(level: str, seed: int, failure: Failure, shrinks: bool) -> Found:
    play = LEVELS[level]
    again = play(seed).failure
    if again is None or again.said != failure.said:
        failure.rule = "a seed plays the same schedule every time"
        failure.said = f"{failure.said}\nwhen played again: {again and again.said}"
        return Found(level, seed, failure, len(failure.steps))
    return Found(level, seed, shrunk(play, seed, failure) if shrinks else failure, len(failure.steps))


def shrunk(play: Play, seed: int, failure: Failure) -> Failure:
    """A smaller schedule in which the same rule breaks: fewer steps, then fewer nodes."""
    tries = SHRINK_TRIES

    def still(plan: Plan, steps: list[int]) -> Failure | None:
        nonlocal tries
        tries -= 1
        if tries < 0:
            return None
        try:
            found = play(seed, plan, steps).failure
        except Exception:
            return None  # a cut that leaves no sense
        return found if found is not None and found.rule == failure.rule else None

    best = failure
    size = max(len(best.steps) // 2, 1)
    while size:
        at = 0
        while at < len(best.steps):
            smaller = still(best.plan, best.steps[:at] + best.steps[at + size :])
            if smaller is None:
                at += size
            else:
                best = smaller
        size //= 2
    while (smaller_plan := _cut(best, still)) is not None:
        best = smaller_plan
    return best


def _cut(best: Failure, still: Callable[[Plan, list[int]], Failure | None]) -> Failure | None:
    """The first cut of one node (a fork with its join), or of a whole workflow, that still breaks the rule."""
    for w in range(len(best.plan.workflows) - 1):
        plan = copy.deepcopy(best.plan)
        del plan.workflows[w]
        if (found := still(plan, best.steps)) is not None:
            return found
    for w, workflow in enumerate(best.plan.workflows):
        for r, row in enumerate(rows_in(workflow)):
            for i in range(len(row)):
                plan = copy.deepcopy(best.plan)
                cut = list(rows_in(plan.workflows[w]))[r]
                with_join = cut[i]["type"] in ("FORK_JOIN", "FORK_JOIN_DYNAMIC") and i + 1 < len(cut) and cut[i + 1]["type"] == "JOIN"
                del cut[i : i + 1 + with_join]
                if (found := still(tidy(plan), best.steps)) is not None:
                    return found
    return None


# -- for people -----------------------------------------------------------------------------------------------------------------------


def shown(found: Found) -> str:
    """A failing schedule for somebody to read: seed, rule, definitions, what happened."""
    f = found.failure
    lines = [f"{found.level} seed {found.seed}: {f.rule}", f"  {f.said}", f"  {found.steps_before} steps, shrunk to {len(f.steps)}: {f.steps}", ""]
    lines += [f"  task {_slim(t)}" for t in f.plan.tasks if any(t["name"] in json.dumps(w) for w in f.plan.workflows)]
    lines += [f"  workflow {w['name']} {_slim({k: v for k, v in w.items() if k not in ('name', 'version', 'ownerEmail')})}" for w in f.plan.workflows]
    lines += [f"  input {f.plan.given}", ""]
    return "\n".join([*lines, *(f"  {line}" for line in f.trace)])


def _slim(value: Json) -> str:
    def slim(v: object) -> object:
        if isinstance(v, list):
            return [slim(i) for i in v]
        if isinstance(v, dict):
            return {
                k: slim(i)
                for k, i in v.items()
                if i not in ({}, [], None, "") and k not in ("ownerEmail",) and not (k == "name" and i == v.get("taskReferenceName"))
            }
        return v

    return json.dumps(slim(value))
