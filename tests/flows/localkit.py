"""This machine's provider without a server around it: a desk, jobs done at once, and what is in the media that come out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from batuta_flows import ffmpeg
from batuta_flows.assets.fetch import Fetcher
from batuta_flows.assets.store import AssetStore
from batuta_flows.providers.local.adapter import LocalAdapter
from batuta_flows.providers.protocol import Done, Job
from batuta_flows.workers.inputs import complete

Json = Any


class Desk:
    """A desk that keeps what it is told."""

    is_cancelled = False

    def __init__(self, directory: Path) -> None:
        self.assets, self.directory = AssetStore(directory / "assets"), directory / "room"
        self.directory.mkdir()
        self.shares: list[float] = []

    def log(self, line: str) -> None: ...

    def progress(self, fraction: float, note: str = "") -> None:
        self.shares.append(fraction)

    def submitting(self) -> None:
        raise AssertionError("nothing of this machine is paid for")


def done(desk: Desk, type_name: str, seed: int = 7, **settings: Json) -> dict[str, Json]:
    step = LocalAdapter(Fetcher(desk.assets)).step(Job(type_name, complete(type_name, settings), "", seed, "run/node/"), None, desk)
    assert isinstance(step, Done)
    return step.outputs


def file(desk: Desk, address: str) -> Path:
    found = desk.assets.path(address)
    assert found is not None
    return found


def clip(desk: Desk, name: str, size: tuple[int, int], seconds: float = 1.0, colour: str = "red", sound: bool = False) -> str:
    """A clip of one colour, with a tone if asked for."""
    target = desk.directory / f"{name}.mp4"
    tone = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"] if sound else []
    ffmpeg.run(["-f", "lavfi", "-i", f"color={colour}:s={size[0]}x{size[1]}:d={seconds}:r=25", *tone, *ffmpeg.MP4, target])
    return desk.assets.add_file(target, medium="video").address


def frame(path: Path, at: float) -> np.ndarray[Any, Any]:
    """The picture of a film at this second."""
    shown = ffmpeg.probe(path)
    command = [ffmpeg.program(), "-v", "error", "-ss", str(at), "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(shown.height, shown.width, 3).astype(int)


def loudness(path: Path, begin: float, end: float) -> float:
    command = [ffmpeg.program(), "-v", "error", "-ss", str(begin), "-t", str(end - begin), "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "8000", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return float(np.abs(np.frombuffer(raw, "<i2").astype(float)).mean()) if raw else 0.0
