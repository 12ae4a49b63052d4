"""
Films: clips out of pictures, cuts, looks, sound under pictures, subtitles, and clips joined into one.

Words come in files, never in filters. Not here: how ffmpeg is run, and for how long it may (ffmpeg.py).
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

import msgspec

from batuta_flows.errors import NodeFailed
from batuta_flows.ffmpeg import MP4, Probe, probe, run
from batuta_flows.providers.local import poster

FPS: Final = 25
SIDE_MIN: Final = 16
SIDE_MAX: Final = 3840
_SOUND: Final = "aresample=44100,aformat=sample_fmts=fltp:channel_layouts=stereo"  # whatever it was: mono, 5.1, 8 kHz
HEIGHTS: Final = {"480p": 480, "720p": 720, "1080p": 1080, "4K": 2160}
_TRANSITIONS: Final = {"cross-fade": "fade", "slide": "slideleft", "zoom": "zoomin"}


# -- clips ------------------------------------------------------------------------------------------------------------------------


def pan(picture: Path, target: Path, seconds: float, size: tuple[int, int], seed: int, **run_options: object) -> None:
    """A clip of a slow camera move over a picture."""
    frames, (width, height) = max(2, round(seconds * FPS)), size
    share = f"on/{frames - 1}"
    moves = (
        (f"1+0.14*{share}", "iw/2-iw/zoom/2", "ih/2-ih/zoom/2"),
        (f"1.14-0.14*{share}", "iw/2-iw/zoom/2", "ih/2-ih/zoom/2"),
        ("1.14", f"(iw-iw/zoom)*{share}", "ih/2-ih/zoom/2"),
        ("1.14", f"(iw-iw/zoom)*(1-{share})", "ih/2-ih/zoom/2"),
    )
    zoom, x, y = moves[seed % len(moves)]
    big = f"{width * 2}:{height * 2}"
    shown = (
        f"scale={big}:force_original_aspect_ratio=increase,crop={big},"
        f"zoompan=z='{zoom}':x='{x}':y='{y}':d={frames}:s={width}x{height}:fps={FPS},setsar=1"
    )
    run(["-i", picture, "-vf", shown, "-frames:v", frames, *MP4, "-an", target], seconds=seconds, **run_options)  # type: ignore[arg-type,list-item]


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to the scenes of a film. Lists go in step with the clips; a missing entry is nothing."""

    clips: list[Path]
    speeches: list[Path | None]
    subtitles: list[str]
    music: Path | None = None
    start: float = 0.0
    end: float = 0.0
    crop: str = "None"
    look: str = "None"
    speech_volume: float = 1.0
    music_volume: float = 0.3
    position: str = "bottom"
    colour: str = "#ffffff"
    subtitle_size: int = 24
    transition: str = "cut"
    transition_s: float = 0.5


_LOOKS: Final = {
    "Grayscale": "hue=s=0",
    "Sepia": "colorchannelmixer=.393:.769:.189:0:.349:.686:.168:0:.272:.534:.131",
    "High Contrast": "eq=contrast=1.4:saturation=1.15",
}
_CROPS: Final = {"1:1": 1.0, "16:9": 16 / 9, "9:16": 9 / 16}


def edit(wanted: Edit, target: Path, directory: Path, **run_options: object) -> float:
    """
    The film at *target*; its length in seconds. A scene is as long as its clip, or its speech and a breath.

    Raises:
        NodeFailed: a clip cannot be read, or the cut leaves nothing.
    """
    found = [probe(clip) for clip in wanted.clips]
    speeches = [probe(speech).seconds if speech is not None else 0.0 for speech in wanted.speeches]
    for i, probed in enumerate(found):
        if not probed.width:
            raise NodeFailed("bad_input", f"clip {i + 1} of {len(found)} has no picture")
    width, height = _frame(found[0], wanted.crop)
    lengths = [max(_trimmed(probed.seconds, wanted), speech + 0.8 if speech else 0.0) for probed, speech in zip(found, speeches, strict=True)]
    if min(lengths) < 0.5 / FPS:
        raise NodeFailed("bad_input", "the cut leaves nothing of a clip", fix="Start before it ends, and end after it starts")
    overlap = wanted.transition_s if wanted.transition != "cut" and len(lengths) > 1 else 0.0
    overlap = min(overlap, min(lengths) / 2.5)
    inputs: list[str | Path] = [part for clip in wanted.clips for part in ("-i", clip)]
    graph = [_scene(i, probed, lengths[i], wanted, (width, height)) for i, probed in enumerate(found)]
    begins, total = _timeline(lengths, overlap)
    graph.append(_joined(lengths, begins, overlap, wanted.transition))
    subtitles = _subtitled(wanted, begins, [length - overlap for length in lengths], (width, height), directory)
    graph += subtitles
    heard = _sounds(wanted, found, begins, lengths, total, inputs, graph)
    last = "[subbed]" if subtitles else "[joined]"
    script = directory / "graph.txt"
    script.write_text(";\n".join(graph))
    maps = ["-map", last, *(["-map", "[heard]"] if heard else ["-an"])]
    run([*inputs, "-filter_complex_script", script, *maps, *MP4, "-t", f"{total:.3f}", target], seconds=total, **run_options)  # type: ignore[arg-type]
    return total


def _frame(probed: Probe, crop: str) -> tuple[int, int]:
    """The size of the film: the first clip's, in even numbers and within bounds."""
    width, height = probed.width, probed.height
    if ratio := _CROPS.get(crop):
        width, height = (round(height * ratio), height) if width / height > ratio else (width, round(width / ratio))
    scale = min(1.0, SIDE_MAX / max(width, height))
    return max(SIDE_MIN, round(width * scale) // 2 * 2), max(SIDE_MIN, round(height * scale) // 2 * 2)


def _trimmed(seconds: float, wanted: Edit) -> float:
    return min(wanted.end or seconds, seconds) - min(wanted.start, seconds)


def _scene(i: int, probed: Probe, length: float, wanted: Edit, size: tuple[int, int]) -> str:
    """One clip, cut, cropped, of the film's size and speed, and held at its end until its speech is over."""
    width, height = size
    steps = [f"trim=start={wanted.start}" + (f":end={wanted.end}" if wanted.end else ""), "setpts=PTS-STARTPTS", "scale='trunc(iw*sar/2)*2':ih", "setsar=1"]
    if ratio := _CROPS.get(wanted.crop):
        steps.append(f"crop='min(iw,ih*{ratio:.6f})':'min(ih,iw/{ratio:.6f})'")
    steps += [f"scale={width}:{height}:force_original_aspect_ratio=decrease", f"pad={width}:{height}:-1:-1:black", "setsar=1"]
    steps += [_LOOKS[wanted.look]] if wanted.look in _LOOKS else []
    steps += [f"fps={FPS}", "format=yuv420p", f"tpad=stop_mode=clone:stop_duration={length:.3f}", f"trim=duration={length:.3f}"]
    steps += ["setpts=PTS-STARTPTS", f"fps={FPS}", "settb=AVTB"]  # once more: setpts forgets the rate, and transitions want one
    return f"[{i}:v]{','.join(steps)}[v{i}]"


def _timeline(lengths: list[float], overlap: float) -> tuple[list[float], float]:
    begins, at = [], 0.0
    for length in lengths:
        begins.append(at)
        at += length - overlap
    return begins, at + overlap


def _joined(lengths: list[float], begins: list[float], overlap: float, transition: str) -> str:
    if len(lengths) == 1:
        return "[v0]null[joined]"
    if not overlap:
        return f"{''.join(f'[v{i}]' for i in range(len(lengths)))}concat=n={len(lengths)}:v=1:a=0[joined]"
    steps, before = [], "[v0]"
    for i in range(1, len(lengths)):
        after = "[joined]" if i == len(lengths) - 1 else f"[x{i}]"
        steps.append(f"{before}[v{i}]xfade=transition={_TRANSITIONS.get(transition, 'fade')}:duration={overlap:.3f}:offset={begins[i]:.3f}{after}")
        before = after
    return ";\n".join(steps)


_ASS: Final = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV
Style: Default,{font},{size},{colour},&H00181818,&H60000000,1,{outline},{shadow},{place},{side},{side},{margin}

[Events]
Format: Layer, Start, End, Style, MarginL, MarginR, MarginV, Text
"""


def _subtitled(wanted: Edit, begins: list[float], lengths: list[float], size: tuple[int, int], directory: Path) -> list[str]:
    if not any(text.strip() for text in wanted.subtitles):
        return []
    width, height = size
    unit = min(width, height) / 720
    tall = max(10, round(wanted.subtitle_size * unit * 1.5))
    red, green, blue = wanted.colour[1:3], wanted.colour[3:5], wanted.colour[5:7]
    head = _ASS.format(
        width=width, height=height, font=poster.FONT, size=tall, colour=f"&H00{blue}{green}{red}", outline=round(max(1.0, tall / 16), 1),
        shadow=round(tall / 24, 1), place={"top": 8, "center": 5}.get(wanted.position, 2), side=round(width * 0.06), margin=round(height * 0.06),
    )  # fmt: skip
    lines = [
        f"Dialogue: 0,{_stamp(begins[i] + 0.1)},{_stamp(begins[i] + lengths[i] - 0.1)},Default,0,0,0,{_plain(text)}"
        for i, text in enumerate(wanted.subtitles)
        if text.strip()
    ]
    file = directory / "subtitles.ass"
    file.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return [f"[joined]subtitles=filename='{_escaped(file)}':fontsdir='{_escaped(poster.fonts())}'[subbed]"]


def _plain(text: str) -> str:
    """Words as words: no markup of the subtitle format. A backslash means something before a letter, and nothing before a mark that joins it to the letter."""
    text = text.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")
    return "\\N".join(line.strip() for line in text.splitlines() if line.strip())


def _escaped(path: Path) -> str:
    return re.sub(r"([\\':,\[\];])", r"\\\1", str(path))


def _stamp(seconds: float) -> str:
    whole = max(0, round(seconds * 100))
    return f"{whole // 360_000}:{whole // 6000 % 60:02}:{whole // 100 % 60:02}.{whole % 100:02}"


def _sounds(
    wanted: Edit, found: list[Probe], begins: list[float], lengths: list[float], total: float, inputs: list[str | Path], graph: list[str]
) -> bool:
    """Add what is heard: the clips' own sound, each scene's speech where the scene begins, music below; whether there is any."""
    voices = []
    for i, probed in enumerate(found):
        if probed.has_sound:
            cut = f"atrim=start={wanted.start}" + (f":end={wanted.end}" if wanted.end else "")
            graph.append(f"[{i}:a]{cut},asetpts=PTS-STARTPTS,atrim=duration={lengths[i]:.3f},{_SOUND},{_from(begins[i])}[c{i}]")
            voices.append(f"[c{i}]")
    for i, speech in enumerate(wanted.speeches):
        if speech is not None:
            at = sum(1 for part in inputs if part == "-i")
            inputs += ["-i", speech]
            graph.append(f"[{at}:a]{_SOUND},volume={wanted.speech_volume:.3f},{_from(begins[i])}[s{i}]")
            voices.append(f"[s{i}]")
    if wanted.music is not None:
        at = sum(1 for part in inputs if part == "-i")
        inputs += ["-stream_loop", "-1", "-i", wanted.music]
        fade = f"afade=t=out:st={max(0.0, total - 1.5):.3f}:d=1.5"
        graph.append(f"[{at}:a]{_SOUND},atrim=duration={total:.3f},asetpts=PTS-STARTPTS,volume={wanted.music_volume:.3f},{fade}[music]")
    if voices:
        graph.append(f"{''.join(voices)}amix=inputs={len(voices)}:normalize=0:duration=longest,apad=whole_dur={total:.3f}[voices]")
    if voices and wanted.music is not None:
        graph.append("[voices]asplit[front][key]")
        graph.append("[music][key]sidechaincompress=threshold=0.04:ratio=5:attack=40:release=500[low]")
        graph.append("[front][low]amix=inputs=2:normalize=0:duration=longest,alimiter=limit=0.95[heard]")
    elif voices or wanted.music is not None:
        graph.append(f"{'[voices]' if voices else '[music]'}alimiter=limit=0.95[heard]")
    return bool(voices) or wanted.music is not None


def _from(begin: float) -> str:
    return f"adelay={math.floor(begin * 1000)}:all=1"
