"""
The tree of commands, and the way out.

Where to look next: the module named in `COMMANDS`. Nothing is imported here but click: what a command needs, it imports when it is run.
"""

from __future__ import annotations

import os
import sys

import click

from batuta.cli import terminal
from batuta.cli.lazy import Entry, LazyGroup

RUN, STEER, CARE = "Run", "Look and steer", "Care"

COMMANDS = {
    "server": Entry("batuta.cli.server:server", "Run a server, in the foreground.", RUN),
    "worker": Entry("batuta.cli.worker:worker", "Run the workers of Python modules until told to stop.", RUN),
    "demo": Entry("batuta.cli.demo:demo", "Watch the firmware pipeline run here, hardware included.", RUN),
    "flows": Entry("batuta.cli.flows:flows", "Run the Flow Builder: AI media pipelines, drawn and run.", RUN),
    "workflow": Entry("batuta.cli.workflow:workflow", "Start, look at and steer executions.", STEER),
    "task": Entry("batuta.cli.task:task", "Look at a task, or complete one by hand.", STEER),
    "queue": Entry("batuta.cli.queue:queue", "See which tasks wait, and who takes them.", STEER),
    "definitions": Entry("batuta.cli.definitions:definitions", "Apply, export and list definitions.", STEER),
    "secrets": Entry("batuta.cli.secrets:secrets", "Set, list and delete the secrets of definitions.", STEER),
    "backup": Entry("batuta.cli.backup:backup", "Copy the store into a file, while the server runs.", CARE),
    "restore": Entry("batuta.cli.backup:restore", "Put a backup in the place of the store.", CARE),
    "doctor": Entry("batuta.cli.doctor:doctor", "Check this machine, the store and the server.", CARE),
    "bench": Entry("batuta.cli.bench:bench", "Measure latency and throughput of a server.", CARE),
    "completion": Entry("batuta.cli.completion:completion", "Print the completion script of a shell.", CARE),
}


@click.command(cls=LazyGroup, entries=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="batuta", message="batuta %(version)s")
@click.pass_context
def batuta(ctx: click.Context) -> None:
    """
    A durable workflow orchestrator in one process that speaks Conductor's REST API.

    \b
    batuta server                        a server on http://localhost:8080/api
    batuta definitions apply order.json  what to run
    batuta worker shop.workers           who does the tasks
    batuta workflow start order --wait   one execution, watched to its end
    """
    ctx.color = terminal.colour_wanted(os.environ)


def main() -> None:
    """The program `batuta`."""
    try:
        batuta.main(prog_name="batuta")
    except BrokenPipeError:
        # Whoever read along has enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
