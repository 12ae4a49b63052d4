"""
What is made of an asset to show it: a small picture of a picture or a film, and the outline of a sound.

Made once and kept under `derived/` beside the assets; losing it costs the time to make it again. Here also: that nothing of it is made of a file too large
to be looked at.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from batuta_flows import ffmpeg
from batuta_flows.assets.store import Asset, AssetStore
from batuta_flows.errors import FlowError, NodeFailed

Json = Any
PIXELS: Final = 320
PEAKS: Final = 240
_RATE: Final = 8_000
_SOUND_S_MAX: Final = 3600.0
_PICTURE_PIXELS_MAX: Final = 100_000_000


class NothingToShow(FlowError):
    """There is no small picture, or no outline, of an asset of this kind."""

    code = "nothing_to_show"


def thumbnail(store: AssetStore, asset: Asset) -> bytes:
    """
    A picture of at most 320 pixels a side, as WebP: of a picture itself, of a film a moment near its beginning that shows something.

    Raises:
        NothingToShow: it is neither, or cannot be read.
    """
    made = {"image": _of_picture, "video": _of_film}.get(asset.medium)
    if made is None:
        raise NothingToShow(f"{asset.name} is no picture and no film; it has no thumbnail")
    return _kept(store, asset, "webp", made)


def peaks(store: AssetStore, asset: Asset) -> bytes:
    """
    The outline of a sound, or of a film's sound, as JSON: `{"seconds", "peaks"}`, the loudest of each 240th part between 0 and 1, where 1 is full scale.

    Raises:
        NothingToShow: there is no sound in it.
    """
    if asset.medium not in ("audio", "video"):
        raise NothingToShow(f"{asset.name} is no sound and no film; it has no outline")
    return _kept(store, asset, "peaks", _outline)


def _kept(store: AssetStore, asset: Asset, kind: str, make: Callable[[Path], bytes]) -> bytes:
    path, place = store.path(asset.name), store.directory / "derived" / asset.name[:2] / f"{asset.name}.{kind}"
    if place.is_file():
        return place.read_bytes()
    assert path is not None
    try:
        made = make(path)
    except (NodeFailed, OSError, ValueError, SyntaxError) as error:  # Pillow's words for what is broken
        raise NothingToShow(f"{asset.name} cannot be shown: {error}") from error
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
        file.write(made)
    os.replace(file.name, place)
    return made


def _of_picture(path: Path) -> bytes:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        if image.width * image.height > _PICTURE_PIXELS_MAX:
            raise ValueError(f"it has {image.width} times {image.height} pixels")
        image.draft("RGB", (PIXELS, PIXELS))  # a JPEG is decoded small
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((PIXELS, PIXELS))
        made = io.BytesIO()
        upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(made, "WEBP", quality=80)
    return made.getvalue()


def _of_film(path: Path) -> bytes:
    shown = ffmpeg.probe(path)
    if not shown.width:
        raise ValueError("there is no picture in it")
    small = f"scale='min({PIXELS},iw*sar)':'min({PIXELS},ih)':force_original_aspect_ratio=decrease,setsar=1"
    begin = min(1.0, shown.seconds / 3)
    frame = ffmpeg.output(["-ss", f"{begin:.3f}", "-i", path, "-an", "-vf", f"thumbnail=12,{small}", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe"])
    return _of_bytes(frame)


def _of_bytes(content: bytes) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.convert("RGB").save(made, "WEBP", quality=80)
    return made.getvalue()


def _outline(path: Path) -> bytes:
    import numpy as np

    shown = ffmpeg.probe(path)
    if not shown.has_sound:
        raise ValueError("there is no sound in it")
    raw = ffmpeg.output(["-t", str(_SOUND_S_MAX), "-i", path, "-vn", "-ac", "1", "-ar", str(_RATE), "-f", "s16le"])
    samples = np.abs(np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int32))
    parts = np.array_split(samples, PEAKS) if len(samples) >= PEAKS else [samples[i : i + 1] for i in range(len(samples))]
    heights = [round(float(part.max()) / 32_768, 4) for part in parts if len(part)]
    return json.dumps({"seconds": round(len(samples) / _RATE, 3), "peaks": heights}).encode()
