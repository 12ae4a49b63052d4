"""
The demo's repository: a real git history made from the fixture firmware and the patches beside this file.

Here: the commits and how they come about. Not here: what is expected of each (stories.py).
Authors and dates are fixed, so every run makes the same commits, and with them the same bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from batuta_firmware.errors import Lasting

FIXTURE = Path(__file__).parent.parent / "fixture"
PATCHES = Path(__file__).parent / "commits"
NAME = "K1.node1"
_WHO = {"NAME": "K1 Demo", "EMAIL": "demo@k1.invalid", "DATE": "2025-11-08T09:00:00+00:00"}


@dataclass(frozen=True, slots=True)
class DemoCommits:
    """The repository's folder and the commits of the three stories, each on main and on top of the one before."""

    folder: Path
    good: str
    warning: str
    boots_wrongly: str

    @property
    def project(self) -> Path:
        return self.folder / "firmware"


def make(parent: Path) -> DemoCommits:
    """
    A new repository called K1.node1 in *parent*; one that is there is replaced.

    Raises:
        Lasting: git is missing or refuses.
    """
    folder = parent / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(FIXTURE, folder / "firmware")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "The firmware as it was")
    commits = []
    for name in ("1-good", "2-warning", "3-boots-wrongly"):
        _git(folder, "am", "--quiet", "--committer-date-is-author-date", str(PATCHES / f"{name}.patch"))
        commits.append(_git(folder, "rev-parse", "HEAD").strip())
    return DemoCommits(folder, *commits)


def subject(commits: DemoCommits, commit: str) -> str:
    """The first line of what *commit* says of itself."""
    return _git(commits.folder, "show", "--no-patch", "--format=%s", commit).strip()


def _git(folder: Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise Lasting("tools_missing", "git is not installed", fix="Install git") from None
    if done.returncode:
        raise Lasting("git_failed", f"git {arguments[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
