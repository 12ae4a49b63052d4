"""
The gates a build must pass before it is stored: flash, RAM and warnings.

Here: the verdict and its reasons. Not here: where the figures come from (metrics.py), what follows a verdict (the workflow).
At a limit passes, above it fails: 70.0 % of a limit of 70 passes, 70.1 % does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from batuta_firmware.errors import Lasting


@dataclass(frozen=True, slots=True)
class Verdict:
    success: bool
    failure_reasons: tuple[str, ...]


def judge(figures: dict[str, object], limits: dict[str, object]) -> Verdict:
    """
    Whether each of *figures* is at most its limit; the two have the same names.

    Raises:
        Lasting: a figure or a limit is missing or is no number. An unknown figure never passes.
    """
    reasons = []
    for name, limit in limits.items():
        found, most = _number(name, figures.get(name)), _number(f"the limit of {name}", limit)
        if found > most:
            reasons.append(f"{name} is {found:g}, above the limit of {most:g}")
    return Verdict(not reasons, tuple(reasons))


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise Lasting("gate_figure_missing", f"{name} is {value!r}; expected a number of at least 0")
    return value
