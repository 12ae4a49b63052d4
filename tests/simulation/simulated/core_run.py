"""
One schedule over a family: a plan and steps from a seed, rules checked after every step, then the quiet phase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import msgspec

from batuta.core import decide
from batuta.core.model.decision import StartExecution
from batuta.core.model.ids import named
from simulated import steps
from simulated.family import Family, shown
from simulated.plans import Plan, plan_of, tidy
from simulated.rules import Broken

STEPS_MAX = 60


class Failure(msgspec.Struct):
    """How a schedule broke a rule (or the program): enough to play it again and to read."""

    rule: str
    said: str
    plan: Plan
    steps: list[int]
    trace: list[str]


class Result(msgspec.Struct):
    """What came of one schedule."""

    seed: int
    steps: int
    moves: Counter[tuple[str, str, bool]]
    failure: Failure | None = None


def plan_for(seed: int) -> tuple[Plan, list[int]]:
    """The plan and the steps that the seed stands for."""
    chance = Random(f"core {seed}")
    return tidy(plan_of(chance)), list(range(chance.randint(5, STEPS_MAX)))


def play(seed: int, plan: Plan | None = None, chosen: Sequence[int] | None = None) -> Result:
    """Play the schedule of this seed; with *plan* and *chosen* a smaller one, as a shrinker wants it."""
    if plan is None or chosen is None:
        plan, chosen = plan_for(seed)
    family = Family(plan)
    done: list[int] = []
    usual = decide.ROWS_PER_TURN
    decide.ROWS_PER_TURN = Random(f"breath {seed}").choice((usual, usual, 2))  # a decision that must take a breath
    try:
        family.begin(StartExecution(id=named(f"main{seed}"), name=plan.main, version=0, input=plan.given))
        family.check()
        for step in chosen:
            done.append(step)
            said = steps.one(family, Random(f"{seed} {step}"))
            if said:
                family.trace.append(f"{step}: {said}")
            family.check()
        family.trace.append("quiet")
        steps.quiet(family)
    except Broken as broken:
        return Result(seed, len(done), family.moves, Failure(broken.rule, str(broken), plan, done, _trace(family)))
    except Exception as error:
        return Result(seed, len(done), family.moves, Failure(f"no error: {type(error).__name__}", where(error), plan, done, _trace(family)))
    finally:
        decide.ROWS_PER_TURN = usual
    return Result(seed, len(done), family.moves)


def _trace(family: Family) -> list[str]:
    return [*family.trace, *(f"at the end: {x.head.name}.{x.head.id[:4]} {shown(x)}" for x in family.runs.values())]


def where(error: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(error)[-6:])
