"""
Signs of life: whether a process of this machine, known by a name, still lives.

A file for each process, locked for as long as it lives. The kernel lets go of the lock however the process ends, so nothing has to be renewed and nobody has
to wait for a time-out to know.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


class Alive:
    """This process's sign in *directory*; `name` is what others ask after."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        for path in directory.iterdir():
            self.knows(path.name)  # tidies up after the dead
        self.name, self._file = self._sign()

    def _sign(self) -> tuple[str, int]:
        while True:  # ends as soon as nobody tidied up between the two calls
            name = f"{os.getpid()}-{secrets.token_hex(6)}"
            path = self._directory / name
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists():
                return name, file
            os.close(file)

    def knows(self, name: str) -> bool:
        """Whether the process of this name lives."""
        if not name:
            return False
        path = self._directory / name
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)

    def close(self) -> None:
        """The process counts as dead from here on."""
        (self._directory / self.name).unlink(missing_ok=True)
        os.close(self._file)
