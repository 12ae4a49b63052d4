"""The board: a program's frames, what it announces, and how it can crash."""

from __future__ import annotations

import forge
import pytest

from batuta_firmware import image
from batuta_firmware.twin.board import Board, Panic


def board(code: list[int] | None = None) -> Board:
    return Board(image.parse(forge.image(code)))


def test_a_program_says_who_it_is_and_renders_frames() -> None:
    running = board()
    for _ in range(3):
        running.run_frame()
    assert running.ready
    assert (running.identity, running.heap_free, running.frame_count) == (forge.COMMIT, 200_000, 3)
    assert running.leds == bytes([3]) + bytes(11)
    assert len(running.frames) == 3
    assert running.frames[0].total_us > running.frames[0].render_us >= 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (forge.program(crash_after=2), "Guru Meditation Error: breakpoint at pc"),
        (forge.program(hangs=True), "Task watchdog got triggered"),
        ([forge.store(2, 0, 0, 0)], "store access fault"),
        ([*forge.constant(5, 0x6000_0000), forge.store(2, 5, 0, 0x40)], "store access fault"),
        ([*forge.constant(5, forge.RODATA), forge.store(2, 5, 0, 0)], "store access fault"),
        ([*forge.constant(5, forge.RAM), forge.i_type(0x67, 0, 0, 5, 0)], "instruction access fault"),
    ],
    ids=["a breakpoint", "a hang", "a null pointer", "no such register", "a write to flash", "a jump into data"],
)
def test_a_program_that_goes_wrong_panics(code: list[int], message: str) -> None:
    running = board(code)
    with pytest.raises(Panic, match=message):
        for _ in range(5):
            running.run_frame()


def test_a_segment_outside_the_boards_memory_panics() -> None:
    with pytest.raises(Panic, match="outside the board's memory"):
        Board(image.parse(forge.packed([(0x5000_0000, b"\0" * 16)])))
