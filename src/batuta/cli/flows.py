"""
`batuta flows`: the Flow Builder's backend and workers, and an engine of its own when none is named.

Here: which engine, and what a person reads. Not here: the Flow Builder, which is an application (batuta_flows) and speaks to any Conductor server.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
from pathlib import Path
from typing import Any

import click

from batuta.cli import logs, loops, ports, terminal
from batuta.cli.failure import Command, Exit, Failure

_SHARED = "Another `batuta flows` keeps {!r}. To share it, name the engine of that one: `CONDUCTOR_URL=http://localhost:8080/api batuta flows --port 5112`."
SETTINGS, MAIN, ERRORS = "batuta_flows.settings", "batuta_flows.main", "batuta_flows.errors"


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the backend; PORT in the environment, else 5111; 0: any free one.")
@click.option("--engine-port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port of the engine it starts without CONDUCTOR_URL.")
@click.option("--engine-ui-port", type=click.IntRange(0, 65535), default=8127, show_default=True, help="Port of that engine's page.")
@click.option("--data", type=click.Path(file_okay=False), help="Directory of media, flows and history; FLOWS_DATA in the environment, else var/flows.")
@click.option("--until-stdin-closes", is_flag=True, help="Also end when standard input is closed, as it is when the process that started this one is gone.")
@logs.log_options
def flows(port: int | None, engine_port: int, engine_ui_port: int, data: str | None, until_stdin_closes: bool, log_level: str, log_json: bool) -> None:
    """
    Run the Flow Builder: AI media pipelines, drawn and run.

    Backend and node workers in the foreground, on http://localhost:5111. With CONDUCTOR_URL (http://host:8080/api) it uses that server, any
    Conductor; without, it starts an engine beside it. Keys of providers (OPENAI_API_KEY, FAL_KEY) are read from the environment; without any,
    every node that can runs on this machine.
    """
    logs.set_up(log_level, log_json)
    if log_level == "info":  # that it polls for each type is told by the application, in one line
        logging.getLogger("batuta.client.worker").setLevel("WARNING")
    settings_module, main, errors = _modules()
    main.share_heaps()
    given = {"PORT": port, "FLOWS_DATA": data}
    try:
        settings = settings_module.read_settings({**os.environ, **{name: str(value) for name, value in given.items() if value is not None}})
    except errors.FlowError as error:
        raise Failure(str(error), Exit.USAGE) from None
    with contextlib.ExitStack() as stack:
        if not settings.conductor_url:
            settings = stack.enter_context(_with_engine(settings, engine_port, engine_ui_port))
        try:
            with loops.runner() as runner:
                runner.run(main.serve(settings, lambda address: _announce(address, settings), until_stdin_closes=until_stdin_closes))
        except errors.FlowError as error:
            raise ports.taken(settings.port, "batuta flows --port") if ports.is_taken(error) else Failure(str(error)) from None


def _modules() -> tuple[Any, Any, Any]:
    """
    The application's parts.

    Raises:
        Failure: it, or something it needs, is not installed.
    """
    try:
        return importlib.import_module(SETTINGS), importlib.import_module(MAIN), importlib.import_module(ERRORS)
    except ModuleNotFoundError as error:
        raise Failure(f"the Flow Builder needs {error.name!r}, which is not installed", advice="pip install 'batuta[flows]'") from None


@contextlib.contextmanager
def _with_engine(settings: Any, port: int, ui_port: int) -> Any:
    """The settings with the address of an engine that runs while the block does, its state beside the media."""
    import msgspec

    from batuta.cli.demo import local_server
    from batuta.errors import Unavailable

    canvas = settings.public_url or (f"http://localhost:{settings.port}" if settings.port else "")
    links, use = f"Flow Builder={canvas}" if canvas else "", f"use it (`CONDUCTOR_URL=http://localhost:{port}/api batuta flows`)"
    with contextlib.ExitStack() as stack:
        try:
            url, page = stack.enter_context(local_server(Path(settings.data) / "engine", port, ui_port, "batuta flows --engine-", use=use, links=links))
        except Unavailable as error:
            if "in use by another server" not in str(error):
                raise
            raise Failure(str(error), Exit.CONFLICT, advice=_SHARED.format(settings.data)) from None
        terminal.note(terminal.dim(f"Engine {url}, its page {page}"))
        yield msgspec.structs.replace(settings, conductor_url=url)


def _announce(address: str, settings: Any) -> None:
    shown = address.replace("127.0.0.1", "localhost").replace("0.0.0.0", "localhost")
    providers = ", ".join(("this machine", *sorted(settings.configured)))
    for name, value in (("Open", click.style(shown, fg="cyan")), ("Engine", settings.conductor_url), ("Media", settings.data), ("Providers", providers)):
        click.echo(f"  {terminal.dim(name.ljust(10))}  {value}")
    click.echo(terminal.dim("\n  Ctrl-C stops it."))
