"""
`batuta server`: one server in the foreground, from its banner to its last durable commit.

Here: settings from options, the event loop, signals, what the operator reads. Not here: the server (batuta.app).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import fields, logs, loops, terminal, words
from batuta.cli.connection import json_option
from batuta.cli.failure import Command

if TYPE_CHECKING:
    from batuta.app import Server


@click.command(cls=Command)
@fields.options
@logs.log_options
@json_option
def server(log_level: str, log_json: bool, as_json: bool, **given: Any) -> None:
    """
    Run a server, in the foreground.

    State is kept in one SQLite file; Ctrl-C or SIGTERM stops it in order, and the next start goes on where it stopped. Every option may also be
    given as the environment variable named beside it.

    With --json: one line with its addresses as soon as it answers.
    """
    began = time.perf_counter()
    logs.set_up(log_level, log_json)
    from batuta.app import Server
    from batuta.settings import read_settings

    made = Server(read_settings(given))
    logs.mask_with(made.secrets.mask_all)
    with loops.runner() as runner:
        runner.run(_serve(made, began, as_json=as_json, quiet=log_json))


async def _serve(server: Server, began: float, *, as_json: bool, quiet: bool) -> None:
    stop = asyncio.Event()
    seen: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _on_signal, number, stop, seen, quiet or as_json)
    await _started(server)
    try:
        await _announce(server, _console(server), time.perf_counter() - began, as_json=as_json, quiet=quiet)
        await stop.wait()
    finally:
        await server.stop()
    if not (quiet or as_json):
        terminal.note(terminal.dim("Stopped." if server.settings.store_url.startswith("memory:") else "Stopped; everything is on disk."))


def _on_signal(number: int, stop: asyncio.Event, seen: list[int], quiet: bool) -> None:
    seen.append(number)
    if len(seen) > 1:
        os._exit(128 + number)  # what was answered is durable; nothing else is worth waiting for
    if not quiet:
        terminal.note(terminal.dim("Stopping: requests under way may end. Again: at once."))
    stop.set()


async def _started(server: Server) -> None:
    """
    The server answers.

    Raises:
        Failure: its port is taken; says by whom and what to do.
    """
    from batuta.cli import ports
    from batuta.errors import Unavailable

    try:
        await server.start()
    except Unavailable as error:
        if ports.is_taken(error):
            raise await asyncio.to_thread(ports.taken, server.settings.port, "batuta server --port") from None
        raise


def _console(server: Server) -> str:
    """What to say of the console: its URL, or why it has no port."""
    settings = server.settings
    if settings.ui_port == 0:
        return "off (--ui-port 0)"
    if not server.ui_port:
        why = "is taken" if "another program" in server.ui_refused else f"cannot be used ({server.ui_refused})"
        return f"off: port {settings.ui_port} {why}; --ui-port chooses another"
    return _url(settings.host, server.ui_port)


def _url(host: str, port: int) -> str:
    """The address to put into a browser on this machine."""
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


async def _announce(server: Server, ui: str, took_s: float, *, as_json: bool, quiet: bool) -> None:
    settings, api = server.settings, _url(server.settings.host, server.port)
    if as_json:
        is_page = ui.startswith("http")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
        exact = f"http://{f'[{host}]' if ':' in host else host}:{server.port}/api"
        ready = {"url": exact, "port": server.port, "ui": ui if is_page else None, "store": settings.store_url, "pid": os.getpid()}
        terminal.print_json_line({**ready, "ready_s": round(took_s, 3)})
        return
    if quiet:
        import logging

        logging.getLogger("batuta").info("ready: %s/api, console %s, store %s, %.2f s", api, ui, settings.store_url, took_s)
        return
    stored = await server.engine.statistics()
    for line in banner(server, api, ui, stored, took_s):
        click.echo(line)


def banner(server: Server, api: str, ui: str, stored: dict[str, int], took_s: float) -> list[str]:
    """What an operator reads when the server is ready: where it is, what it keeps, what is on and off."""
    from importlib.metadata import version

    from batuta.api.site import is_built

    settings = server.settings
    in_memory = settings.store_url.startswith("memory:")
    kept = f"{words.count(stored.get('executions', 0), 'execution')}, {stored.get('executions.RUNNING', 0):,} running"
    size = "" if in_memory else f", {words.size(stored.get('bytes', 0))}"
    facts = [
        ("API", click.style(f"{api}/api", fg="cyan"), ""),
        ("API docs", click.style(f"{api}/swagger-ui/index.html", fg="cyan"), ""),
        ("Console", click.style(ui, fg="cyan") if ui.startswith("http") else terminal.dim(ui), "" if is_built() else "not built: `make ui`, with Node 20.19+"),
        ("Store", settings.store_url, "gone when the server stops" if in_memory else f"{kept}{size}"),
        ("Retention", f"{settings.retention_days:g} days" if settings.retention_days else "off", "" if settings.retention_days else "nothing is deleted"),
        ("HTTP tasks", *_http(settings)),
    ]
    head = f"{terminal.bold('batuta')} {version('batuta')}  {terminal.dim(f'ready in {took_s:.2f} s')}"
    lines = ["", f"  {head}", ""]
    lines += [f"  {terminal.dim(name.ljust(10))}  {value}{terminal.dim('  ' + note) if note else ''}" for name, value, note in facts]
    if settings.host not in ("127.0.0.1", "localhost", "::1"):
        warning = f"No authentication: whoever reaches {settings.host}:{server.port} may do everything."
        lines += ["", f"  {click.style(warning, fg='yellow')}"]
    return [*lines, "", terminal.dim("  Ctrl-C stops it."), ""]


def _http(settings: Any) -> tuple[str, str]:
    if settings.guards_private:
        allowed = f", except {settings.http_private_allow}" if settings.http_private_allow else ""
        return f"public addresses only{allowed}", "--http-private-allow opens more"
    return "any address", "private ones too" + (", since only this machine can reach the server" if settings.http_private == "auto" else "")
