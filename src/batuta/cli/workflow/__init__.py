"""
`batuta workflow`: start, look at and steer executions.

start.py begins one, look.py shows them (outline.py knows their shape, view.py their looks), watch.py follows one, steer.py holds the verbs.
"""

from __future__ import annotations

import click

from batuta.cli.lazy import Entry, LazyGroup

LOOK, STEER = "Look", "Steer"

COMMANDS = {
    "start": Entry("batuta.cli.workflow.start:start", "Start an execution and print its id.", LOOK),
    "get": Entry("batuta.cli.workflow.look:get", "Show an execution with its tasks.", LOOK),
    "watch": Entry("batuta.cli.workflow.watch:watch", "Follow an execution to its end; exit 0 only when it completed.", LOOK),
    "list": Entry("batuta.cli.workflow.look:list_", "List executions, newest first.", LOOK),
    "logs": Entry("batuta.cli.workflow.look:logs", "Print what a worker logged about a task.", LOOK),
    "pause": Entry("batuta.cli.workflow.steer:pause", "Schedule nothing more until resumed; tasks under way go on.", STEER),
    "resume": Entry("batuta.cli.workflow.steer:resume", "Go on with paused executions.", STEER),
    "terminate": Entry("batuta.cli.workflow.steer:terminate", "End executions as TERMINATED; tasks under way are canceled.", STEER),
    "restart": Entry("batuta.cli.workflow.steer:restart", "Begin ended executions anew, under their ids and with their inputs.", STEER),
    "retry": Entry("batuta.cli.workflow.steer:retry", "Try again what failed, and go on from there.", STEER),
    "rerun": Entry("batuta.cli.workflow.steer:rerun", "Run an ended execution again from one of its tasks.", STEER),
    "skip": Entry("batuta.cli.workflow.steer:skip", "Pass over a task that has not been reached.", STEER),
    "remove": Entry("batuta.cli.workflow.steer:remove", "Delete executions, with all that is known of them.", STEER),
}


@click.command(cls=LazyGroup, entries=COMMANDS)
def workflow() -> None:
    """Start, look at and steer executions."""
