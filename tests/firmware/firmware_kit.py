"""
What several of the firmware application's tests share and is no fixture: the compiler's mark, a clock, short patience, git.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import batuta_firmware
from batuta_firmware import health
from batuta_firmware.espota import Patience
from batuta_firmware.platformio_home import EXTRA, missing_tools

FIXTURE = Path(batuta_firmware.__file__).parent / "fixture"
HASTE = Patience(invitations=3, invitation_s=0.3, connect_back_s=0.4, silence_s=0.5, verdict_s=0.5)

needs_compiler = pytest.mark.skipif(
    bool(missing_tools()) or shutil.which("git") is None,
    reason=f"firmware cannot be built here: missing {', '.join(missing_tools()) or 'git'}; {EXTRA}",
)


@dataclass
class StoppedClock:
    """A clock that moves only when it is slept on."""

    at: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def read(self) -> float:
        return self.at

    @property
    def clock(self) -> health.Clock:
        return health.Clock(monotonic=self.read, wall=self.read, sleep=self.sleep)


def git(folder: Path, *arguments: str) -> str:
    """git in *folder*, as somebody with a name."""
    who = ["-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
