"""
Who listens on a port of this machine: asked of the kernel, and of whoever answers there.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_LISTEN = "0A"


def listener(port: int) -> str:
    """The program that listens on the TCP port, like `python3 (pid 4711)`; empty when it cannot be told (another user's, or not Linux)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return ""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if any(_inode(fd) in inodes for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""


def server_version(port: int) -> str:
    """The version that a Conductor server on the port gives; empty when none answers there."""
    from batuta.client import ClientError, SyncClient

    try:
        with SyncClient(f"http://127.0.0.1:{port}/api", timeout_s=1.0) as client:
            return client.version().strip()[:40]
    except ClientError:
        return ""


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                    found.add(columns[9])
    return found


def _inode(fd: Path) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(fd).removeprefix("socket:[").removesuffix("]")
    return ""
