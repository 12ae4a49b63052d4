"""
Source code: which repositories may be built, whether a commit is what it claims to be, and its files in a folder of their own.

Here: git. Not here: compiling what was checked out (build.py), where it may be put (workspace.py).
Each repository is mirrored under the storage, so that a build never touches the clone somebody works in, and a commit that is known stays
known. Nothing of a task's input reaches git unchecked: commits and branches are matched first, and repositories come from the settings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from batuta_firmware.errors import Lasting, Passing
from batuta_firmware.locks import locked
from batuta_firmware.settings import Settings

GIT_TIMEOUT_S = 120.0
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,199}[A-Za-z0-9_-])?")


@dataclass(frozen=True, slots=True)
class Source:
    """A repository that may be built: where it comes from, and the folder in it that holds the PlatformIO project, if that is known."""

    name: str
    origin: str
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    full_sha: str
    committed_at: int


class Repositories:
    """The repositories of the settings, by name."""

    def __init__(self, settings: Settings) -> None:
        self._mirrors = settings.storage / "repositories"
        self._sources = _sources(settings)

    def source(self, repo: str) -> Source:
        """
        The repository called *repo*; `owner/name` and `name.git` mean `name`.

        Raises:
            Lasting: it is not one that may be built.
        """
        name = repo.rsplit("/", 1)[-1].removesuffix(".git")
        source = self._sources.get(repo) or self._sources.get(name)
        if source is None:
            known = ", ".join(sorted(self._sources)) or "none"
            raise Lasting(
                "repository_unknown",
                f"repository {repo!r} may not be built; known: {known}",
                fix="Set PLATFORMIO_PROJECT_PATH to a project in its clone, or name it in K1_REPOSITORIES",
            )
        return source

    def validate(self, repo: str, commit_sha: str, branch: str | None) -> Commit:
        """
        The commit that *commit_sha* names, after it was found on *branch*, or on any branch when none is given.

        Raises:
            Lasting: malformed, unknown, ambiguous, or not on the branch.
            Passing: the repository could not be brought up to date.
        """
        _matched(commit_sha, branch)
        mirror = self._mirror(self.source(repo))
        found = _git(mirror, "rev-parse", "--verify", "--quiet", f"{commit_sha}^{{commit}}", may_fail=True).strip()
        if not found:
            raise Lasting("commit_unknown", f"there is no single commit {commit_sha!r} in repository {repo!r}", fix="Push it first")
        if branch is None:
            on_branch = bool(_git(mirror, "for-each-ref", "--count=1", f"--contains={found}", "refs/heads").strip())
        else:
            if not _git(mirror, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", may_fail=True):
                raise Lasting("branch_unknown", f"there is no branch {branch!r} in repository {repo!r}")
            base = _git(mirror, "merge-base", found, f"refs/heads/{branch}", may_fail=True).strip()
            on_branch = base == found
        if not on_branch:
            raise Lasting("commit_not_on_branch", f"commit {found[:12]} is not on branch {branch or '(any)'!r} of repository {repo!r}")
        return Commit(found, int(_git(mirror, "show", "--no-patch", "--format=%ct", found)))

    def check_out(self, repo: str, commit: Commit, into: Path) -> Path:
        """Put the files of *commit* into the new folder *into*, and return the folder in it that holds platformio.ini."""
        source = self.source(repo)
        mirror = self._mirrors / f"{source.name}.git"
        with locked(self._mirrors / f".{source.name}.lock"):
            shutil.rmtree(into, ignore_errors=True)
            _git(mirror, "worktree", "prune")
            _git(mirror, "worktree", "add", "--quiet", "--force", "--detach", str(into), commit.full_sha)
        for candidate in [source.project] if source.project is not None else ["", "firmware"]:
            if (into / candidate / "platformio.ini").is_file():
                return into / candidate
        raise Lasting("project_missing", f"commit {commit.full_sha[:12]} of {repo!r} has no platformio.ini in {source.project or 'its root'!r}")

    def _mirror(self, source: Source) -> Path:
        """The mirror of *source*, made when it is missing and brought up to date otherwise."""
        mirror = self._mirrors / f"{source.name}.git"
        with locked(self._mirrors / f".{source.name}.lock"):
            if (mirror / "HEAD").is_file():
                _git(mirror, "fetch", "--quiet", "--prune", "--force", source.origin, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
                return mirror
            aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self._mirrors))
            try:
                _git(self._mirrors, "clone", "--quiet", "--mirror", source.origin, str(aside / "mirror"))
                os.replace(aside / "mirror", mirror)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return mirror


def _matched(commit_sha: str, branch: str | None) -> None:
    if not _COMMIT.fullmatch(commit_sha):
        raise Lasting("bad_commit", f"commit_sha is {commit_sha!r}; expected 7 to 64 lower-case hexadecimal digits")
    if branch is not None and (not _BRANCH.fullmatch(branch) or ".." in branch or "//" in branch):
        raise Lasting("bad_branch", f"branch is {branch!r}; expected a branch name such as 'main'")


def _sources(settings: Settings) -> dict[str, Source]:
    sources = {}
    if settings.project is not None:
        top = Path(_git(settings.project, "rev-parse", "--show-toplevel", may_fail=True).strip())
        if not top.is_absolute():
            raise Lasting("not_a_repository", f"PLATFORMIO_PROJECT_PATH {settings.project} is not inside a git clone", fix="Clone it with git")
        inside = settings.project.resolve().relative_to(top.resolve()).as_posix()
        sources[top.name] = Source(top.name, str(top), "" if inside == "." else inside)
    for name, origin in settings.repositories.items():
        origin, _, project = origin.partition("#")
        sources[name] = Source(re.sub(r"[^A-Za-z0-9._-]", "-", name), origin, project or None)
    return sources


def _git(folder: Path, *arguments: str, may_fail: bool = False) -> str:
    """What git prints; an empty string when it fails and *may_fail*."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        if error.filename == "git":
            raise Lasting("tools_missing", "git is not installed", fix="Install git") from None
        raise Lasting("repository_unreadable", f"folder {folder} is missing") from None
    except subprocess.TimeoutExpired:
        raise Passing("git_timeout", f"git {arguments[0]} did not end within {GIT_TIMEOUT_S:g} s") from None
    if done.returncode == 0:
        return done.stdout
    if may_fail:
        return ""
    raise Passing("git_failed", f"git {arguments[0]} failed: {done.stderr.strip()[-300:] or done.returncode}")
