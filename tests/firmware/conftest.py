"""Twins, stores, clocks and a fixture build, for the firmware application's tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from firmware_kit import HASTE, StoppedClock

from batuta_firmware import health
from batuta_firmware.settings import Settings
from batuta_firmware.twin import Faults, Twin


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
