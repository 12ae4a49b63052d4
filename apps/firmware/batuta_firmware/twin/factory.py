"""
What a twin runs before anything was flashed: a factory program that shows a still light, answers, and can be updated.

Here: the same face as a Board, without a processor. Not here: real firmware (board.py).
"""

from __future__ import annotations

from collections import deque

from batuta_firmware.twin.board import FRAMES_KEPT, Frame, Pattern

HEAP_BYTES = 280_000
LEDS = 64


class Factory:
    """The program in a new device's slot."""

    def __init__(self) -> None:
        self.ready = False
        self.identity = "factory"
        self.heap_free = HEAP_BYTES
        self.leds = bytes([0, 0, 40]) * LEDS
        self.pattern_wanted = 0
        self.pattern_shown = 0
        self.audio_level = 0
        self.frame_count = 0
        self.frames: deque[Frame] = deque(maxlen=FRAMES_KEPT)
        self.console: deque[str] = deque(["factory program"])

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        return (Pattern("still", "Still", "A dim blue light", False),)

    def run_frame(self) -> None:
        self.ready = True
        self.frame_count += 1
        self.frames.append(Frame(render_us=5, send_us=2220, heap_free=self.heap_free))
