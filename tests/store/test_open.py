"""
open_store: which URL means which store, and which means none.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batuta.errors import Invalid
from batuta.store import open_store
from batuta.store.memory import MemoryStore
from batuta.store.sqlite import SqliteStore


def test_a_relative_an_absolute_and_a_home_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    urls = ["sqlite:///data/b.db", "sqlite:////var/lib/b.db", "sqlite:///~/b.db"]
    paths = [store.path for store in map(open_store, urls) if isinstance(store, SqliteStore)]
    assert [str(path) for path in paths] == [os.path.realpath(tmp_path / "data/b.db"), "/var/lib/b.db", "/home/someone/b.db"]
    assert not (tmp_path / "data").exists()


def test_memory() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis://host", "expected sqlite:///PATH or memory://"),
        ("postgres://host/db", "'postgres://host/db'"),
        ("", "''"),
        ("data/b.db", "'data/b.db'"),
        ("sqlite:data/b.db", "'sqlite:data/b.db'"),
        ("sqlite://data/b.db", "expected sqlite:///PATH"),
        ("sqlite:///", "names no file"),
        ("sqlite:///b.db?mode=ro", "without options"),
        ("memory://name", "'name'"),
    ],
)
def test_anything_else_is_refused(url: str, named: str) -> None:
    with pytest.raises(Invalid) as raised:
        open_store(url)
    assert named in str(raised.value)
