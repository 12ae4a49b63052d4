"""
Disk: files that are there as a whole or not at all, whatever instant the machine stops at.

What comes in is written beside its place under a name of its own, made durable, and put in its place in one step; a reader sees the former file or the new
one. What a crash leaves behind ends in `.part` and is swept away at the next start. Blocking: call it on a thread.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Final

PART: Final = ".part"


def begin(place: Path) -> BinaryIO:
    """A new file beside *place*, whose directory is made when it is not there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.NamedTemporaryFile(dir=place.parent, prefix=f"{place.name}.", suffix=PART, delete=False)  # type: ignore[return-value]


def finish(file: BinaryIO, place: Path) -> None:
    """What was written is durable and stands in its place."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
    os.replace(file.name, place)
    sync_directory(place.parent)


def give_up(file: BinaryIO) -> None:
    """Nothing is left of what was written. Safe after `finish`."""
    with contextlib.suppress(OSError):
        file.close()
    Path(file.name).unlink(missing_ok=True)


def write(place: Path, content: bytes) -> None:
    """The whole file at once."""
    file = begin(place)
    try:
        file.write(content)
        finish(file, place)
    finally:
        give_up(file)


def sync_directory(directory: Path) -> None:
    """Make durable which names the directory holds."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
