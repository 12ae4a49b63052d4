"""
Does a device live, and does it run what it should? The one judgement that makes a deployment count as good.

Here: watching a device until its verdict is stable. Not here: asking (device.py), recording verdicts (deployments.py).
"The transfer succeeded" only says that bytes landed. A healthy device has restarted since, says it is the expected build, keeps running,
has memory left and renders frames, several times in a row. What cannot be verified is not healthy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from batuta_firmware.device import DeviceApi, DeviceInfo, Offline, is_same_commit
from batuta_firmware.errors import FirmwareError, Lasting, Passing

Status = Literal["healthy", "offline", "version_mismatch", "unhealthy", "identity_unverifiable"]
PASSES = 3  # answers in a row that must agree
INTERVAL_S = 1.0  # the device answers /api/device/info once a second
CLOCK_SLACK_S = 2.0  # between our note of the flashing and the device's restart


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the device should be running; *flashed_at* (wall clock) when it was put there, if known."""

    commit_sha: str
    elf_sha256: str | None = None
    flashed_at: float | None = None
    heap_floor_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at the device. *restarted* is false while it still runs from before the flashing."""

    status: Status
    why: str
    info: DeviceInfo | None = None
    free_heap: int | None = None
    restarted: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()


def watch(api: DeviceApi, expected: Expectation, *, deadline_s: float, clock: Clock = CLOCK, told: Callable[[Finding], None] = lambda finding: None) -> Finding:
    """
    Look at the device until PASSES looks in a row agree, and return what they found.

    A device that is offline, or that has not restarted yet, is given until *deadline_s*; then that is the finding.
    A device that keeps restarting is unhealthy. *told* hears of every look.
    """
    ends_at = clock.monotonic() + deadline_s
    agreed, restarts, last = 0, 0, Finding("offline", "not asked yet")
    uptime_s = -1.0
    while True:
        finding = look(api, expected, now=clock.wall())
        told(finding)
        if finding.info is not None:
            if finding.restarted and finding.info.uptime_s < uptime_s:
                restarts += 1
                agreed = 0
            uptime_s = finding.info.uptime_s if finding.restarted else -1.0
        agreed = agreed + 1 if finding.status == last.status else 1
        last = finding
        settled = finding.status != "offline" and finding.restarted
        if settled and agreed >= PASSES:
            return finding
        if clock.monotonic() + INTERVAL_S > ends_at:
            return _at_the_end(finding, restarts)
        clock.sleep(INTERVAL_S)


def _at_the_end(finding: Finding, restarts: int) -> Finding:
    if restarts:
        return Finding("unhealthy", f"it restarted {restarts} times while it was watched", finding.info, finding.free_heap)
    if finding.status == "healthy":
        return Finding("unhealthy", f"it was not healthy {PASSES} times in a row", finding.info, finding.free_heap)
    return finding


def look(api: DeviceApi, expected: Expectation, *, now: float) -> Finding:
    """One look at the device; *now* is the wall clock."""
    try:
        info = api.info()
        figures = api.performance()
    except Offline as error:
        return Finding("offline", error.message)
    except FirmwareError as error:
        return Finding("unhealthy" if not error.may_retry else "offline", error.message)
    free_heap = info.free_heap if info.free_heap is not None else _bytes(figures.get("memory_free_kb"))
    if expected.flashed_at is not None and info.uptime_s > now - expected.flashed_at + CLOCK_SLACK_S:
        why = f"it has been running for {info.uptime_s:.0f} s, since before it was flashed"
        return Finding("version_mismatch", why, info, free_heap, restarted=False)
    status, why = _judge(info, expected, free_heap, figures.get("fps"))
    return Finding(status, why, info, free_heap)


def _judge(info: DeviceInfo, expected: Expectation, free_heap: int | None, fps: object) -> tuple[Status, str]:
    if info.identity is None:
        return "identity_unverifiable", "it does not say which commit it was built from (build.git_sha or build_signature)"
    if not is_same_commit(info.identity, expected.commit_sha):
        return "version_mismatch", f"it runs {info.identity!r}, expected {expected.commit_sha!r}"
    if expected.elf_sha256 and info.elf_sha256 and info.elf_sha256 != expected.elf_sha256:
        return "version_mismatch", f"it runs ELF {info.elf_sha256[:16]}…, the artifact is {expected.elf_sha256[:16]}…"
    if free_heap is None:
        return "unhealthy", "it tells neither free_heap nor memory_free_kb"
    if free_heap < expected.heap_floor_bytes:
        return "unhealthy", f"it has {free_heap} bytes of heap left, expected at least {expected.heap_floor_bytes}"
    if not isinstance(fps, (int, float)) or fps <= 0:
        return "unhealthy", f"it renders no frames (fps is {fps!r})"
    return "healthy", "as expected"


def failure(finding: Finding, device: str) -> FirmwareError:
    """The failure that *finding* means: a silent device may come back, a wrong one will stay wrong."""
    kind = Passing if finding.status == "offline" else Lasting
    return kind(f"device_{finding.status}", f"device {device} is {finding.status}: {finding.why}", **described(finding))


def described(finding: Finding) -> dict[str, Any]:
    """The finding as a task reports it."""
    return {
        "status": finding.status,
        "why": finding.why,
        "build_signature": finding.info.identity if finding.info else None,
        "free_heap": finding.free_heap,
        "uptime_seconds": round(finding.info.uptime_s, 1) if finding.info else None,
    }


def _bytes(kilobytes: object) -> int | None:
    return int(kilobytes * 1024) if isinstance(kilobytes, (int, float)) else None
