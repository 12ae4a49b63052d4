"""Faces without learned weights: where they are, one over another, and mouths that follow a voice. Where there is none, that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from localkit import Desk, done, file, frame, loudness
from PIL import Image

from batuta_flows import ffmpeg
from batuta_flows.errors import NodeFailed
from batuta_flows.providers.local import faces, lips, picture, portrait

Json = Any


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def drawn(words: str, seed: int, size: tuple[int, int], mouth: float = 0.0) -> Image.Image:
    return portrait.draw(portrait.looks_of(words.split(), seed), Image.new("RGB", size, ("#dfe7f1", "#e9d9c0", "#27324a", "#c9d8c4")[seed % 4]), mouth=mouth)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("words", "size"), [("woman", (720, 720)), ("old man", (1280, 720)), ("man", (480, 640))])
def test_a_face_is_found_where_it_is(words: str, size: tuple[int, int], seed: int) -> None:
    found = faces.find(np.asarray(drawn(words, seed, size, mouth=seed / 5)))
    unit, left, top = min(size) / 720, (size[0] - min(size)) / 2, size[1] - min(size)
    assert found is not None
    for (x, y), (true_x, true_y) in zip((found.left_eye, found.right_eye, found.mouth), ((304, 344), (416, 344), (360, 440)), strict=True):
        assert abs(x - (true_x * unit + left)) < 8 * unit + 4 and abs(y - (true_y * unit + top)) < 34 * unit + 4


@pytest.mark.parametrize("prompt", ["the sea at sunset", "a city at night", "podcast cover: The Quiet Hour", "a red sneaker", "a fox in a forest"])
def test_no_face_is_found_where_there_is_none(prompt: str) -> None:
    assert faces.find(np.asarray(picture.draw(prompt, 3, (640, 360)))) is None


def test_a_face_takes_the_place_of_another(desk: Desk) -> None:
    target, source = (desk.directory / name for name in ("target.png", "source.png"))
    drawn("woman", 2, (640, 640)).save(target)
    drawn("man", 6, (400, 400), mouth=1.0).save(source)
    addresses = [desk.assets.add_file(path, medium="image").address for path in (target, source)]
    made = done(desk, "face_swap", targetImageUrl=addresses[0], sourceImageUrl=addresses[1])
    assert made["method"] == "by eyes and mouth"
    with Image.open(file(desk, made["imageUrl"])) as after, Image.open(target) as before:
        changed = np.abs(np.asarray(after, int) - np.asarray(before, int)).max(axis=2) > 12
        assert after.size == (640, 640) and changed[330:450, 250:390].mean() > 0.3  # the face
        assert not changed[:120].any() and not changed[560:].any() and not changed[:, :120].any()  # nothing else
    landscape = done(desk, "text_to_image", prompt="the sea", size="320x180")["imageUrl"]
    assert "no face was found in the picture" in done(desk, "face_swap", targetImageUrl=landscape, sourceImageUrl=addresses[1], faceEnhance=True)["method"]


def test_a_mouth_follows_a_voice(desk: Desk) -> None:
    still = desk.directory / "still.png"
    drawn("woman", 2, (480, 480)).save(still)
    clip = done(desk, "image_to_video", imageUrl=desk.assets.add_file(still, medium="image").address, duration=1)["videoUrl"]
    voice = done(desk, "text_to_speech", text="Hello, and welcome to all of you.")
    made = done(desk, "lip_sync", videoUrl=clip, audioUrl=voice["audioUrl"])
    path, loud = file(desk, made["videoUrl"]), lips.loudness(file(desk, voice["audioUrl"]))
    shown = ffmpeg.probe(path)
    assert made["method"] == "mouth" and shown.has_sound and abs(shown.seconds - voice["duration"] - lips.TAIL_S) < 0.15
    openest = max(range(len(loud)), key=lambda i: loud[i])
    dark = [_dark_at_the_mouth(frame(path, at)) for at in (openest / 25 + 0.02, len(loud) / 25 - 0.15)]
    assert dark[0] > 0.1 > 0.03 > dark[1]  # the inside of a mouth, and at the end none
    assert loudness(path, 0.2, 0.8) > 100


def _dark_at_the_mouth(pixels: np.ndarray[Any, Any]) -> float:
    """How much of the place below the nose is as dark as the inside of a mouth."""
    found = faces.find(pixels.astype(np.uint8))
    assert found is not None
    (x, y), apart = found.middle, found.apart
    area = pixels[round(y + 0.6 * apart) : round(y + 1.3 * apart), round(x - 0.3 * apart) : round(x + 0.3 * apart)]
    return float((area.max(axis=2) < 110).mean())


def test_a_film_without_a_face_gets_a_speaker_in_its_corner(desk: Desk) -> None:
    clip = done(desk, "text_to_video", prompt="the sea", duration=1, resolution="480p")["videoUrl"]
    voice = done(desk, "text_to_speech", text="Hello.")["audioUrl"]
    assert done(desk, "lip_sync", videoUrl=clip, audioUrl=voice)["method"] == "speaker in the corner"


def test_a_picture_of_ones_own_can_present(desk: Desk) -> None:
    still = desk.directory / "still.png"
    drawn("man", 3, (300, 400)).save(still)
    made = done(desk, "ai_avatar", script="Hello.", avatarUrl=desk.assets.add_file(still, medium="image").address)
    shown = ffmpeg.probe(file(desk, made["videoUrl"]))
    assert made["method"] == "mouth" and (shown.width, shown.height) == (300, 400)
    assert done(desk, "ai_avatar", script="Hello.")["method"] == "drawn presenter"


def test_a_voice_without_a_sound_is_a_clear_error(desk: Desk) -> None:
    clip = done(desk, "text_to_video", prompt="the sea", duration=1, resolution="480p")["videoUrl"]
    silent = desk.directory / "silent.wav"
    ffmpeg.run(["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "0.0001", silent])
    with pytest.raises(NodeFailed):
        done(desk, "lip_sync", videoUrl=clip, audioUrl=desk.assets.add_file(silent, medium="audio").address)
