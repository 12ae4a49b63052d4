"""
Room 2: durable state. `open_store(url)` is the only door; what lies behind it keeps the promises of protocol.Store.

Here: which backend a URL means. Not here: what a store promises (protocol.py), how executions become rows (rows.py).
"""

from __future__ import annotations

from batuta.errors import Invalid
from batuta.store.protocol import Store

URLS = "sqlite:///PATH or memory://"


def open_store(url: str) -> Store:
    """
    The store that the URL names, not opened yet.

    `sqlite:///data/batuta.db` is a file relative to the working directory, `sqlite:////var/lib/batuta.db` an absolute one;
    `memory://` keeps everything in this process and nothing after it.

    Raises:
        Invalid: the URL names no store.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "memory":
        if rest:
            raise Invalid(f"store URL {url!r} names {rest!r} in memory; a memory store has no name: memory://")
        from batuta.store.memory import MemoryStore

        return MemoryStore()
    if separator and scheme == "sqlite":
        if not rest.startswith("/") or not rest[1:] or "?" in rest:
            raise Invalid(f"store URL {url!r} names no file; expected sqlite:///PATH (a fourth slash begins an absolute path), without options")
        from batuta.store.sqlite import SqliteStore

        return SqliteStore(rest[1:])
    raise Invalid(f"store URL {url!r} is of no kind this server knows; expected {URLS}")
