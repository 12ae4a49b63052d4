"""
`batuta demo`: a server and the whole firmware pipeline on it, devices in software included.

Here: the server around it. Not here: the demo itself, which is the firmware application's (batuta_firmware.demo) and speaks to the server as any
application does.
"""

from __future__ import annotations

import contextlib
import importlib
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from batuta.cli import logs, loops, terminal
from batuta.cli.failure import Command, Failure

DEMO = "batuta_firmware.demo"


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the server; any free one unless given.")
@click.option("--ui-port", type=click.IntRange(0, 65535), default=0, help="Port of the console; any free one unless given.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep everything in this directory; in a temporary one unless given.")
@click.option("--plain", is_flag=True, help="Print lines one after another, and leave at the end.")
@logs.log_options
@click.pass_context
def demo(ctx: click.Context, port: int, ui_port: int, data: Path | None, plain: bool, log_level: str, log_json: bool) -> None:
    """
    Watch the firmware pipeline run here, hardware included.

    A server is started, a device is simulated, firmware is built from source, deployed over the air, found healthy or rolled back. At the end
    everything stays up to be looked at, until Ctrl-C; through a pipe, or with --plain, it leaves at once. Exit 0: all went as it should.
    """
    quiet = "warning" if ctx.get_parameter_source("log_level") is not click.core.ParameterSource.COMMANDLINE else log_level
    logs.set_up(quiet, log_json)
    play = _play()
    plain = plain or not terminal.can_redraw()
    with contextlib.ExitStack() as stack:
        directory = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batuta-demo-", ignore_cleanup_errors=True)))
        url, page = stack.enter_context(local_server(directory, port, ui_port, "batuta demo --"))
        _introduce(url, page, directory if data else None)
        signal.signal(signal.SIGTERM, _interrupt)  # the same way out as Ctrl-C: nothing is left behind
        code = play(url, data_dir=directory, plain=plain, stay=not plain)
    ctx.exit(code)


def _play() -> Callable[..., int]:
    """
    The demo's `run(url, *, data_dir, plain, stay) -> exit code`; with *stay* it waits for Ctrl-C at its end.

    Raises:
        Failure: the firmware application, or something it needs, is not installed.
    """
    try:
        run: Callable[..., int] = importlib.import_module(DEMO).run
    except ModuleNotFoundError as error:
        missing = error.name or DEMO
        raise Failure(f"the demo needs {missing!r}, which is not installed", advice="pip install 'batuta[firmware]'") from None
    return run


@contextlib.contextmanager
def local_server(directory: Path, port: int, ui_port: int, options: str, *, use: str = "use that server", links: str = "") -> Iterator[tuple[str, str]]:
    """
    A server in a thread, its state in *directory*: its API root and its console, which leads to *links* too.

    Raises:
        Failure: a port is taken; *options* is how those begin that choose another, *use* what to do with a server that is there already.
    """
    from batuta.app import Server
    from batuta.cli import ports
    from batuta.errors import Unavailable
    from batuta.settings import read_settings
    from batuta.testing.loop import LoopThread

    settings = read_settings({"data": str(directory), "port": port, "ui_port": ui_port or _free_port(), "console_links": links or None})
    server = Server(settings)
    with LoopThread("batuta-server", loops.new_loop) as thread:
        try:
            thread.call(server.start())
        except Unavailable as error:
            if ports.is_taken(error):
                raise ports.taken(port, f"{options}port", use=use) from None
            raise
        try:
            if not server.ui_port:
                raise ports.taken(settings.ui_port, f"{options}ui-port")
            yield f"http://{settings.host}:{server.port}/api", f"http://{settings.host}:{server.ui_port}"
        finally:
            thread.call(server.stop())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _introduce(url: str, page: str, kept: Path | None) -> None:
    """Tell where to look meanwhile."""
    lines = [("Console", page), ("API", url), *([("Data", str(kept))] if kept else [])]
    click.echo("\n".join(["", *(f"  {terminal.dim(name.ljust(7))} {click.style(value, fg='cyan')}" for name, value in lines), ""]))
    sys.stdout.flush()


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
