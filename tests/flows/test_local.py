"""This machine as a provider: every medium is really made, measured by ffmpeg and by reading pixels and samples back."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from localkit import Desk, clip, done, file, frame, loudness
from PIL import Image

from batuta_flows import ffmpeg
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.errors import NodeFailed
from batuta_flows.providers.local import music, noises, picture, text, voice

Json = Any


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- words ------------------------------------------------------------------------------------------------------------------------

STORY = "One. Two three four. Five six. Seven eight nine ten eleven. Twelve."

#   mode         what is split                                  items
SPLITS: list[tuple[str, list[Json], dict[str, Any], list[str]]] = [
    ("sentence",  [STORY],                                      {},                 ["One.", "Two three four.", "Five six.", "Seven eight nine ten eleven.", "Twelve."]),
    ("text",      [STORY],                                      {"segments": 2},    ["One. Two three four. Five six.", "Seven eight nine ten eleven. Twelve."]),
    ("text",      ["Only one."],                                {"segments": 3},    ["Only one."]),
    ("words",     ["a b c d e"],                                {"words": 2},       ["a b", "c d", "e"]),
    ("array",     ["x", {"text": "y"}],                         {},                 ["x", "y"]),
    ("array",     ['["x", "y"]'],                               {},                 ["x", "y"]),
    ("json_path", ['{"s": [{"text": "a"}, {"text": "b"}]}'],    {"path": "$.s"},    ["a", "b"]),
    ("json_path", ['{"s": [{"t": "a"}, {"t": "b"}]}'],          {"path": "response.s[*].t"}, ["a", "b"]),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "values", "options", "items"), SPLITS)
def test_texts_and_lists_are_split(mode: str, values: list[Json], options: dict[str, Any], items: list[str]) -> None:
    assert text.split(values, mode, **{"segments": 3, "words": 40, "path": "", **options}) == items


#   mode         what is split   path     told
UNSPLIT = [
    ("array",     ["no list"],    "",      "requires array input"),
    ("json_path", ["no json"],    "a",     "no JSON"),
    ("json_path", ['{"a": 1}'],   "b",     "did not resolve"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "values", "path", "told"), UNSPLIT)
def test_what_cannot_be_split_says_why(mode: str, values: list[Json], path: str, told: str) -> None:
    with pytest.raises(NodeFailed, match=told):
        text.split(values, mode, segments=3, words=40, path=path)


def test_the_same_seed_gives_the_same(desk: Desk) -> None:
    assert text.write("a fox", 3) == text.write("a fox", 3) != text.write("a fox", 4)
    one, same, other = (done(desk, "text_to_image", seed, prompt="a fox", size="128x72")["imageUrl"] for seed in (3, 3, 4))
    assert one == same != other


# -- pictures and sounds ------------------------------------------------------------------------------------------------------------


def test_a_picture_has_the_shape_that_was_asked_for(desk: Desk) -> None:
    for aspect, size in picture.SIZES.items():
        assert picture.size_of(aspect) == size
    made = done(desk, "text_to_image", prompt="the sea at night", size="160x90")
    with Image.open(file(desk, made["imageUrl"])) as image:
        assert image.size == (160, 90) and "the sea at night" in image.info["batuta-flow"]


def test_speech_is_as_long_as_its_text(tmp_path: Path) -> None:
    short, name = voice.speak("Hello.", tmp_path / "a.wav")
    long, _ = voice.speak("Hello. This is a sentence with quite a few more words in it.", tmp_path / "b.wav", voice="en-us+f3")
    assert name == "en-us" and 0.2 < short < long
    with wave.open(str(tmp_path / "b.wav")) as sound:
        assert abs(sound.getnframes() / sound.getframerate() - long) < 0.01


def test_an_unknown_voice_is_named(tmp_path: Path) -> None:
    with pytest.raises(NodeFailed, match="no voice 'alloy'"):
        voice.speak("Hello.", tmp_path / "a.wav", voice="alloy")


@pytest.mark.parametrize(("prompt", "seconds"), [("calm piano", 3), ("upbeat electronic", 2.5)])
def test_music_sounds_from_its_beginning_to_its_end(tmp_path: Path, prompt: str, seconds: float) -> None:
    music.compose(prompt, 5, seconds, tmp_path / "m.wav")
    with wave.open(str(tmp_path / "m.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)
        assert abs(sound.getnframes() / sound.getframerate() - seconds) < 0.01
    assert np.abs(samples).max() < 32_767 and np.abs(samples[len(samples) // 3 : len(samples) // 2]).mean() > 300


@pytest.mark.parametrize(("prompt", "name"), [("heavy rain", "rain"), ("ocean waves", "waves"), ("a door slams", "impact"), ("magic", "whoosh")])
def test_a_noise_is_what_was_asked_for(tmp_path: Path, prompt: str, name: str) -> None:
    assert noises.make(prompt, 1, 0.6, tmp_path / "n.wav") == name


# -- films ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transition", ["cut", "cross-fade", "slide", "zoom"])
def test_clips_of_different_size_are_joined(desk: Desk, transition: str) -> None:
    clips = [clip(desk, "a", (320, 180)), clip(desk, "b", (180, 320), colour="blue")]
    made = done(desk, "clip_merger", clips=clips, transition=transition, transitionDuration=0.2)
    shown = ffmpeg.probe(file(desk, made["videoUrl"]))
    assert (shown.width, shown.height, made["clipsMerged"]) == (320, 180, 2)
    assert abs(shown.seconds - (2.0 if transition == "cut" else 1.8)) < 0.1
    begin, end = frame(file(desk, made["videoUrl"]), 0.1)[90, 160], frame(file(desk, made["videoUrl"]), 1.6)[90, 160]
    assert begin[0] > 200 > begin[2] and end[2] > 200 > end[0]


def test_a_film_is_trimmed_cropped_and_coloured(desk: Desk) -> None:
    made = done(desk, "edit_video", videoUrl=clip(desk, "a", (320, 180), 2.0), startTime=0.5, endTime=1.5, cropRatio="1:1", filter="Grayscale")
    shown = ffmpeg.probe(file(desk, made["videoUrl"]))
    red, green, blue = frame(file(desk, made["videoUrl"]), 0.5)[90, 90]
    assert (shown.width, shown.height) == (180, 180) and abs(shown.seconds - 1) < 0.1 and abs(red - green) < 12 and abs(red - blue) < 12


def test_speech_begins_with_its_scene_and_the_scene_waits_for_it(desk: Desk) -> None:
    speeches = [done(desk, "text_to_speech", text=words)["audioUrl"] for words in ("One word after another, slowly spoken.", "Second.")]
    made = done(
        desk, "edit_video", videoUrl=[clip(desk, "a", (160, 90)), clip(desk, "b", (160, 90), colour="blue")], speechUrl=speeches, transition="cut",
        subtitleText=["", ""],
    )  # fmt: skip
    spoken = ffmpeg.probe(file(desk, speeches[0])).seconds
    path = file(desk, made["videoUrl"])
    assert frame(path, spoken + 0.5)[45, 80][0] > 150  # still the first scene, whose clip was over long ago
    assert frame(path, spoken + 1.2)[45, 80][2] > 150
    assert loudness(path, spoken + 0.2, spoken + 0.7) < 30 < loudness(path, spoken + 0.8, spoken + 1.2)


def test_volume_zero_mutes(desk: Desk) -> None:
    tune = done(desk, "text_to_music", prompt="calm", duration=2)["audioUrl"]
    loud, quiet = (done(desk, "edit_video", videoUrl=clip(desk, f"c{v}", (160, 90)), musicUrl=tune, musicVolume=v)["videoUrl"] for v in (1, 0))
    assert loudness(file(desk, loud), 0, 0.9) > 100 and loudness(file(desk, quiet), 0, 0.9) < 2


def test_volumes_are_not_divided_by_the_number_of_voices(desk: Desk) -> None:
    talking = clip(desk, "talk", (160, 90), 1.0, sound=True)
    tune = done(desk, "text_to_music", prompt="calm", duration=2)["audioUrl"]
    alone = loudness(file(desk, talking), 0.2, 0.8)
    with_music = loudness(file(desk, done(desk, "edit_video", videoUrl=talking, musicUrl=tune, musicVolume=0.05)["videoUrl"]), 0.2, 0.8)
    assert with_music > alone * 0.8


@pytest.mark.parametrize("words", ["It's 10:30, 50% [done]", "a \\ b {\\b1} c", "<b>x</b>", "two\nlines\n\nand a third", "%{pts} ; ' \" ,"])
def test_any_words_can_be_subtitles(desk: Desk, words: str) -> None:
    plain = clip(desk, "a", (320, 180), colour="black")
    made = done(desk, "edit_video", videoUrl=plain, subtitleText=words, subtitleSize=60)
    assert frame(file(desk, made["videoUrl"]), 0.5)[90:].max() > 180  # something white is written there


def test_a_file_that_is_no_film_is_a_clear_error(desk: Desk) -> None:
    still = desk.assets.add_bytes(b"\x00\x00\x00\x18ftypmp42" + b"nothing" * 50, medium="video").address
    with pytest.raises(NodeFailed):
        done(desk, "edit_video", videoUrl=still)
    with pytest.raises(NodeFailed, match="expected a file of kind video"):
        done(desk, "edit_video", videoUrl=done(desk, "text_to_image", prompt="x", size="64x64")["imageUrl"])


def test_a_private_address_is_not_fetched(desk: Desk) -> None:
    for url in ("http://127.0.0.1:9/a.png", "http://[::1]/a.png", "http://[::ffff:10.0.0.1]/a.png", "http://169.254.169.254/latest", "file:///etc/passwd"):
        with pytest.raises(NodeFailed):
            done(desk, "image_to_image", imageUrl=url)


def test_every_type_can_be_done_on_this_machine() -> None:
    assert all(any(provider.is_local for provider in found.providers) for found in NODE_TYPES.values())
