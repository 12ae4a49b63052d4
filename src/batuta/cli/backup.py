"""
`batuta backup` and `batuta restore`: a copy of the store, and the way back.

Here: what people say and read. Not here: how a copy is made (store/sqlite/copies.py).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from batuta.cli import terminal, words
from batuta.cli.connection import json_option
from batuta.cli.failure import Command, Exit, Failure

_CLEAR: Final = "\r\x1b[K"

store_option = click.option("--store", help="The store, as for `batuta server`.  [BATUTA_STORE]")
data_option = click.option("--data", help="The data directory, as for `batuta server`.  [BATUTA_DATA]")


@click.command(cls=Command)
@click.argument("destination", type=click.Path(path_type=Path))
@store_option
@data_option
@json_option
def backup(destination: Path, store: str | None, data: str | None, as_json: bool) -> None:
    """
    Copy the store into a file, while the server runs.

    DESTINATION is a new file, or a directory, in which it gets a name with the time. The copy is of one instant, compact, and read through once more
    before it gets its name; nothing is ever overwritten. It does not hold the key of secrets: keep secrets.key elsewhere.
    """
    from batuta.store.sqlite import copies

    began = time.perf_counter()
    source = _store(store, data)
    if destination.is_dir():
        destination = destination / f"{source.stem}-{time.strftime('%Y%m%dT%H%M%S')}.db"
    with _progress("copying", as_json) as told:
        made = copies.backup(source, destination, told)
    took_ms = (time.perf_counter() - began) * 1000
    if as_json:
        terminal.print_json({"path": str(made.path), "bytes": made.bytes, "executions": made.executions, "tookMs": round(took_ms)})
    else:
        click.echo(f"{made.path}  {words.size(made.bytes)}, {words.count(made.executions, 'execution')}, checked, in {words.duration(took_ms)}")


@click.command(cls=Command)
@click.argument("backup_file", type=click.Path(path_type=Path))
@store_option
@data_option
@json_option
def restore(backup_file: Path, store: str | None, data: str | None, as_json: bool) -> None:
    """
    Put a backup in the place of the store.

    The server must be stopped. The backup is read through first; the store it replaces is kept beside it under another name. Executions are then as they
    were when the backup was made: tasks done since are handed out again.
    """
    from batuta.store.sqlite import copies

    began = time.perf_counter()
    target = _store(store, data)
    with _progress("copying", as_json) as told:
        made, kept = copies.restore(backup_file, target, told)
    took_ms = (time.perf_counter() - began) * 1000
    if as_json:
        before = {"kept": str(kept)} if kept else {}
        terminal.print_json({"path": str(made.path), "bytes": made.bytes, "executions": made.executions, "tookMs": round(took_ms), **before})
        return
    click.echo(f"{made.path}  {words.size(made.bytes)}, {words.count(made.executions, 'execution')}, checked, in {words.duration(took_ms)}")
    if kept:
        click.echo(f"What was there before: {kept}")


def _store(store: str | None, data: str | None) -> Path:
    """The file of the store that these options and the environment mean."""
    from batuta.cli.checks import store_path
    from batuta.settings import read_settings

    settings = read_settings({"store": store, "data": data})
    path = store_path(settings)
    if path is None:
        raise Failure(f"the store {settings.store_url!r} is no file; expected sqlite:///PATH", Exit.USAGE)
    return Path(os.path.realpath(os.path.expanduser(path)))  # as the server opens it: a store has one lock, by whatever name it is meant


@contextlib.contextmanager
def _progress(what: str, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """A line that is drawn over while the work goes on, where there is a screen for it; gone in the end."""
    shows = not as_json and sys.stderr.isatty()

    def told(done: int, total: int) -> None:
        if shows:
            sys.stderr.write(f"{_CLEAR}{what} … {words.size(done)} of {words.size(total)}")
            sys.stderr.flush()

    try:
        yield told
    finally:
        if shows:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
