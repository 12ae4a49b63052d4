"""Films, sounds and pictures as they come from telephones, browsers and editors: every node that works on media takes them, or says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from localkit import Desk, clip, done, file, frame
from PIL import Image

from batuta_flows import ffmpeg
from batuta_flows.errors import NodeFailed

Json = Any


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def _source(shape: str, seconds: float = 0.6, rate: str = "25") -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={shape}:d={seconds}:r={rate}"]


TONE = ["-f", "lavfi", "-i", "sine=frequency=300:duration=0.6"]
SIX = ["-f", "lavfi", "-i", "anoisesrc=d=0.6:a=0.1,aformat=channel_layouts=mono,pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0"]
LOW = ["-f", "lavfi", "-i", "sine=frequency=300:duration=0.6:sample_rate=8000"]
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]

#   what it is               how it is made                                                                                the file
FILMS: list[tuple[str, list[str], str]] = [
    ("odd sides",            [*_source("320x180"), "-vf", "crop=321-4:179-4", "-c:v", "libx264", "-pix_fmt", "yuv444p"],     "a.mp4"),
    ("no sound",             [*_source("160x90"), *X264],                                                                   "a.mp4"),
    ("5.1 sound",            [*_source("160x90"), *SIX, *X264, "-c:a", "aac", "-ac", "6"],                                   "a.mp4"),
    ("8 kHz sound",          [*_source("160x90"), *LOW, *X264, "-c:a", "aac"],                                              "a.mp4"),
    ("upright",              [*_source("90x160"), *TONE, *X264, "-c:a", "aac"],                                             "a.mp4"),
    ("transparent",          [*_source("160x90"), "-vf", "format=argb,colorchannelmixer=aa=0.5", "-c:v", "qtrle"],           "a.mov"),
    ("wide pixels",          [*_source("120x90"), "-vf", "setsar=4/3", *X264],                                              "a.mp4"),
    ("tiny",                 [*_source("16x16"), *X264],                                                                    "a.mp4"),
    ("one frame",            [*_source("160x90", 0.04), *X264],                                                             "a.mp4"),
    ("60 a second",          [*_source("160x90", rate="60"), *X264],                                                        "a.mp4"),
    ("29.97 a second",       [*_source("160x90", rate="30000/1001"), *TONE, *X264, "-c:a", "aac"],                          "a.mp4"),
    ("a changing rate",      [*_source("160x90"), "-vf", "select='not(mod(n,3))+lt(n,5)'", "-fps_mode", "vfr", *X264],       "a.mp4"),
    ("a browser's WebM",     [*_source("160x90"), *TONE, "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus", "-live", "1"], "a.webm"),
    ("ten bits",             [*_source("160x90"), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"],     "a.mp4"),
    ("an old AVI",           [*_source("160x90"), *LOW, "-c:v", "mjpeg", "-c:a", "pcm_s16le"],                              "a.avi"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "made", "name"), FILMS)
def test_every_node_that_works_on_films_takes_it(desk: Desk, what: str, made: list[str], name: str) -> None:
    path = desk.directory / name
    ffmpeg.run([*made, path])
    odd = desk.assets.add_file(path, medium="video").address
    shown, plain = ffmpeg.probe(path), clip(desk, "plain", (160, 90), 0.5, sound=True)
    tune = done(desk, "text_to_music", prompt="calm", duration=1)["audioUrl"]
    edited = done(desk, "edit_video", videoUrl=odd, subtitleText="Words", musicUrl=tune, speechUrl=tune)
    results = {
        "edit": edited["videoUrl"],
        "last": done(desk, "clip_merger", clips=[plain, odd], transition="slide", transitionDuration=0.2)["videoUrl"],
        "first": done(desk, "clip_merger", clips=[odd, plain], transition="cut")["videoUrl"],
        "noise": done(desk, "video_sound_effects", prompt="rain", duration=0.5, videoUrl=odd)["videoUrl"],
        "large": done(desk, "enhancer", mediaType="Video", sourceUrl=odd, upscaleFactor="2x", denoiseStrength=0.3)["videoUrl"],
    }
    for which, address in results.items():
        after = ffmpeg.probe(file(desk, address))
        assert after.width % 2 == after.height % 2 == 0 and after.seconds > 0, which
        assert frame(file(desk, address), 0).std() > 5 or which == "last", which
    after = ffmpeg.probe(file(desk, results["first"]))
    assert abs(after.width / after.height - shown.width / shown.height) < 0.06  # neither squeezed nor turned
    assert ffmpeg.probe(file(desk, results["noise"])).has_sound


#   what it is               how it is made                                                         what is said
UNUSABLE: list[tuple[str, Callable[[Path], None], str]] = [
    ("no frame at all",      lambda path: ffmpeg.run([*_source("160x90"), "-frames:v", "0", *X264, "-movflags", "+empty_moov", path]), ""),
    ("a sound in an MP4",    lambda path: ffmpeg.run([*TONE, "-c:a", "aac", "-brand", "isom", path]), "no picture"),
    ("cut off",              lambda path: (ffmpeg.run([*_source("160x90"), *X264, path]), path.write_bytes(path.read_bytes()[:2000]))[0], ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "told"), UNUSABLE)
@pytest.mark.parametrize("type_name", ["edit_video", "clip_merger", "enhancer", "lip_sync"])
def test_what_is_no_film_is_said_so(desk: Desk, what: str, make: Callable[[Path], None], told: str, type_name: str) -> None:
    path = desk.directory / "a.mp4"
    make(path)
    address = desk.assets.add_file(path, medium="video").address
    given: Json = {
        "edit_video": {"videoUrl": address}, "clip_merger": {"clips": [address]}, "enhancer": {"mediaType": "Video", "sourceUrl": address},
        "lip_sync": {"videoUrl": address, "audioUrl": done(desk, "text_to_speech", text="Hello")["audioUrl"]},
    }[type_name]  # fmt: skip
    with pytest.raises(NodeFailed) as failure:
        done(desk, type_name, **given)
    assert failure.value.code == "bad_input" and not failure.value.may_retry and told in failure.value.message


def _picture(mode: str, size: tuple[int, int], **save: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 4), np.uint8)
        Image.fromarray(noise, "RGBA").convert(mode).save(path, **save)

    return make


def _deep(path: Path) -> None:
    Image.fromarray(np.random.default_rng(1).integers(0, 65_535, (48, 64), np.uint16)).save(path)


def _turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side, and says so
    Image.new("RGB", (60, 40), "red").save(path, exif=exif)


#   what it is               how it is made                              the file
PICTURES: list[tuple[str, Callable[[Path], None], str]] = [
    ("transparent",          _picture("RGBA", (64, 48)),                 "a.png"),
    ("a palette",            _picture("P", (64, 48)),                    "a.gif"),
    ("grey",                 _picture("L", (63, 49)),                    "a.png"),
    ("sixteen bits",         _deep,                                     "a.png"),
    ("CMYK",                 _picture("CMYK", (64, 48)),                 "a.jpg"),
    ("one bit",              _picture("1", (64, 48)),                    "a.png"),
    ("narrow",               _picture("RGB", (9, 300)),                  "a.png"),
    ("WebP",                 _picture("RGBA", (33, 77)),                 "a.webp"),
    ("turned",               _turned,                                    "a.jpg"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "name"), PICTURES)
def test_every_node_that_works_on_pictures_takes_it(desk: Desk, what: str, make: Callable[[Path], None], name: str) -> None:
    path = desk.directory / name
    make(path)
    odd = desk.assets.add_file(path, medium="image").address
    results = [
        done(desk, "image_to_image", imageUrl=odd, prompt=look) for look in ("pencil sketch", "oil painting", "black and white", "warm", "vivid")
    ] + [
        done(desk, "enhancer", sourceUrl=odd, denoiseStrength=0.2), done(desk, "image_object_removal", imageUrl=odd, maskUrl=odd),
        done(desk, "image_remove_background", imageUrl=odd), done(desk, "image_remove_background", imageUrl=odd, outputFormat="JPG"),
        done(desk, "face_swap", targetImageUrl=odd, sourceImageUrl=odd),
    ]  # fmt: skip
    for result in results:
        with Image.open(file(desk, result["imageUrl"])) as image:
            image.load()
            assert what != "turned" or image.height > image.width
    assert ffmpeg.probe(file(desk, done(desk, "image_to_video", imageUrl=odd, duration=1)["videoUrl"])).seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("make", [_picture("RGB", (1, 1)), lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 99)])
def test_what_is_no_picture_is_said_so(desk: Desk, make: Callable[[Path], None]) -> None:
    path = desk.directory / "a.png"
    make(path)
    odd = desk.assets.add_file(path, medium="image").address
    for type_name, name in (("image_to_image", "imageUrl"), ("enhancer", "sourceUrl"), ("image_to_video", "imageUrl"), ("image_remove_background", "imageUrl")):
        with pytest.raises(NodeFailed) as failure:
            done(desk, type_name, **{name: odd})
        assert failure.value.code == "bad_input"


def test_subtitles_need_no_font_of_the_machine(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fonts.conf").write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    made = done(desk, "edit_video", videoUrl=clip(desk, "a", (320, 180), colour="black"), subtitleText="Žluť, Ωμέγα, Привет", subtitleSize=60)
    assert frame(file(desk, made["videoUrl"]), 0.5)[90:].max() > 180


def test_a_result_that_is_too_large_is_an_error_and_no_half_film(tmp_path: Path) -> None:
    with pytest.raises(NodeFailed) as failure:
        ffmpeg.run([*_source("640x360", 4), *X264, "-b:v", "4M", tmp_path / "a.mp4"], bytes_max=60_000)
    assert failure.value.code == "too_large"


def test_a_film_cannot_make_ffmpeg_read_another_file(tmp_path: Path) -> None:
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n")
    with pytest.raises(NodeFailed):
        ffmpeg.probe(tmp_path / "list.mp4")
