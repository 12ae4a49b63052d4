"""
The twin's board: the memory and the registers around the processor, running one firmware image.

Here: from an image in memory to rendered frames, or to a panic.
Not here: slots, booting and rollback (device.py), the network (web.py, ota.py).
The registers are those of the fixture's include/board.h.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from batuta_firmware.image import Image
from batuta_firmware.twin.cpu import MASK, Cpu, Fault, Halt, Trap

CHIP = "esp32c3"
RAM_BYTES = 327_680
CLOCK_MHZ = 160
LED_US = 30  # what one LED takes on its wire
LATCH_US = 300
# A frame of the fixture takes some 5,000 instructions; a program that needs 300 times that is hanging. Under a second of our time.
WATCHDOG_INSTRUCTIONS = 1_500_000
CONSOLE_LINES_MAX = 200
FRAMES_KEPT = 64

PATTERN_ENTRY_BYTES = 20
PATTERNS_MAX = 128
LEDS_MAX = 1024


class Register(IntEnum):
    """Addresses at which the firmware talks to the board; see include/board.h of the fixture."""

    SERIAL = 0x6000_0000
    MICROS = 0x6000_0004
    READY = 0x6000_0008
    IDENTITY = 0x6000_000C
    HEAP_FREE = 0x6000_0010
    FRAME = 0x6000_0014
    FRAME_LEDS = 0x6000_0018
    PATTERN_WANTED = 0x6000_001C
    PATTERN_SHOWN = 0x6000_0020
    PATTERN_TABLE = 0x6000_0024
    PATTERN_COUNT = 0x6000_0028
    AUDIO_LEVEL = 0x6000_002C


class Panic(Exception):
    """The firmware crashed: a trap, or a watchdog that nobody fed."""


@dataclass(frozen=True, slots=True)
class Region:
    start: int
    data: bytearray
    writable: bool = False
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    id: str
    name: str
    description: str
    audio_reactive: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """One rendered frame; its times come from instructions executed and LEDs sent, not from our clock."""

    render_us: int
    send_us: int
    heap_free: int

    @property
    def total_us(self) -> int:
        return self.render_us + self.send_us


class Board:
    """A reset board with *image* in its flash. Not safe to share between threads; its owner holds a lock."""

    def __init__(self, image: Image) -> None:
        self.ready = False
        self.identity = ""
        self.heap_free = 0
        self.leds = b""
        self.pattern_wanted = 0
        self.pattern_shown = 0
        self.audio_level = 0
        self.frames: deque[Frame] = deque(maxlen=FRAMES_KEPT)
        self.frame_count = 0
        self.console: deque[str] = deque(maxlen=CONSOLE_LINES_MAX)
        self._line = ""
        self._led_count = 0
        self._pattern_table = 0
        self._pattern_count = 0
        self._regions = {region.start >> 22: region for region in _memory(image)}
        self._cpu = Cpu(self, image.entry)
        self._frame_began = 0

    def run_frame(self) -> None:
        """
        Run the firmware until it has finished its next frame.

        Raises:
            Panic: it crashed, or no frame came within the watchdog's patience.
        """
        try:
            finished = self._cpu.run(WATCHDOG_INSTRUCTIONS)
        except Trap as trap:
            raise Panic(f"Guru Meditation Error: {trap}") from None
        if not finished:
            raise Panic(f"Task watchdog got triggered: no frame within {WATCHDOG_INSTRUCTIONS} instructions, pc {self._cpu.pc:#010x}")
        render_us = max(1, (self._cpu.retired - self._frame_began) // CLOCK_MHZ)
        self._frame_began = self._cpu.retired
        self.frames.append(Frame(render_us, self._led_count * LED_US + LATCH_US, self.heap_free))

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """The table that the firmware announced, read from its own memory."""
        count = min(self._pattern_count, PATTERNS_MAX)
        return tuple(self._pattern(self._pattern_table + index * PATTERN_ENTRY_BYTES) for index in range(count))

    def _pattern(self, at: int) -> Pattern:
        words = [self.load(at + offset, 4) for offset in range(0, 16, 4)]
        return Pattern(self._text(words[0]), self._text(words[1]), self._text(words[2]), bool(words[3]))

    def _text(self, at: int) -> str:
        raw = bytearray()
        while len(raw) < 256 and (byte := self.load(at + len(raw), 1)):
            raw.append(byte)
        return raw.decode("utf-8", "replace")

    # The processor's side: Bus.

    def fetch(self, address: int) -> int:
        region = self._regions.get(address >> 22)
        if region is None or not region.executable or not 0 <= address - region.start <= len(region.data) - 4:
            raise Fault("instruction access fault", address)
        return int.from_bytes(region.data[address - region.start : address - region.start + 4], "little")

    def load(self, address: int, size: int) -> int:
        region = self._regions.get(address >> 22)
        if region is not None and 0 <= (offset := address - region.start) <= len(region.data) - size:
            return int.from_bytes(region.data[offset : offset + size], "little")
        match address:
            case Register.MICROS:
                return self._cpu.retired // CLOCK_MHZ & MASK
            case Register.PATTERN_WANTED:
                return self.pattern_wanted
            case Register.AUDIO_LEVEL:
                return self.audio_level
        raise Fault("load access fault", address)

    def store(self, address: int, size: int, value: int) -> None:
        region = self._regions.get(address >> 22)
        if region is not None and region.writable and 0 <= (offset := address - region.start) <= len(region.data) - size:
            region.data[offset : offset + size] = (value & MASK >> (32 - size * 8)).to_bytes(size, "little")
            return
        self._write_register(address, value)

    def _write_register(self, address: int, value: int) -> None:
        match address:
            case Register.SERIAL:
                self._print(chr(value & 0xFF))
            case Register.READY:
                self.ready = bool(value)
            case Register.IDENTITY:
                self.identity = self._text(value)
            case Register.HEAP_FREE:
                self.heap_free = value
            case Register.FRAME_LEDS:
                self._led_count = min(value, LEDS_MAX)
            case Register.PATTERN_SHOWN:
                self.pattern_shown = value
            case Register.PATTERN_TABLE:
                self._pattern_table = value
            case Register.PATTERN_COUNT:
                self._pattern_count = value
            case Register.FRAME:
                self._finish_frame(value)
            case _:
                raise Fault("store access fault", address)

    def _finish_frame(self, at: int) -> None:
        region = self._regions.get(at >> 22)
        size = self._led_count * 3
        if region is None or not 0 <= at - region.start <= len(region.data) - size:
            raise Fault("load access fault", at)  # the LED driver reads the frame from memory, as the processor would
        self.leds = bytes(region.data[at - region.start : at - region.start + size])
        self.frame_count += 1
        raise Halt

    def _print(self, character: str) -> None:
        if character == "\n":
            self.console.append(self._line)
            self._line = ""
        elif len(self._line) < 500:
            self._line += character


def _memory(image: Image) -> list[Region]:
    """Flash, data memory and instruction memory, with the image's segments in place."""
    regions = [
        Region(0x3C00_0000, bytearray(0x40_0000)),
        Region(0x3FC8_0000, bytearray(RAM_BYTES), writable=True),
        Region(0x4037_C000, bytearray(0x8000), executable=True),
        Region(0x4200_0000, bytearray(0x40_0000), executable=True),
    ]
    for segment in image.segments:
        if segment.address == 0:
            continue  # padding that aligns the next segment in flash
        for region in regions:
            offset = segment.address - region.start
            if 0 <= offset <= len(region.data) - len(segment.data):
                region.data[offset : offset + len(segment.data)] = segment.data
                break
        else:
            raise Panic(f"segment of {len(segment.data)} bytes at {segment.address:#010x} is outside the board's memory")
    return regions
