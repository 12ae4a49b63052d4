"""
Who listens on a port of this machine, asked of the kernel and of whoever answers there; and what to do when it is not us.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from batuta.cli.failure import Exit, Failure

_LISTEN = "0A"


def is_taken(error: Exception) -> bool:
    """Whether the error says that somebody else listens on a port."""
    cause = error if isinstance(error, OSError) else error.__context__
    return isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE


def taken(port: int, option: str, *, use: str = "use that server") -> Failure:
    """That somebody else listens on the port, who it seems to be, and what to do; *option* chooses another port, *use* is for when a server answers there."""
    who, version = listener(port), server_version(port)
    what = f"a Conductor API (version {version}) answers there already" if version else "another program listens there"
    advice = f"{use}, stop it" if version else "stop it"
    another = port + 1 if port < 65_535 else 8080
    return Failure(
        f"port {port} is taken: {what}{f', {who}' if who else ''}",
        Exit.CONFLICT,
        advice=f"{advice[0].upper()}{advice[1:]}, or choose another port: `{option} {another}` (0: any free one).",
    )


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
