"""
The twin as a device: two slots for firmware, a bootloader that chooses between them, and a program that runs until the next reset.

Here: flashing, booting, crashing, rolling back, and what the outside may know (Snapshot).
Not here: executing the program (board.py), the network (web.py, ota.py).
Source: ESP-IDF's OTA scheme: an update is written to the slot that does not run and becomes the boot slot only once it is whole; with
bootloader rollback on, a first start that crashes gives way to the slot before.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from batuta_firmware.errors import FirmwareError
from batuta_firmware.image import AppDescriptor, Image, parse
from batuta_firmware.twin.board import CHIP, Board, Frame, Panic, Pattern
from batuta_firmware.twin.factory import Factory
from batuta_firmware.twin.faults import FaultBox

SLOT_BYTES = 1_966_080
WARM_UP_FRAMES = 16  # a start has succeeded once this many frames were shown
TICK_S = 0.25  # how often the running program renders on, two frames at a time: some 2 % of a core
CRASHES_MAX = 3  # in a row, before the twin stops trying until it is switched off and on
log = logging.getLogger("batuta_firmware.twin")

SlotState = Literal["new", "pending", "valid"]


@dataclass(frozen=True, slots=True)
class BootRecord:
    """What survives a reset: the slot to start (none: the factory program), the one before, how far its trial has come."""

    slot: int | None = None
    previous: int | None = None
    state: SlotState = "valid"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The running program at one moment."""

    uptime_s: float
    identity: str
    descriptor: AppDescriptor | None
    heap_free: int
    frame_count: int
    frames: tuple[Frame, ...]
    leds: bytes
    patterns: tuple[Pattern, ...]
    pattern_shown: int
    boots: int


class UpdateRefused(Exception):
    """The update machinery's error text, as the device sends it."""


class Device:
    """One device. `start` switches it on; a thread of its own runs it until `close`."""

    def __init__(self, state_dir: Path, faults: FaultBox, *, chip: str = CHIP, slot_bytes: int = SLOT_BYTES, bootloader_rollback: bool = False) -> None:
        self.faults = faults
        self.slot_bytes = slot_bytes
        self.chip = chip
        self.bootloader_rollback = bootloader_rollback
        self._dir = state_dir
        self._dir.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._reset = threading.Event()
        self._program: Board | Factory | None = None
        self._image: Image | None = None
        self._booted_at = 0.0
        self._boots = 0
        self._crashes = 0
        self.crash_log: list[str] = []
        self._thread = threading.Thread(target=self._run, name="twin-device", daemon=True)

    def start(self, *, within_s: float = 10.0) -> None:
        """Switch on and return once the program runs, or has crashed for good."""
        self._thread.start()
        self.wait_until(lambda: self._program is not None or self._crashes >= CRASHES_MAX or self.faults.now.offline, within_s)

    def close(self) -> None:
        self._closing.set()
        self._reset.set()
        self._thread.join(timeout=10)

    def wait_until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait for `holds()` to become true, looking again whenever the device changes; false when time ran out."""
        with self._changed:
            return self._changed.wait_for(holds, timeout=within_s)

    # What the outside may do.

    def snapshot(self) -> Snapshot | None:
        """The running program, or None while nothing answers: starting, crashed, offline."""
        with self._lock:
            program, faults = self._program, self.faults.now
            if program is None or faults.offline:
                return None
            return Snapshot(
                uptime_s=time.monotonic() - self._booted_at,
                identity=faults.identity if faults.identity is not None else program.identity,
                descriptor=self._image.descriptor if self._image else None,
                heap_free=faults.heap_bytes if faults.heap_bytes is not None else program.heap_free,
                frame_count=program.frame_count,
                frames=tuple(program.frames),
                leds=program.leds,
                patterns=program.patterns,
                pattern_shown=program.pattern_shown,
                boots=self._boots,
            )

    def select(self, index: int) -> None:
        """Show pattern *index*, from the next frame on."""
        with self._lock:
            if self._program is not None:
                self._program.pattern_wanted = index
                self._render(1)

    def power_cycle(self) -> None:
        """Off and on again: also ends a crash loop."""
        with self._lock:
            self._crashes = 0
            self._program = None
        self._reset.set()

    def install(self, data: bytes) -> None:
        """
        Make *data* the program to start, as an update over the air that has been received whole would.

        Raises:
            UpdateRefused: the image is not for this device.
        """
        if len(data) > self.slot_bytes:
            raise UpdateRefused("Not Enough Space")
        try:
            image = parse(data)
        except FirmwareError as error:
            log.info("not activated: %s", error.message)
            raise UpdateRefused("Could Not Activate The Firmware") from None
        if image.chip != self.chip:
            log.info("not activated: the image is for %s, this device is %s", image.chip, self.chip)
            raise UpdateRefused("Could Not Activate The Firmware")
        with self._lock:
            record = self._record()
            slot = self.spare_slot
            _write(self._slot_file(slot), data)
            self._keep(BootRecord(slot=slot, previous=record.slot, state="new"))

    def spoil_spare_slot(self, data: bytes) -> None:
        """Leave *data* in the slot that does not run: a transfer that broke off."""
        with self._lock:
            _write(self._slot_file(self.spare_slot), data)

    @property
    def spare_slot(self) -> int:
        return 1 if self._record().slot == 0 else 0

    @property
    def running_slot(self) -> int | None:
        return self._record().slot

    def reboot(self) -> None:
        """Reset; the program is gone at once and back after the start, unless a fault keeps it away."""
        with self._lock:
            self._program = None
            self._changed.notify_all()
        self._reset.set()

    # The device's own thread.

    def _run(self) -> None:
        while not self._closing.is_set():
            self._reset.clear()
            if not self.faults.now.offline and self._crashes < CRASHES_MAX:
                self._boot()
            while not self._reset.wait(TICK_S):
                with self._lock:
                    self._render(2)
            with self._lock:
                self._program = None
                self._changed.notify_all()
            self._closing.wait(self.faults.now.reboot_delay_s)

    def _boot(self) -> None:
        with self._lock:
            self._boots += 1
            record = self._choose()
            try:
                self._image, program = self._load(record)
                for _ in range(WARM_UP_FRAMES):
                    program.run_frame()
                if not program.ready:
                    raise Panic(f"the program rendered {WARM_UP_FRAMES} frames and never said it was ready")
            except (Panic, FirmwareError) as fault:
                self._crash(str(fault))
                return
            self._crashes = 0
            self._booted_at = time.monotonic()
            self._program = program
            if record.state != "valid":
                self._keep(replace(record, state="valid"))
            log.info("running %s from slot %s", program.identity, record.slot)
            self._changed.notify_all()

    def _choose(self) -> BootRecord:
        """The bootloader: what to start now. A slot on trial that did not make it gives way to the one before."""
        record = self._record()
        failed_trial = record.state == "pending" and self.bootloader_rollback
        if record.state == "new" and self.faults.now.dead_after_flash:
            self.faults.set(offline=True, dead_after_flash=False)
        if failed_trial or (record.state == "new" and self.faults.now.boot_failure):
            log.info("slot %s did not start: back to slot %s", record.slot, record.previous)
            record = BootRecord(slot=record.previous, previous=record.slot, state="valid")
        elif record.state == "new":
            record = replace(record, state="pending")
        self._keep(record)
        return record

    def _load(self, record: BootRecord) -> tuple[Image | None, Board | Factory]:
        if record.slot is None:
            return None, Factory()
        image = parse(self._slot_file(record.slot).read_bytes())
        return image, Board(image)

    def _render(self, frames: int) -> None:
        if self._program is None:
            return
        try:
            self._program.audio_level = int(abs((time.monotonic() * 2) % 2 - 1) * 255)
            for _ in range(frames):
                self._program.run_frame()
        except Panic as panic:
            self._crash(str(panic))

    def _crash(self, why: str) -> None:
        log.info("panic: %s", why)
        self.crash_log.append(why)
        del self.crash_log[:-20]
        self._program = None
        self._crashes += 1
        self._changed.notify_all()
        if self._crashes < CRASHES_MAX:
            self._reset.set()

    # What survives a reset.

    def _record(self) -> BootRecord:
        try:
            return BootRecord(**json.loads((self._dir / "boot.json").read_text()))
        except FileNotFoundError:
            return BootRecord()

    def _keep(self, record: BootRecord) -> None:
        _write(self._dir / "boot.json", json.dumps(asdict(record)).encode())

    def _slot_file(self, slot: int) -> Path:
        return self._dir / f"slot{slot}.bin"


def _write(path: Path, data: bytes) -> None:
    aside = path.with_suffix(".part")
    aside.write_bytes(data)
    os.replace(aside, path)
