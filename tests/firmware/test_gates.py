"""The gates: at a limit passes, above it fails, and what is unknown never passes."""

from __future__ import annotations

import math

import pytest

from batuta_firmware import gates
from batuta_firmware.errors import Lasting

LIMITS: dict[str, object] = {"flash_usage_percent": 70, "ram_usage_percent": 80, "warning_count": 0}

#    flash   RAM    warnings   what fails
CASES = [
    (61.2,  48.4,  0,          []),
    (70.0,  80.0,  0,          []),
    (70,    80,    0,          []),
    (70.1,  48.4,  0,          ["flash_usage_percent"]),
    (70.01, 48.4,  0,          ["flash_usage_percent"]),
    (61.2,  80.1,  0,          ["ram_usage_percent"]),
    (61.2,  48.4,  1,          ["warning_count"]),
    (106.8, 90.0,  7,          ["flash_usage_percent", "ram_usage_percent", "warning_count"]),
]  # fmt: skip


@pytest.mark.parametrize(("flash", "ram", "warnings", "fails"), CASES)
def test_a_build_passes_when_nothing_is_above_its_limit(flash: float, ram: float, warnings: int, fails: list[str]) -> None:
    verdict = gates.judge({"flash_usage_percent": flash, "ram_usage_percent": ram, "warning_count": warnings}, LIMITS)
    assert verdict.success is (not fails)
    assert [reason.split()[0] for reason in verdict.failure_reasons] == fails


def test_a_reason_tells_the_figure_and_its_limit() -> None:
    verdict = gates.judge({"flash_usage_percent": 70.1}, {"flash_usage_percent": 70})
    assert verdict.failure_reasons == ("flash_usage_percent is 70.1, above the limit of 70",)


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, "12", True, -1, [], {}])
@pytest.mark.parametrize("where", ["figure", "limit"])
def test_what_is_no_number_is_an_error(unknown: object, where: str) -> None:
    figures: dict[str, object] = {"x": unknown if where == "figure" else 1}
    with pytest.raises(Lasting, match="expected a number"):
        gates.judge(figures, {"x": unknown if where == "limit" else 1})
