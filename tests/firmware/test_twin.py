"""The twin as a device: it starts what it was given, goes back when that crashes, and survives losing power at any byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import forge
import pytest
from firmware_kit import HASTE

from batuta_firmware import espota
from batuta_firmware.errors import FirmwareError
from batuta_firmware.twin import Twin
from batuta_firmware.twin.device import UpdateRefused
from batuta_firmware.twin.faults import Faults, parse

MakeTwin = Callable[..., Twin]
GOOD, OTHER = forge.image(), forge.image(commit=forge.OTHER_COMMIT)
CRASHING = forge.image(forge.program(crash_after=4), commit=forge.OTHER_COMMIT)
SOON_S = 10.0


def runs(twin: Twin) -> str:
    now = twin.device.snapshot()
    return now.identity if now else "nothing"


def comes_to_run(twin: Twin, identity: str) -> bool:
    return twin.device.wait_until(lambda: runs(twin) == identity, SOON_S)


def test_a_new_device_runs_its_factory_program(make_twin: MakeTwin) -> None:
    assert runs(make_twin()) == "factory"


def test_what_was_flashed_is_what_runs_also_after_power_was_lost(make_twin: MakeTwin, tmp_path: Path) -> None:
    twin = make_twin(state=tmp_path / "state")
    espota.flash("127.0.0.1", twin.ota.port, GOOD)
    assert comes_to_run(twin, forge.COMMIT)
    twin.close()
    assert runs(make_twin(state=tmp_path / "state")) == forge.COMMIT


def test_updates_take_turns_between_the_slots(make_twin: MakeTwin) -> None:
    twin = make_twin(image=GOOD)
    first = twin.device.running_slot
    espota.flash("127.0.0.1", twin.ota.port, OTHER)
    assert comes_to_run(twin, forge.OTHER_COMMIT)
    assert {first, twin.device.running_slot} == {0, 1}


def test_a_crash_on_first_start_gives_way_to_the_slot_before_when_the_bootloader_rolls_back(make_twin: MakeTwin) -> None:
    twin = make_twin(image=GOOD, bootloader_rollback=True)
    espota.flash("127.0.0.1", twin.ota.port, CRASHING)
    assert twin.device.wait_until(lambda: bool(twin.device.crash_log), SOON_S)
    assert comes_to_run(twin, forge.COMMIT)
    assert "breakpoint" in twin.device.crash_log[0]


def test_without_that_it_crashes_until_it_gives_up(make_twin: MakeTwin) -> None:
    twin = make_twin(image=GOOD)
    espota.flash("127.0.0.1", twin.ota.port, CRASHING)
    assert twin.device.wait_until(lambda: len(twin.device.crash_log) == 3, SOON_S)
    assert runs(twin) == "nothing"


def test_a_program_that_never_says_it_is_ready_has_not_started(make_twin: MakeTwin) -> None:
    twin = make_twin(image=GOOD, bootloader_rollback=True)
    espota.flash("127.0.0.1", twin.ota.port, forge.image(forge.program(says_ready=False), commit=forge.OTHER_COMMIT))
    assert twin.device.wait_until(lambda: bool(twin.device.crash_log), SOON_S)
    assert comes_to_run(twin, forge.COMMIT)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (forge.image(chip=9), "Could Not Activate The Firmware"),
        (GOOD[:-1] + b"\0", "Could Not Activate The Firmware"),
        (GOOD + b"\0" * 2_000_000, "Not Enough Space"),
    ],
    ids=["another chip", "a damaged image", "too large"],
)
def test_an_image_that_is_not_for_it_changes_nothing(make_twin: MakeTwin, data: bytes, words: str) -> None:
    twin = make_twin(image=GOOD)
    with pytest.raises(UpdateRefused, match=words):
        twin.device.install(data)
    assert runs(twin) == forge.COMMIT


def test_power_lost_at_any_byte_leaves_a_whole_firmware(make_twin: MakeTwin) -> None:
    large = forge.image(commit=forge.OTHER_COMMIT, pad=40_000)
    twin = make_twin(image=GOOD)
    chance = random.Random(20_251_108)
    for at in [0, 1, *(chance.randrange(len(large)) for _ in range(8)), len(large) - 1]:
        twin.faults.set(power_cut_at=at, strikes=1)
        with pytest.raises(FirmwareError):
            espota.flash("127.0.0.1", twin.ota.port, large, patience=HASTE)
        assert comes_to_run(twin, forge.COMMIT), f"after losing power at byte {at}"
    twin.faults.set(power_cut_at=None)
    espota.flash("127.0.0.1", twin.ota.port, large)
    assert comes_to_run(twin, forge.OTHER_COMMIT)


def test_a_boot_failure_brings_the_old_image_back(make_twin: MakeTwin) -> None:
    twin = make_twin(image=GOOD)
    twin.faults.set(boot_failure=True)
    espota.flash("127.0.0.1", twin.ota.port, OTHER)
    assert twin.device.wait_until(lambda: (now := twin.device.snapshot()) is not None and now.boots == 2, SOON_S)
    assert runs(twin) == forge.COMMIT


def test_faults_are_read_from_words() -> None:
    assert parse(["drop_at=5", "offline", "fps=1.5", "heap_bytes=none", "identity=abc", "rate_limit=false"]) == {
        "drop_at": 5, "offline": True, "fps": 1.5, "heap_bytes": None, "identity": "abc", "rate_limit": False,
    }  # fmt: skip
    assert Faults(**parse(["corrupt=2"])).corrupt == 2


@pytest.mark.parametrize(("word", "message"), [("nope=1", "unknown fault 'nope'"), ("drop_at=x", "expected int"), ("offline=7", "expected true or false")])
def test_a_wrong_fault_is_named(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse([word])
