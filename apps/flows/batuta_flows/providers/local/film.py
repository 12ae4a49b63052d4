"""
ffmpeg: clips out of pictures, cuts, looks, sound under pictures, subtitles, and clips joined into a film.

Arguments are lists, never a shell's text; words come in files, never in filters. Every run has a time limit, a directory of its own, and ends its whole
process group when it is cut off.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from batuta_flows.errors import NodeFailed

RUN_S_MAX: Final = 900.0
FPS: Final = 25
HEIGHTS: Final = {"480p": 480, "720p": 720, "1080p": 1080, "4K": 2160}
MP4: Final = (
    "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p",
    "-c:a", "aac", "-b:a", "160k", "-ar", "44100", "-ac", "2", "-movflags", "+faststart",
)  # fmt: skip
_TRANSITIONS: Final = {"cross-fade": "fade", "slide": "slideleft", "zoom": "zoomin"}
Told = Callable[[float], None]


class Probe(msgspec.Struct, frozen=True):
    """What a media file is. A file without a picture has no width and no height."""

    seconds: float
    width: int
    height: int
    has_sound: bool


@cache
def program() -> str:
    """The path of ffmpeg. Raises NodeFailed when there is none."""
    try:
        import imageio_ffmpeg  # type: ignore[import-untyped]

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise NodeFailed("not_available", "ffmpeg is not installed", fix="pip install 'batuta[flows]'") from None


@cache
def version() -> str:
    """ffmpeg's version, for /health."""
    found = subprocess.run([program(), "-version"], capture_output=True, text=True, check=False, timeout=20).stdout
    return found.split()[2] if found.startswith("ffmpeg version") else "unknown"


def run(arguments: Sequence[str | Path], *, seconds: float = 0, told: Told = lambda share: None, is_cancelled: Callable[[], bool] = lambda: False) -> None:
    """
    Run ffmpeg. *seconds*: how long the result will be, so that *told* is given the share that is done.

    Raises:
        NodeFailed: it failed, took too long, or nobody wants the result any more.
    """
    command = [program(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-progress", "pipe:1", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    late = threading.Timer(RUN_S_MAX, _kill, [process])
    late.start()
    words: list[str] = []
    reader = threading.Thread(target=lambda: words.extend(process.stderr or []), daemon=True)
    reader.start()
    was_cancelled = False
    try:
        for line in process.stdout or ():
            if line.startswith("out_time_us=") and seconds and line[12:].strip().isdigit():
                told(min(1.0, int(line[12:]) / 1e6 / seconds))
            if is_cancelled():
                was_cancelled = True
                _kill(process)
        code = process.wait()
    finally:
        late.cancel()
        _kill(process)
        reader.join(5)
    if was_cancelled:
        raise NodeFailed("cancelled", "nobody wants this any more")
    if code:
        said = " ".join("".join(words).split())[:400]  # the cause comes first, then what became of it
        raise NodeFailed("timed_out" if code < 0 else "bad_input", f"ffmpeg ended with {code}: {said or 'no reason given'}", may_retry=code < 0)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def probe(path: Path) -> Probe:
    """
    What is in a media file.

    Raises:
        NodeFailed: ffmpeg cannot read it.
    """
    said = subprocess.run([program(), "-hide_banner", "-nostdin", "-i", str(path)], capture_output=True, text=True, check=False, timeout=60).stderr
    picture = re.search(r"Stream #.*Video:.*?[ ,](\d{2,5})x(\d{2,5})", said)
    sound = "Audio:" in said
    length = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", said)
    if picture is None and not sound:
        raise NodeFailed("bad_input", f"{path.name} is no film and no sound that ffmpeg can read")
    seconds = int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3]) if length else 0.0
    return Probe(seconds, int(picture[1]) if picture else 0, int(picture[2]) if picture else 0, sound)


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
    width, height = _frame(found[0], wanted.crop)
    lengths = [max(_trimmed(probed.seconds, wanted), speech + 0.8 if speech else 0.0) for probed, speech in zip(found, speeches, strict=True)]
    if min(lengths) <= 0.04:
        raise NodeFailed("bad_input", "the cut leaves nothing of a clip", fix="Start before it ends, and end after it starts")
    overlap = wanted.transition_s if wanted.transition != "cut" and len(lengths) > 1 else 0.0
    overlap = min(overlap, min(lengths) / 2.5)
    inputs: list[str | Path] = [part for clip in wanted.clips for part in ("-i", clip)]
    graph = [_scene(i, probed, lengths[i], wanted, (width, height)) for i, probed in enumerate(found)]
    begins, total = _timeline(lengths, overlap)
    graph.append(_joined(lengths, begins, overlap, wanted.transition))
    graph += _subtitled(wanted, begins, [length - overlap for length in lengths], height, directory)
    heard = _sounds(wanted, found, begins, lengths, total, inputs, graph)
    last = "[subbed]" if any(wanted.subtitles) else "[joined]"
    script = directory / "graph.txt"
    script.write_text(";\n".join(graph))
    maps = ["-map", last, *(["-map", "[heard]"] if heard else ["-an"])]
    run([*inputs, "-filter_complex_script", script, *maps, *MP4, "-t", f"{total:.3f}", target], seconds=total, **run_options)  # type: ignore[arg-type]
    return total


def _frame(probed: Probe, crop: str) -> tuple[int, int]:
    if not probed.width:
        raise NodeFailed("bad_input", "the first clip has no picture")
    width, height = probed.width, probed.height
    if ratio := _CROPS.get(crop):
        width, height = (round(height * ratio), height) if width / height > ratio else (width, round(width / ratio))
    return width // 2 * 2, height // 2 * 2


def _trimmed(seconds: float, wanted: Edit) -> float:
    return min(wanted.end or seconds, seconds) - min(wanted.start, seconds)


def _scene(i: int, probed: Probe, length: float, wanted: Edit, size: tuple[int, int]) -> str:
    """One clip, cut, cropped, of the film's size and speed, and held at its end until its speech is over."""
    width, height = size
    steps = [f"trim=start={wanted.start}" + (f":end={wanted.end}" if wanted.end else ""), "setpts=PTS-STARTPTS"]
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


def _subtitled(wanted: Edit, begins: list[float], lengths: list[float], height: int, directory: Path) -> list[str]:
    if not any(wanted.subtitles):
        return []
    file = directory / "subtitles.srt"
    entries = [
        f"{i + 1}\n{_stamp(begins[i] + 0.1)} --> {_stamp(begins[i] + lengths[i] - 0.1)}\n{_plain(text)}\n"
        for i, text in enumerate(wanted.subtitles)
        if text.strip()
    ]
    file.write_text("\n".join(entries), encoding="utf-8")
    red, green, blue = wanted.colour[1:3], wanted.colour[3:5], wanted.colour[5:7]
    place = {"top": 6, "center": 10}.get(wanted.position, 2)  # libass counts as SSA does: 2 bottom, 6 top, 10 middle
    size = max(8, round(wanted.subtitle_size * 288 / 720))  # an SRT is laid out on 288 lines
    style = f"FontSize={size},PrimaryColour=&H00{blue}{green}{red},Outline=1.2,Shadow=0,Alignment={place},MarginV=18"
    return [f"[joined]subtitles=filename='{_escaped(file)}':force_style='{style}'[subbed]"]


def _plain(text: str) -> str:
    """Words as words: no markup of the subtitle format, no empty line that would end the entry."""
    text = text.replace("\\", "∖").replace("{", "\\{").replace("}", "\\}").replace("<", "‹").replace(">", "›")  # a backslash has no escape in it
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line)


def _escaped(path: Path) -> str:
    return re.sub(r"([\\':,\[\];])", r"\\\1", str(path))


def _stamp(seconds: float) -> str:
    whole = max(0, round(seconds * 1000))
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02},{whole % 1000:03}"


def _sounds(
    wanted: Edit, found: list[Probe], begins: list[float], lengths: list[float], total: float, inputs: list[str | Path], graph: list[str]
) -> bool:
    """Add what is heard: the clips' own sound, each scene's speech where the scene begins, music below; whether there is any."""
    voices = []
    for i, probed in enumerate(found):
        if probed.has_sound:
            cut = f"atrim=start={wanted.start}" + (f":end={wanted.end}" if wanted.end else "")
            graph.append(f"[{i}:a]{cut},asetpts=PTS-STARTPTS,atrim=duration={lengths[i]:.3f},{_from(begins[i])}[c{i}]")
            voices.append(f"[c{i}]")
    for i, speech in enumerate(wanted.speeches):
        if speech is not None:
            at = sum(1 for part in inputs if part == "-i")
            inputs += ["-i", speech]
            graph.append(f"[{at}:a]aresample=44100,volume={wanted.speech_volume:.3f},{_from(begins[i])}[s{i}]")
            voices.append(f"[s{i}]")
    if wanted.music is not None:
        at = sum(1 for part in inputs if part == "-i")
        inputs += ["-stream_loop", "-1", "-i", wanted.music]
        fade = f"afade=t=out:st={max(0.0, total - 1.5):.3f}:d=1.5"
        graph.append(f"[{at}:a]aresample=44100,atrim=duration={total:.3f},asetpts=PTS-STARTPTS,volume={wanted.music_volume:.3f},{fade}[music]")
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
