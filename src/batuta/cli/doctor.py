"""
`batuta doctor`: is everything as it should be, and if not, what to do.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import click

from batuta.cli import terminal
from batuta.cli.connection import URL_VARIABLES, api_url, json_option
from batuta.cli.failure import Command, Exit

LOOKS = {"ok": ("✓", "+", "green"), "warn": ("!", "!", "yellow"), "fail": ("✗", "x", "red"), "note": ("·", "-", None)}
WIDTH = 12


@click.command(cls=Command)
@click.option("--store", help="The store to look at, as for `batuta server`.  [BATUTA_STORE]")
@click.option("--data", help="The data directory, as for `batuta server`.  [BATUTA_DATA]")
@click.option("--url", envvar=URL_VARIABLES, callback=api_url, metavar="URL", help="The server to ask; the one on this machine unless given.  [BATUTA_URL]")
@click.option("--full", is_flag=True, help="Check a large store's integrity too.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, store: str | None, data: str | None, url: str | None, full: bool, as_json: bool) -> None:
    """
    Check this machine, the store and the server.

    Nothing is changed. Exit 1 when a check fails; a warning alone is no failure.
    """
    found = []
    heading = ""
    for section, one in _findings(store, data, url, full):
        found.append({"section": section, **one._asdict()})
        if as_json:
            continue
        if section != heading:
            click.echo(f"{'' if not heading else chr(10)}{terminal.bold(section)}")
            heading = section
        _print(one)
    failed, warned = (sum(one["level"] == level for one in found) for level in ("fail", "warn"))
    if as_json:
        terminal.print_json({"healthy": not failed, "findings": found})
    else:
        is_alone = any(one["check"] == "Server" and one["level"] == "note" for one in found)
        click.echo(f"\n{_verdict(failed, warned)}{' No server is running, so none was looked at.' if is_alone else ''}")
    ctx.exit(Exit.FAILED if failed else Exit.OK)


def _findings(store: str | None, data: str | None, url: str | None, full: bool) -> Iterator[tuple[str, Any]]:
    from batuta.cli import checks, checks_server
    from batuta.cli.connection import connect
    from batuta.settings import read_settings

    settings = read_settings({"store": store, "data": data})

    def under(section: str, findings: Iterable[checks.Finding]) -> Iterator[tuple[str, checks.Finding]]:
        return ((section, one) for one in findings)

    yield from under("This machine", (check() for check in (checks.python, checks.sqlite)))
    yield from under("This machine", (check(settings) for check in (checks.clock, checks.sandbox)))
    yield from under("Store", checks.store(settings, in_full=full))
    yield from under("Store", [checks.kept(settings), checks.secrets(settings)])
    with connect(url or f"http://127.0.0.1:{settings.port or 8080}/api", timeout_s=5.0) as client:
        yield from under("Server", checks_server.server(client, time.time() * 1000))
    yield from under("Server", [checks.guard(settings), *checks.webhook(settings)])
    yield from under("Server", checks.broker(settings))
    yield from under("Tools, all optional", checks.tools())


def _print(one: Any) -> None:
    shape, plain, colour = LOOKS[one.level]
    mark = click.style(shape if terminal.speaks_unicode() else plain, fg=colour, dim=colour is None or None)
    click.echo(f"  {mark} {one.check.ljust(WIDTH)} {one.found}")
    if one.advice:
        click.echo(f"    {' ' * WIDTH} {terminal.dim(one.advice)}")


def _verdict(failed: int, warned: int) -> str:
    if failed:
        return click.style(f"{failed} failed" + (f", {warned} to look at" if warned else ""), fg="red", bold=True)
    if warned:
        return click.style(f"Works, {warned} to look at.", fg="yellow")
    return click.style("All is well.", fg="green")
