"""
`batuta worker`: a process of workers.

Here: options, and what is said before it begins. Not here: polling, draining and exit codes (batuta.client.process).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from batuta.cli import logs, terminal
from batuta.cli.connection import url_option
from batuta.cli.failure import Command, Exit, Failure
from batuta.cli.terminal import Column

if TYPE_CHECKING:
    from batuta.client.decorator import AnyWorker


def _limits(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """The limits by type of task; under "" the one of all others."""
    found = {}
    for value in values:
        name, _, digits = value.rpartition("=")
        if not digits.isdecimal() or int(digits) < 1:
            raise click.BadParameter(f"found {value!r}, expected a number of at least 1 like '8', or a task type with one like 'flash=1'")
        found[name] = int(digits)
    return found


@click.command(cls=Command)
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[:ATTR]...")
@click.option(
    "--concurrency",
    "limits",
    multiple=True,
    callback=_limits,
    metavar="[TYPE=]N",
    help="Tasks at once, of each worker or of one type; instead of what the code says.",
)
@click.option("--domain", help="Poll this domain's queues; instead of what the code says.")
@click.option("--drain", "drain_s", type=click.FloatRange(0), default=25.0, show_default=True, metavar="SECONDS", help="For running tasks, when told to stop.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Serve Prometheus metrics on this port of the loopback address.")
@click.option("--worker-id", help="Its name in the server's records; host, process and a random part unless given.")
@url_option
@logs.log_options
def worker(
    modules: tuple[str, ...],
    limits: dict[str, int],
    domain: str | None,
    drain_s: float,
    metrics_port: int | None,
    worker_id: str | None,
    url: str,
    log_level: str,
    log_json: bool,
) -> None:
    """
    Run the workers of Python modules until told to stop.

    MODULE gives all its functions decorated with @worker(...), MODULE:ATTR a worker, a list of them, or a function that makes one. The current
    directory is searched first. The first Ctrl-C or SIGTERM lets running tasks end, the second leaves at once. Exit 1: a task was cut off or a
    result could not be delivered.

    \b
    batuta worker shop.workers
    batuta worker batuta_firmware.workers --concurrency flash=1 --domain bench-2
    """
    logs.set_up(log_level, log_json)
    from batuta.cli import ports
    from batuta.client import Client, run_workers

    workers = _adapted(_found(modules), limits, domain)
    if not log_json:
        _introduce(workers, url)
    try:
        code = run_workers(workers, Client(url), drain_s=drain_s, metrics_port=metrics_port, worker_id=worker_id)
    except OSError as error:
        if metrics_port is None or not ports.is_taken(error):
            raise
        raise ports.taken(metrics_port, f"batuta worker {' '.join(modules)} --metrics-port") from None
    sys.exit(code)


def _found(modules: Sequence[str]) -> list[AnyWorker]:
    from batuta.client import find_workers

    try:
        return find_workers(*modules)
    except LookupError as error:
        raise Failure(str(error.args[0]), Exit.USAGE) from None


def _adapted(workers: list[AnyWorker], limits: Mapping[str, int], domain: str | None) -> list[AnyWorker]:
    """The workers with what the command line wants otherwise."""
    if unknown := sorted(set(limits) - {worker.name for worker in workers} - {""}):
        known = ", ".join(sorted({worker.name for worker in workers}))
        raise Failure(f"--concurrency names {', '.join(map(repr, unknown))}; the workers found are for: {known}", Exit.USAGE)
    adapted = []
    for worker in workers:
        limit = limits.get(worker.name, limits.get("", worker.concurrency))
        adapted.append(worker.replace(concurrency=limit, domain=domain if domain is not None else worker.domain))
    return adapted


def _introduce(workers: list[AnyWorker], url: str) -> None:
    click.echo(f"{terminal.bold('batuta worker')}  {terminal.dim('of')} {click.style(url, fg='cyan')}\n")
    rows = [[worker.name, worker.domain or "", str(worker.concurrency), "thread" if worker.runs_in_thread else "event loop"] for worker in workers]
    terminal.print_table([Column("task type"), Column("domain"), Column("at once", True), Column("runs in")], rows)
    click.echo("")
    sys.stdout.flush()
