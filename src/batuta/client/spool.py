"""
Results the server has not taken yet, on disk: one file each, so that a worker's death loses none.

Here: where they lie and how they are written and read. Not here: when (reports.py). A file is complete or absent; it is
readable by its owner only, since outputs may hold what others shall not see.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from batuta.client.models import TaskResult

log = logging.getLogger("batuta.client.worker")

FILES_MAX = 10_000


def default_directory() -> Path:
    """``batuta/spool`` in the user's state directory (XDG_STATE_HOME, else ~/.local/state)."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "batuta" / "spool"


class Spool:
    """
    The kept results for the server at *url*, in a folder of its own below *directory*: never told to another server.

    Several processes may share it: each writes its own files, and a report sent by two of them changes nothing the second
    time.
    """

    def __init__(self, directory: Path, url: str) -> None:
        host = re.sub(r"[^A-Za-z0-9.]+", "-", urlsplit(url).netloc)
        self.folder = directory / f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"

    def put(self, result: TaskResult) -> bool:
        """Whether *result* is on disk now, synced; a failure is logged with its reason."""
        path = self._path(result)
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if sum(1 for _ in self.folder.iterdir()) >= FILES_MAX:
                raise OSError(f"there are {FILES_MAX} results already")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(result))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            log.error("result of task %s cannot be kept in %s: %s", result.task_id, self.folder, error)
            _remove_quietly(draft)
            return False
        return True

    def remove(self, result: TaskResult) -> None:
        """Forget *result*: the server has it, or will never take it."""
        try:
            self._path(result).unlink(missing_ok=True)
        except OSError as error:
            log.error("kept result %s cannot be removed: %s", self._path(result), error)

    def results(self) -> Iterator[TaskResult]:
        """The kept results, oldest first; a file that cannot be read is set aside as ``.bad`` and logged."""
        try:
            paths = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        except OSError as error:
            log.error("kept results in %s cannot be listed: %s", self.folder, error)
            return
        for path in paths[:FILES_MAX]:
            try:
                yield msgspec.json.decode(path.read_bytes(), type=TaskResult)
            except FileNotFoundError:
                continue  # another process has sent it meanwhile
            except (OSError, msgspec.DecodeError) as error:
                log.error("kept result %s cannot be read and is set aside: %s", path, error)
                _set_aside(path)

    def _path(self, result: TaskResult) -> Path:
        return self.folder / (re.sub(r"[^A-Za-z0-9._-]", "_", result.task_id)[:200] + ".json")


def _remove_quietly(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # what kept the file from being written keeps it from being removed; that is logged already


def _set_aside(path: Path) -> None:
    try:
        path.rename(path.with_suffix(".bad"))
    except OSError as error:
        log.error("kept result %s cannot be renamed: %s", path, error)
