"""
`batuta task`: one task, looked at or ended by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command, Exit, Failure
from batuta.cli.inputs import json_object_option
from batuta.cli.lazy import Entry, LazyGroup

if TYPE_CHECKING:
    from batuta.client.models import ReportStatus

COMMANDS = {
    "get": Entry("batuta.cli.task:get", "Show a task."),
    "complete": Entry("batuta.cli.task:complete", "End an open task by hand: what a WAIT or HUMAN task waits for."),
}


@click.command(cls=LazyGroup, entries=COMMANDS)
def task() -> None:
    """Look at a task, or complete one by hand."""


@click.command(cls=Command)
@click.argument("task_id")
@url_option
@json_option
def get(task_id: str, url: str, as_json: bool) -> None:
    """Show a task."""
    with connect(url) as client:
        found = client.get_task(task_id).json
    if as_json:
        terminal.print_json(found)
        return
    status = str(found["status"])
    began, ended = found.get("startTime") or 0, found.get("endTime") or 0
    took = f"  in {words.duration(ended - began)}" if began and ended else ""
    head = f"{terminal.bold(found['referenceTaskName'])} {terminal.dim(found['taskType'])}"
    click.echo(f"{words.sign(status).shown()} {head}  {words.status_cell(status).shown()}{took}")
    facts = [f"id {found['taskId']}", f"execution {found['workflowInstanceId']}", f"attempt {(found.get('retryCount') or 0) + 1}"]
    facts += [f"worker {found['workerId']}"] if found.get("workerId") else []
    click.echo(terminal.dim("  " + " · ".join(facts)))
    if found.get("reasonForIncompletion"):
        click.echo(click.style(f"  {terminal.printable(found['reasonForIncompletion'])}", fg="red"))
    for word, key in (("input", "inputData"), ("output", "outputData")):
        click.echo(f"\n{terminal.dim(word)}")
        terminal.print_json(found.get(key) or {})


@click.command(cls=Command)
@click.argument("execution_id")
@click.argument("ref")
@json_object_option("-o", "--output", default="{}", help="Its output, laid over what it has: JSON, a file, or standard input.")
@click.option(
    "--status",
    type=click.Choice(["COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR"], case_sensitive=False),
    default="COMPLETED",
    show_default=True,
    help="How it ends.",
)
@url_option
@json_option
def complete(execution_id: str, ref: str, output: dict[str, Any], status: ReportStatus, url: str, as_json: bool) -> None:
    """
    End an open task by hand: what a WAIT or HUMAN task waits for.

    \b
    batuta task complete EXECUTION_ID approval --output '{"by": "ana"}'
    """
    with connect(url) as client:
        task_id = client.update_task_by_ref(execution_id, ref, status, output)
        if task_id is None:
            execution = client.get_workflow(execution_id)
            waiting = ", ".join(task.ref for task in execution.tasks if not task.is_terminal) or "none"
            raise Failure(f"execution {execution_id} ({execution.status}) has no open task {ref!r}; open: {waiting}", Exit.CONFLICT)
    if as_json:
        terminal.print_json({"taskId": task_id, "status": status})
    else:
        click.echo(f"{words.sign(status).shown()} {words.spoken(status)} {ref}  {terminal.dim(task_id)}")
