"""
The presenter: a drawn person, or a picture of one's own, who speaks a voice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from batuta_flows import ffmpeg
from batuta_flows.providers.local import lips, portrait

SIZE: Final = (720, 720)
_LOOKS: Final = {
    "Predefined 1": portrait.Looks("#f2c9a1", "#4a3628", "#3b6ea5"),
    "Predefined 2": portrait.Looks("#b97a50", "#1e1a1a", "#8a4f7d", "bun"),
    "Custom": portrait.Looks("#e8b58c", "#6b4a2f", "#4f8a5b", "curls"),
}


def present(avatar: str, background: Image.Image, speech: Path, target: Path, *, told: ffmpeg.Told, is_cancelled: lips.Guard) -> float:
    """The presenter speaking, with the voice, at *target*; how long it is in seconds."""
    looks, ground = _LOOKS.get(avatar, _LOOKS["Predefined 1"]), ImageOps.fit(background.convert("RGB"), SIZE)
    loud = lips.loudness(speech)
    drawn: dict[tuple[int, bool], lips.Pixels] = {}

    def frame(i: int, level: float) -> lips.Pixels:
        look = (round(level * 8), i % 90 in (40, 41, 42))
        if look not in drawn:
            drawn[look] = np.asarray(portrait.draw(looks, ground, mouth=look[0] / 8, blinks=look[1]), np.uint8)
        return drawn[look]

    film = (frame(i, level) for i, level in enumerate(loud))
    return lips.encode(film, len(loud), SIZE, speech, target, told=told, is_cancelled=is_cancelled)
