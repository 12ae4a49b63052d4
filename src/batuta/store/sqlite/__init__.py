"""
The store in one SQLite file. `SqliteStore` is what open_store hands out; store.py shows how it is put together.
"""

from batuta.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
