"""
ffmpeg: how it is run, and what it says of a file.

Arguments are lists, never a shell's text. Every run has a time limit, a size limit and a bound on its threads; it reads files of this machine alone, never
an address that stands in one; and its whole process group ends when it is cut off.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from batuta_flows.errors import NodeFailed

RUN_S_MAX: Final = 900.0
PROBE_S_MAX: Final = 60.0
OUTPUT_BYTES_MAX: Final = 2 << 30
THREADS: Final = str(min(4, os.cpu_count() or 1))
MP4: Final = (
    "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p",
    "-c:a", "aac", "-b:a", "160k", "-ar", "44100", "-ac", "2", "-movflags", "+faststart",
)  # fmt: skip
_LOCAL: Final = ("-protocol_whitelist", "file,pipe")
_FIX: Final = "pip install 'batuta[flows]'; IMAGEIO_FFMPEG_EXE may name another"
Told = Callable[[float], None]


class Probe(msgspec.Struct, frozen=True):
    """What a media file is, as it is shown: turned upright, with square pixels. A file without a picture has no width and no height."""

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
        raise NodeFailed("not_available", "ffmpeg is not installed", fix=_FIX) from None


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """A program that is not there after all, or may not be run, is a node's error."""
    try:
        yield
    except OSError as error:
        raise NodeFailed("not_available", f"ffmpeg cannot be run: {error}", fix=_FIX) from error


@cache
def version() -> str:
    """ffmpeg's version, for /health. Raises NodeFailed when there is none."""
    with _starting():
        found = subprocess.run([program(), "-version"], capture_output=True, text=True, check=False, timeout=20).stdout
    return found.split()[2] if found.startswith("ffmpeg version") else "unknown"


def run(
    arguments: Sequence[str | Path],
    *,
    seconds: float = 0,
    bytes_max: int = OUTPUT_BYTES_MAX,
    told: Told = lambda share: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """
    Run ffmpeg; the last argument is the file it writes. *seconds*: how long the result will be, so that *told* is given the share that is done.

    Raises:
        NodeFailed: it failed, took too long, wrote too much, or nobody wants the result any more.
        OSError: the disk is full.
    """
    *given, target = map(str, arguments)
    command = [program(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-progress", "pipe:1", *_guarded(given)]
    command += ["-threads", THREADS, "-fs", str(bytes_max), target]
    with _starting():
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
        if os.strerror(errno.ENOSPC) in said:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise NodeFailed("timed_out" if code < 0 else "bad_input", f"ffmpeg ended with {code}: {said or 'no reason given'}", may_retry=code < 0)
    if Path(target).is_file() and Path(target).stat().st_size > bytes_max * 0.95:  # it stops at the limit, and calls that a success
        raise NodeFailed("too_large", f"the result has more than {bytes_max} bytes", fix="Make it shorter or smaller, or raise FLOWS_ASSET_BYTES_MAX")


def _guarded(arguments: Sequence[str]) -> list[str]:
    """The same, with files alone behind every `-i`: a medium that names addresses inside itself reaches nothing."""
    found: list[str] = []
    for i, argument in enumerate(arguments):
        if argument == "-i" and "lavfi" not in arguments[max(0, i - 2) : i]:
            found += _LOCAL
        found.append(argument)
    return found


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def output(arguments: Sequence[str | Path], *, seconds_max: float = PROBE_S_MAX) -> bytes:
    """
    What ffmpeg writes to its standard output, for what is small: a picture, samples, tags.

    Raises:
        NodeFailed: it failed or took too long.
    """
    command = [program(), "-hide_banner", "-nostdin", "-loglevel", "error", *_guarded([str(one) for one in arguments]), "-threads", THREADS, "pipe:1"]
    try:
        with _starting():
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds_max)
    except subprocess.TimeoutExpired:
        raise NodeFailed("timed_out", f"ffmpeg took more than {seconds_max:g} s") from None
    if done.returncode:
        raise NodeFailed("bad_input", f"ffmpeg ended with {done.returncode}: {' '.join(done.stderr.decode(errors='replace').split())[:400]}")
    return done.stdout


def probe(path: Path) -> Probe:
    """
    What is in a media file.

    Raises:
        NodeFailed: ffmpeg cannot read it.
    """
    said = _said(["-i", str(path)])
    pictures = [line for line in said.splitlines() if re.search(r"Stream #.*Video:", line) and "(attached pic)" not in line]
    shape = re.search(r"[ ,]([1-9]\d{0,4})x([1-9]\d{0,4})(?: \[SAR (\d+):(\d+))?", pictures[0]) if pictures else None
    sound = re.search(r"Stream #.*Audio:", said) is not None
    if shape is None and not sound:
        raise NodeFailed("bad_input", f"{path.name} is no film and no sound that ffmpeg can read")
    width, height = (int(shape[1]), int(shape[2])) if shape else (0, 0)
    if shape and shape[3] and int(shape[4]) and int(shape[3]):
        width = max(1, round(width * int(shape[3]) / int(shape[4])))
    if re.search(r"rotation of -?(90|270)", said):
        width, height = height, width  # a telephone held upright writes a film that lies on its side, and says so
    return Probe(_seconds(path, said), width, height, sound)


def _seconds(path: Path, said: str) -> float:
    """How long a file is; one that does not say, as browsers record them, is read through."""
    length = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", said)
    if length is None:
        told = re.findall(r"time=(\d+):(\d+):(\d+(?:\.\d+)?)", _said(["-i", str(path), "-c", "copy", "-f", "null", "-"]))
        if not told:
            return 0.0
        return sum(float(part) * unit for part, unit in zip(told[-1], (3600, 60, 1), strict=True))
    return int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3])


def _said(arguments: list[str]) -> str:
    command = [program(), "-hide_banner", "-nostdin", *_guarded(arguments)]
    try:
        with _starting():
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, timeout=PROBE_S_MAX)
        return done.stderr
    except subprocess.TimeoutExpired:
        raise NodeFailed("timed_out", f"ffmpeg could not read the file in {PROBE_S_MAX:g} s") from None
