"""
Official clients: made ready once in .clients/ at the root of the repository, then set on a real server to tell their stories.

A client's program prints one JSON line per story: `story`, its name; `wrong`, what did not hold, or null; `missing`, what the story needs and this
client or server does not have, or null. What cannot be made ready (no toolchain, no registry) is skipped under the client's name with the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".clients"
READY_S = 240  # the first time, when a toolchain downloads all it needs; below the time a test may take
PLAY_S = 150
FOREIGN = ("CONDUCTOR_", "BATUTA_", "PYTHONPATH", "VIRTUAL_ENV")  # settings of this process that must not reach a client


@dataclass(frozen=True)
class Outcome:
    """How one story ended; both None: it held."""

    wrong: str | None
    missing: str | None


def stories_in(path: Path, pattern: str) -> list[str]:
    """The names of the stories that a program's text declares, so that each is a test of its own before the program has run."""
    names = re.findall(pattern, path.read_text(), re.MULTILINE)
    assert names, f"{path} declares no story like {pattern!r}"
    return names


def ready(
    client: str, folder: str, commands: Sequence[Sequence[str]], *, copied: Path | None = None, key: str = "", extra: Mapping[str, str] | None = None
) -> Path:
    """
    The folder of the cache in which the client stands ready, made by these commands when it is not.

    With *copied*, the files of that folder are laid into it first, and it is made anew when they change. Skips the test, saying why, when a command fails.
    """
    place = CACHE / folder
    sources = sorted(p for p in copied.rglob("*") if p.is_file() and "__pycache__" not in p.parts) if copied else []
    stamp = "\n".join([key, *(f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.relative_to(copied or p)}" for p in sources)])
    mark = place / "ready"
    if mark.exists() and mark.read_text() == stamp:
        return place
    place.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = place / source.relative_to(copied or source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for command in commands:
        if shutil.which(command[0]) is None and not (place / command[0]).exists():
            pytest.skip(f"{client} is NOT TESTED: there is no {command[0]} on this machine")
        said = " ".join(command)
        try:
            made = subprocess.run(command, cwd=place, env=environment(extra), capture_output=True, text=True, timeout=READY_S, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{client} is NOT TESTED: `{said}` took longer than {READY_S} s")
        if made.returncode != 0:
            pytest.skip(f"{client} is NOT TESTED: `{said}` failed: {(made.stderr or made.stdout).strip()[-300:]}")
    mark.write_text(stamp)
    return place


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would set up a client or an interpreter otherwise."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)} | dict(extra or {})


def play(command: Sequence[str], cwd: Path, extra: Mapping[str, str] | None = None) -> dict[str, Outcome]:
    """Run the client's program to its end; each story it told."""
    played = subprocess.run(command, cwd=cwd, env=environment(extra), capture_output=True, text=True, timeout=PLAY_S, check=False)
    told: dict[str, Outcome] = {}
    for line in played.stdout.splitlines():
        if line.startswith('{"story"'):
            said = json.loads(line)
            told[said["story"]] = Outcome(said["wrong"], said["missing"])
    assert told and played.returncode == 0, f"{command} ended with {played.returncode} after {sorted(told)}:\n{played.stdout[-1500:]}\n{played.stderr[-3000:]}"
    return told


def check(told: Mapping[str, Outcome], story: str) -> None:
    """This story held; a story that needs what is not there is skipped, saying what."""
    assert story in told, f"{story} was not told, but {sorted(told)}"
    if told[story].missing is not None:
        pytest.skip(f"{story}: {told[story].missing}")
    assert told[story].wrong is None, told[story].wrong


def no_fault_in(log: Path) -> None:
    """The server went through it without a fault of its own."""
    text = log.read_text()
    assert "Traceback" not in text and "fault " not in text, text[-3000:]
