"""
`batuta bench`: how fast a server is here, in two figures.

Here: the command, a server to measure unless one is named, the report. Not here: the load (load.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from batuta.cli import terminal
from batuta.cli.connection import api_url, json_option
from batuta.cli.failure import Command, Exit, Failure

START_S: Final = 20.0
STOP_S: Final = 15.0


@click.command(cls=Command)
@click.option("--url", callback=api_url, metavar="URL", help="The server to measure, over http; one of its own with a store on disk unless given.")
@click.option("--sequential", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Executions one after another, for the latency.")
@click.option("--concurrent", type=click.IntRange(1, 100_000), default=2000, show_default=True, help="Executions at once, for the throughput.")
@click.option("--connections", type=click.IntRange(2, 256), default=16, show_default=True, help="Connections for these.")
@click.option("--data", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Where its own server keeps its store: the disk to measure.")
@json_option
def bench(url: str | None, sequential: int, concurrent: int, connections: int, data: Path | None, as_json: bool) -> None:
    """
    Measure latency and throughput of a server.

    The load is a workflow of three tasks, started, polled and reported over HTTP; the client runs on this machine, so on a server's own machine it
    takes its share of the processors. Nothing of it is left on the server.
    """
    if url is not None and urlsplit(url).scheme != "http":
        raise Failure(f"{url} is not plain http; measure the server itself, without what stands before it", Exit.USAGE)
    with contextlib.ExitStack() as stack:
        root = url or stack.enter_context(_own_server(data))
        if not as_json:
            whose = "" if url else terminal.dim("  a server of its own")
            click.echo(f"{terminal.bold('batuta bench')}  {terminal.dim('of')} {click.style(root, fg='cyan')}{whose}\n")
            sys.stdout.flush()
        found = _measured(root, sequential, concurrent, connections, as_json)
    if as_json:
        terminal.print_json({"url": root, "cpus": os.cpu_count(), **found})


def _measured(root: str, sequential: int, concurrent: int, connections: int, as_json: bool) -> dict[str, Any]:
    from batuta.cli.load import Load, Refused

    load = Load(root)

    async def run() -> dict[str, Any]:
        try:
            await load.prepare()
            latency = await load.one_after_another(sequential)
            if not as_json:
                figures = f"{latency['p50_ms']:.1f} ms p50   {latency['p99_ms']:.1f} ms p99"
                _line("latency", figures, f"three tasks, start to end, {sequential} one after another")
            throughput = await load.at_once(concurrent, connections)
            if not as_json:
                how = f"{concurrent} of three tasks, {connections} connections, {throughput['seconds']:.1f} s"
                _line("throughput", f"{throughput['per_s']:,.0f} executions/s", how)
            return {"latency": latency, "throughput": throughput}
        finally:
            await load.clear()

    try:
        return asyncio.run(run())
    except (OSError, EOFError) as error:
        raise Failure(f"no server answers at {root}: {error or 'time is over'}", Exit.UNREACHABLE) from None
    except Refused as error:
        raise Failure(str(error)) from None


def _line(name: str, figure: str, how: str) -> None:
    click.echo(f"  {name.ljust(11)} {terminal.bold(figure)}   {terminal.dim(how)}")
    sys.stdout.flush()


@contextlib.contextmanager
def _own_server(data: Path | None) -> Iterator[str]:
    """A server in a process of its own, gone with its store afterwards; its API root."""
    with tempfile.TemporaryDirectory(prefix="batuta-bench-", dir=data, ignore_cleanup_errors=True) as directory:
        command = [sys.executable, "-m", "batuta", "server", "--port", "0", "--ui-port", "0", "--json", "--log-level", "error", "--data", directory]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BATUTA_")}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True)
        try:
            yield _first_line(process)["url"]
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the server says when it is ready; a server that says nothing in time is ended."""
    assert process.stdout is not None
    watchdog = threading.Timer(START_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    if not line:
        raise Failure("the server to be measured did not start; try `batuta server` to see why")
    ready: dict[str, Any] = json.loads(line)
    return ready
