"""Notes inside media: put in and read back in every kind of file we know, and the medium is what it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from batuta_flows import ffmpeg
from batuta_flows.assets import embed
from batuta_flows.assets.sniff import file_type

NOTE = json.dumps({"flow": "a=b;c#d\\e 'f' \"g\"\n" * 3, "long": "x" * 150_000}).encode()
SHORT = b'{"n": 1}'

PICTURES = ["png", "jpg", "gif", "webp", "webp lossless", "avif"]
FILMS = ["mp4", "mov", "webm", "avi"]
SOUNDS = ["wav", "mp3", "m4a", "ogg", "flac"]


def made(directory: Path, kind: str) -> Path:
    """A small file of this kind."""
    path = directory / f"a.{kind.split()[0]}"
    if kind in PICTURES:
        picture = Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 30).convert("RGB")
        picture.save(path, **({"lossless": True} if "lossless" in kind else {}))
        return path
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=0.5"]
    film = ["-f", "lavfi", "-i", "testsrc=s=64x48:d=0.5:r=10"] if kind in FILMS else []
    ffmpeg.run([*film, *sound, path])
    return path


def decoded(path: Path) -> bytes:
    """What is seen and heard of it."""
    command = [ffmpeg.program(), "-v", "error", "-i", str(path), "-map", "0", "-f", "framemd5", "-"]
    return b"\n".join(line for line in subprocess.run(command, capture_output=True, check=True).stdout.splitlines() if not line.startswith(b"#"))


@pytest.mark.parametrize("kind", [*PICTURES, *FILMS, *SOUNDS])
def test_a_note_is_read_back_and_the_medium_stays_as_it_was(tmp_path: Path, kind: str) -> None:
    path, noted = made(tmp_path, kind), tmp_path / f"noted.{kind.split()[0]}"
    sort = file_type(path.read_bytes()[:64])
    assert sort is not None and embed.note_in(path, sort.mime) is None
    for note in (SHORT, NOTE):  # the second replaces the first
        noted.write_bytes(b"".join(embed.with_note(path, sort.mime, note)))
        assert embed.note_in(noted, sort.mime) == note
        path.write_bytes(noted.read_bytes())
    assert file_type(noted.read_bytes()[:64]) == sort
    assert noted.read_bytes().count(b'{"n": 1}') == 0
    assert decoded(noted) == decoded(made(tmp_path, kind))
    if kind in PICTURES:
        with Image.open(noted) as picture:
            picture.load()
            assert picture.size == (64, 48)


def test_a_picture_with_transparency_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    Image.new("RGBA", (8, 8), (255, 0, 0, 40)).save(path, lossless=True)
    path.write_bytes(b"".join(embed.with_note(path, "image/webp", SHORT)))
    with Image.open(path) as picture:
        assert picture.getpixel((3, 3)) == (255, 0, 0, 40)


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "webp", "mp4", "wav", "mp3", "webm"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_file_that_was_cut_off_does_no_harm(tmp_path: Path, kind: str, share: float) -> None:
    path = made(tmp_path, kind)
    sort = file_type(path.read_bytes()[:64])
    assert sort is not None
    path.write_bytes(path.read_bytes()[: max(30, int(path.stat().st_size * share))])
    assert embed.note_in(path, sort.mime) is None
    found = b"".join(embed.with_note(path, sort.mime, SHORT))
    assert len(found) >= path.stat().st_size or sort.mime in embed._TAGGED  # what is left of it is handed out; of what ffmpeg copies, what it can read
    assert found
