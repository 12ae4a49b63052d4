"""
The presenter: a cartoon face whose mouth follows a voice. Honest about being drawn.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from batuta_flows import ffmpeg
from batuta_flows.errors import NodeFailed
from batuta_flows.providers.local import film

SIZE: Final = (720, 720)
_LOOKS: Final = {  # skin, hair, shirt
    "Predefined 1": ("#f2c9a1", "#4a3628", "#3b6ea5"),
    "Predefined 2": ("#b97a50", "#1e1a1a", "#8a4f7d"),
    "Custom": ("#e8b58c", "#6b4a2f", "#4f8a5b"),
}


def present(avatar: str, background: Image.Image, speech: Path, target: Path) -> float:
    """The presenter speaking, with the voice, at *target*; how long it is in seconds."""
    loud, seconds = _loudness(speech)
    skin, hair, shirt = _LOOKS.get(avatar, _LOOKS["Predefined 1"])
    ground = background.convert("RGB").resize(SIZE)
    command = [
        ffmpeg.program(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE[0]}x{SIZE[1]}",
        "-r", str(film.FPS), "-i", "pipe:0", "-i", str(speech), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac",
        "-shortest", "-movflags", "+faststart", str(target),
    ]  # fmt: skip
    faces: dict[tuple[int, bool], bytes] = {}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    try:
        for i, level in enumerate(loud):
            look = (int(level * 8), i % 90 in (40, 41, 42))
            if look not in faces:
                faces[look] = _face(ground, skin, hair, shirt, look[0] / 8, look[1])
            process.stdin.write(faces[look])
        process.stdin.close()
    except BrokenPipeError:
        pass
    said = process.stderr.read() if process.stderr is not None else b""
    if process.wait(ffmpeg.RUN_S_MAX):
        raise NodeFailed("bad_input", f"the presenter could not be filmed: {said.decode(errors='replace')[-300:]}")
    return seconds


def _loudness(speech: Path) -> tuple[list[float], float]:
    """How open the mouth is, 0 to 1, for each frame."""
    with wave.open(str(speech)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    step = rate // film.FPS
    count = max(1, len(samples) // step + 6)
    padded: Any = np.pad(samples, (0, max(0, count * step - len(samples))))[: count * step].reshape(count, step)
    level = np.sqrt((padded**2).mean(axis=1))
    smooth = np.convolve(level / max(float(level.max()), 1.0), [0.25, 0.5, 0.25], "same")
    return [min(1.0, float(value) * 1.3) for value in smooth], count / film.FPS


def _face(ground: Image.Image, skin: str, hair: str, shirt: str, mouth: float, blinks: bool) -> bytes:
    image = ground.copy()
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle([150, 560, 570, 760], 120, fill=shirt)
    pen.rectangle([320, 500, 400, 590], fill=skin)
    pen.ellipse([200, 120, 520, 420], fill=hair)
    pen.ellipse([220, 160, 500, 540], fill=skin)
    pen.pieslice([212, 120, 508, 400], 180, 360, fill=hair)
    for x in (300, 420):
        if blinks:
            pen.line([x - 26, 322, x + 26, 322], fill="#2b2320", width=6)
        else:
            pen.ellipse([x - 28, 300, x + 28, 344], fill="white")
            pen.ellipse([x - 12, 308, x + 14, 336], fill="#2b2320")
        pen.arc([x - 34, 268, x + 34, 310], 200, 340, fill=hair, width=8)
    pen.arc([345, 350, 378, 400], 20, 160, fill="#a06a4a", width=5)
    tall = 6 + 56 * mouth
    pen.ellipse([312, 450 - tall / 2, 408, 450 + tall / 2], fill="#7a2b2b")
    if tall > 24:
        pen.chord([322, 450 - tall / 2 + 3, 398, 450 + tall / 4], 190, 350, fill="white")
    return image.tobytes()
