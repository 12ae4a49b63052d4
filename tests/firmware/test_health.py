"""The judgement of a device, from scripted answers and a clock that moves only when it is slept on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import forge
import pytest
from firmware_kit import StoppedClock

from batuta_firmware import health
from batuta_firmware.address import DeviceAddress
from batuta_firmware.device import DeviceInfo, Offline
from batuta_firmware.errors import Lasting, Passing

FULL, OTHER = forge.COMMIT, forge.OTHER_COMMIT
ELF = "ab" * 32
DEADLINE_S = 30.0


class Scripted:
    """A device that answers one entry after another, and the last one for ever; None is no answer."""

    def __init__(self, clock: StoppedClock, answers: list[dict[str, Any] | None]) -> None:
        self._clock = clock
        self._answers: Iterator[dict[str, Any] | None] = iter(answers)
        self._now: dict[str, Any] | None = None

    def info(self) -> DeviceInfo:
        self._now = next(self._answers, self._now)
        if self._now is None:
            raise Offline(DeviceAddress("twin"), "no answer")
        booted = self._now.get("booted")
        uptime = self._clock.at - booted if booted is not None else self._now.get("uptime", 3.0)
        return DeviceInfo(uptime, self._now.get("identity", FULL), self._now.get("elf"), self._now.get("heap", 200_000))

    def performance(self) -> dict[str, Any]:
        assert self._now is not None
        return {"fps": self._now.get("fps", 120.0), "memory_free_kb": 100}


OK: dict[str, Any] = {"booted": 1_000_000.0}
NEW_BOOTS = [{"uptime": up} for up in (5.0, 1.0, 4.0, 1.0, 3.0, 1.0) * 6]
OLD: dict[str, Any] = {"uptime": 9999.0, "identity": OTHER}

CASES = [
    # what it answers                                              finding                  seconds it took
    ([OK],                                                         "healthy",               2),
    ([None, None, OK],                                             "healthy",               4),
    ([OLD, OLD, None, OK],                                         "healthy",               5),
    ([{**OK, "identity": FULL[:10]}],                              "healthy",               2),
    ([{**OK, "elf": ELF}],                                         "healthy",               2),
    ([None],                                                       "offline",               30),
    ([OK, OK, None],                                               "offline",               30),
    ([OLD],                                                        "version_mismatch",      30),
    ([{**OK, "identity": OTHER}],                                  "version_mismatch",      2),
    ([{**OK, "elf": "cd" * 32}],                                   "version_mismatch",      2),
    ([{**OK, "identity": None}],                                   "identity_unverifiable", 2),
    ([{**OK, "heap": 49_999}],                                     "unhealthy",             2),
    ([{**OK, "heap": 50_000}],                                     "healthy",               2),
    ([{**OK, "fps": 0}],                                           "unhealthy",             2),
    ([{**OK, "fps": None}],                                        "unhealthy",             2),
    ([OK, {**OK, "fps": 0}, OK, OK, OK],                           "healthy",               4),
    (NEW_BOOTS,                                                    "unhealthy",             30),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "status", "seconds"), CASES)
def test_the_finding_is_what_several_looks_agree_on(stopped: StoppedClock, answers: list[dict[str, Any] | None], status: str, seconds: int) -> None:
    expected = health.Expectation(FULL, elf_sha256=ELF, flashed_at=stopped.at, heap_floor_bytes=50_000)
    began = stopped.at
    finding = health.watch(Scripted(stopped, answers), expected, deadline_s=DEADLINE_S, clock=stopped.clock)  # type: ignore[arg-type]
    assert finding.status == status
    assert stopped.at - began == pytest.approx(seconds)


def test_without_a_note_of_the_flashing_any_uptime_will_do(stopped: StoppedClock) -> None:
    finding = health.watch(
        Scripted(stopped, [{"uptime": 90_000.0}]),
        health.Expectation(FULL),
        deadline_s=5,
        clock=stopped.clock,  # type: ignore[arg-type]
    )
    assert finding.status == "healthy"


@pytest.mark.parametrize(("status", "kind"), [("offline", Passing), ("version_mismatch", Lasting), ("unhealthy", Lasting), ("identity_unverifiable", Lasting)])
def test_only_a_silent_device_is_worth_another_try(status: health.Status, kind: type[Exception]) -> None:
    error = health.failure(health.Finding(status, "why"), "twin")
    assert type(error) is kind
    assert error.output["status"] == status
