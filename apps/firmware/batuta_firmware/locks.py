"""
A lock between processes on one machine: a file held with flock, freed by the kernel when its holder dies.

Here: taking and releasing. Not here: leases that outlive a process (leases.py).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Somebody else holds the lock."""


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """
    Hold the lock file *path*, creating it when needed. The holder may remove the file; who waited for it then takes the next one.

    Raises:
        Busy: *wait* is false and another holder has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = _held(path, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        os.close(fd)


def _held(path: Path, how: int) -> int:
    while True:  # again only when a holder removed the file between our opening and our locking it
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, how)
            if path.exists() and os.fstat(fd).st_ino == os.stat(path).st_ino:
                return fd
        except BlockingIOError:
            os.close(fd)
            raise Busy(str(path)) from None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
