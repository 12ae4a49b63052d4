"""
Lips: a film or a picture whose mouth follows a voice. The face is found once and followed from frame to frame; what is below the mouth's line moves down as
the voice is loud, and what opens is the inside of a mouth. Where there is no face, a drawn speaker in the corner speaks instead, and the result says so.

Not a model of speech: loudness alone opens the mouth. Not here: finding faces (faces.py), the drawn person (portrait.py).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw

from batuta_flows import ffmpeg
from batuta_flows.errors import NodeFailed
from batuta_flows.providers.local import faces, portrait
from batuta_flows.providers.local.film import FPS

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
SIDE_MAX: Final = 1280
SECONDS_MAX: Final = 600.0
TAIL_S: Final = 0.4  # a breath after the last word
_RATE: Final = 16_000
_STEPS: Final = 12  # how many ways a mouth is open; so a drawn face is drawn so often, not once a frame
Paint = Callable[[Pixels, float, int], Pixels]
Guard = Callable[[], bool]


def speak(source: Path, voice: Path, target: Path, *, told: ffmpeg.Told, is_cancelled: Guard) -> tuple[float, str]:
    """
    The film or picture *source* speaking with this voice, at *target*: as long as the voice, from its beginning again where it is shorter.

    Returns how long it is in seconds, and how it was done: `mouth` or `speaker in the corner`.
    """
    shown = ffmpeg.probe(source)
    if not shown.width:
        raise NodeFailed("bad_input", "there is no picture in the video")
    scale = min(1.0, SIDE_MAX / max(shown.width, shown.height))
    size = (max(2, round(shown.width * scale) // 2 * 2), max(2, round(shown.height * scale) // 2 * 2))
    loud = loudness(voice)
    frames = _frames(source, size, len(loud), is_film=shown.seconds > 1 / FPS)
    first = next(frames, None)
    if first is None:
        raise NodeFailed("bad_input", "there is no frame in the video that could be read")
    face = faces.find(first)
    paint = _corner(size) if face is None else _mouth(first, face)
    film = (paint(frame, level, i) for i, (frame, level) in enumerate(zip(_chained(first, frames), loud, strict=False)))
    seconds = encode(film, len(loud), size, voice, target, told=told, is_cancelled=is_cancelled)
    return seconds, "speaker in the corner" if face is None else "mouth"


def loudness(voice: Path) -> list[float]:
    """How far a mouth is open, 0 to 1, for each frame of a voice."""
    raw = ffmpeg.output(["-t", str(SECONDS_MAX), "-i", voice, "-vn", "-ac", "1", "-ar", str(_RATE), "-f", "s16le"])
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32)
    if not len(samples):
        raise NodeFailed("bad_input", "there is no sound in the voice")
    step = _RATE // FPS
    count = max(1, -(-len(samples) // step)) + round(TAIL_S * FPS)
    level = np.sqrt((np.pad(samples, (0, count * step - len(samples))).reshape(count, step) ** 2).mean(axis=1))
    most = max(float(np.percentile(level, 95)), 60.0)
    smooth = np.convolve(level / most, [0.25, 0.5, 0.25], "same")
    return [min(1.0, max(0.0, float(value) * 1.15 - 0.08)) for value in smooth]


def encode(film: Iterator[Pixels], count: int, size: tuple[int, int], voice: Path, target: Path, *, told: ffmpeg.Told, is_cancelled: Guard) -> float:
    """Frames and a voice as a film; how long it is in seconds."""
    command = [
        ffmpeg.program(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}",
        "-r", str(FPS), "-i", "pipe:0", "-protocol_whitelist", "file,pipe", "-i", str(voice), "-map", "0:v", "-map", "1:a", "-af", "apad", *ffmpeg.MP4,
        "-t", f"{count / FPS:.3f}", "-threads", ffmpeg.THREADS, str(target),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdin is not None and process.stderr is not None
    try:
        for i, frame in enumerate(film):
            if is_cancelled():
                raise NodeFailed("cancelled", "nobody wants this any more")
            process.stdin.write(frame.tobytes())
            if i % FPS == 0:
                told(i / count)
        process.stdin.close()
    except BrokenPipeError:
        pass  # what it says is told below
    except BaseException:
        process.kill()
        raise
    finally:
        said = process.stderr.read().decode(errors="replace")
        code = process.wait(ffmpeg.RUN_S_MAX)
    if code:
        raise NodeFailed("bad_input", f"the film could not be made: {' '.join(said.split())[-300:]}")
    return count / FPS


def _frames(source: Path, size: tuple[int, int], count: int, *, is_film: bool) -> Iterator[Pixels]:
    """As many frames of a film, or a picture as often, as are asked for; a film that is over begins again."""
    looped = ["-stream_loop", "-1"] if is_film else ["-loop", "1"]
    command = [
        ffmpeg.program(), "-hide_banner", "-nostdin", "-loglevel", "error", *looped, "-protocol_whitelist", "file,pipe", "-i", str(source), "-an",
        "-vf", f"fps={FPS},scale={size[0]}:{size[1]},setsar=1", "-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-threads", ffmpeg.THREADS, "pipe:1",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdout is not None
    length = size[0] * size[1] * 3
    try:
        while len(raw := process.stdout.read(length)) == length:
            yield np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _chained(first: Pixels, rest: Iterator[Pixels]) -> Iterator[Pixels]:
    yield first
    yield from rest


# -- the mouth of a face ------------------------------------------------------------------------------------------------------------------


def _mouth(first: Pixels, face: faces.Face) -> Paint:
    """Opens the mouth of this face, wherever it moves to."""
    follow = _follower(first, face)

    def paint(frame: Pixels, level: float, i: int) -> Pixels:
        dx, dy = follow(frame)
        moved = faces.Face(*((x + dx, y + dy) for x, y in (face.left_eye, face.right_eye, face.mouth)))
        return opened(frame, moved, level)

    return paint


def _follower(first: Pixels, face: faces.Face) -> Callable[[Pixels], tuple[float, float]]:
    """How far the face has moved since the first frame: its eyes and nose are looked for around where they were."""
    reach = max(4, round(face.apart * 0.35))
    (x, y), half = face.middle, face.apart * 0.85
    height, width = first.shape[:2]
    left, top = max(0, round(x - half)), max(0, round(y - half * 0.5))
    right, bottom = min(width, round(x + half)), min(height, round(y + half * 0.8))
    looked_for: Any = cv2.cvtColor(np.ascontiguousarray(first[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    at = [0, 0]

    def follow(frame: Pixels) -> tuple[float, float]:
        a, b = max(0, top + at[1] - reach), max(0, left + at[0] - reach)
        area = frame[a : bottom + at[1] + reach, b : right + at[0] + reach]
        if area.shape[0] >= looked_for.shape[0] and area.shape[1] >= looked_for.shape[1]:
            _, best, _, place = cv2.minMaxLoc(cv2.matchTemplate(cv2.cvtColor(area, cv2.COLOR_RGB2GRAY), looked_for, cv2.TM_CCOEFF_NORMED))
            if best > 0.5:
                at[:] = [b + place[0] - left, a + place[1] - top]
        return float(at[0]), float(at[1])

    return follow


def opened(frame: Pixels, face: faces.Face, level: float) -> Pixels:
    """The frame with the mouth of this face open so far: the chin goes down, and between the lips is a mouth's inside."""
    gap = level * 0.42 * face.apart
    if gap < 1:
        return frame
    (x, y), apart = face.mouth, face.apart
    height, width = frame.shape[:2]
    left, right = max(0, round(x - 1.1 * apart)), min(width, round(x + 1.1 * apart))
    top, bottom = max(0, round(y - 0.6 * apart)), min(height, round(y + 1.7 * apart))
    if right - left < 8 or bottom - top < 8:
        return frame
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    across = np.exp(-(((columns - x) / (0.62 * apart)) ** 2))  # the middle moves most, the cheeks hardly
    below = np.clip((rows - y) / max(gap, 1.0), 0, 1)  # from the lips on
    fades = np.clip((y + 1.6 * apart - rows) / (0.9 * apart), 0, 1)  # the neck stays
    shift = gap * across * below * fades
    area = cv2.remap(frame, columns, rows - shift, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    inside = _inside((rows - y - gap * 0.5) / max(gap * 0.56, 1.0), (columns - x) / (0.4 * apart), level)
    area = area * (1 - inside[1]) + inside[0] * inside[1]
    made = frame.copy()
    made[top:bottom, left:right] = np.clip(area, 0, 255).astype(np.uint8)
    return made


def _inside(down: Any, across: Any, level: float) -> tuple[Any, Any]:
    """The colours inside a mouth, and where they show: dark, teeth above, the tongue below. *down*, *across*: -1 to 1 within it."""
    within = np.clip((1 - (down**2 + across**2)) * 4, 0, 1)[..., None]
    colour = np.empty((*down.shape, 3), np.float32)
    colour[:] = (74, 24, 28)
    teeth = np.clip((-0.45 - down + 0.25 * across**2) * 6, 0, 1) * np.clip((0.72 - np.abs(across)) * 5, 0, 1) * min(1.0, level * 1.6)
    tongue = np.clip((down - 0.35) * 4, 0, 1) * np.clip((0.6 - np.abs(across)) * 4, 0, 1)
    for shown, tint in ((teeth, (236, 230, 222)), (tongue, (176, 84, 88))):
        colour += (np.array(tint, np.float32) - colour) * shown[..., None]
    return colour, within


# -- a speaker in the corner ----------------------------------------------------------------------------------------------------------------


def _corner(size: tuple[int, int]) -> Paint:
    """Lays a round picture of a drawn speaker over the lower right corner."""
    width, height = size
    side = max(48, round(min(width, height) * 0.34)) // 2 * 2
    margin = round(side * 0.12)
    left, top = max(0, width - side - margin), max(0, height - side - margin)
    side = min(side, width - left, height - top)
    round_mask = Image.new("L", (side * 4, side * 4), 0)
    ImageDraw.Draw(round_mask).ellipse((2, 2, side * 4 - 2, side * 4 - 2), fill=255)
    mask: Any = np.asarray(round_mask.resize((side, side), Image.Resampling.LANCZOS), np.float32)[..., None] / 255
    ground, looks = Image.new("RGB", (side, side), "#eef1f5"), portrait.Looks("#e8b58c", "#4a3628", "#3b6ea5")
    drawn: dict[tuple[int, bool], Any] = {}

    def paint(frame: Pixels, level: float, i: int) -> Pixels:
        key = (round(level * _STEPS), i % 90 in (40, 41, 42))
        if key not in drawn:
            drawn[key] = np.asarray(portrait.draw(looks, ground, mouth=key[0] / _STEPS, blinks=key[1]), np.float32)
        made = frame.copy()
        under = made[top : top + side, left : left + side]
        under[:] = (drawn[key] * mask + under * (1 - mask)).astype(np.uint8)
        return made

    return paint
