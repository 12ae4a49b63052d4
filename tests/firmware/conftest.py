"""Twins, stores, clocks and a fixture build, for the firmware application's tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import batuta_firmware
from batuta_firmware import health
from batuta_firmware.espota import Patience
from batuta_firmware.platformio_home import EXTRA, missing_tools
from batuta_firmware.settings import Settings
from batuta_firmware.twin import Faults, Twin

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


@pytest.fixture
def stopped() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def make_twin(tmp_path: Path) -> Iterator[Callable[..., Twin]]:
    """Makes running twins; each is ended with the test."""
    twins: list[Twin] = []

    def make(*, image: bytes | None = None, state: Path | None = None, **options: Any) -> Twin:
        faults = {name: options.pop(name) for name in list(options) if name in Faults.__slots__}
        twin = Twin(state or tmp_path / f"twin{len(twins)}", faults=Faults(**{"reboot_delay_s": 0.01, **faults}), **options)
        if image is not None:
            twin.device.install(image)
        twins.append(twin)
        twin.start()
        return twin

    make.twins = twins  # type: ignore[attr-defined]
    yield make
    for twin in twins:
        twin.close()


@pytest.fixture
def prompt(make_twin: Any) -> health.Clock:
    """A clock that, instead of sleeping, waits for the test's twins to answer: at once when they do."""

    def wait(seconds: float) -> None:
        for twin in make_twin.twins:
            twin.device.wait_until(lambda: twin.device.snapshot() is not None, seconds)  # noqa: B023 - called at once

    return health.Clock(sleep=wait)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = tmp_path / "builds"
    root.mkdir()
    return Settings(storage=tmp_path / "storage", build_root=root, ota_patience=HASTE, lease_wait_s=0.0, platformio="offline")


@pytest.fixture(scope="session")
def platformio_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One offline home for all builds of the session: its compiler cache makes the second build quick."""
    return tmp_path_factory.mktemp("platformio")


def git(folder: Path, *arguments: str) -> str:
    """git in *folder*, as somebody with a name."""
    who = ["-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
