"""
The operator's verbs: pause, resume, terminate, restart, retry, rerun, skip, remove.

Those that take several executions go through all of them, whatever happens to one, and end with the first failure's exit code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command, Exit, Failure, ending
from batuta.cli.inputs import json_object_option

if TYPE_CHECKING:
    from batuta.client import Execution, SyncClient

many = click.argument("execution_ids", nargs=-1, required=True, metavar="EXECUTION_ID...")


@click.command(cls=Command)
@many
@url_option
@json_option
def pause(execution_ids: tuple[str, ...], url: str, as_json: bool) -> None:
    """Schedule nothing more until resumed; tasks under way go on."""
    _each(url, execution_ids, lambda client, one: client.pause(one), "paused", as_json)


@click.command(cls=Command)
@many
@url_option
@json_option
def resume(execution_ids: tuple[str, ...], url: str, as_json: bool) -> None:
    """Go on with paused executions."""
    _each(url, execution_ids, lambda client, one: client.resume(one), "resumed", as_json)


@click.command(cls=Command)
@many
@click.option("--reason", help="Why; it is kept with the execution.")
@url_option
@json_option
def terminate(execution_ids: tuple[str, ...], reason: str | None, url: str, as_json: bool) -> None:
    """End executions as TERMINATED; tasks under way are canceled."""
    _each(url, execution_ids, lambda client, one: client.terminate(one, reason), "terminated", as_json)


@click.command(cls=Command)
@many
@click.option("--latest", is_flag=True, help="With the newest definition instead of the one it ran with.")
@url_option
@json_option
def restart(execution_ids: tuple[str, ...], latest: bool, url: str, as_json: bool) -> None:
    """Begin ended executions anew, under their ids and with their inputs."""
    _each(url, execution_ids, lambda client, one: client.restart(one, use_latest_definitions=latest), "restarted", as_json)


@click.command(cls=Command)
@many
@click.option("--resume-children", is_flag=True, help="Go on inside the child that failed, instead of starting a new child.")
@url_option
@json_option
def retry(execution_ids: tuple[str, ...], resume_children: bool, url: str, as_json: bool) -> None:
    """Try again what failed, and go on from there."""
    _each(url, execution_ids, lambda client, one: client.retry(one, resume_subworkflow_tasks=resume_children), "retried", as_json)


@click.command(cls=Command)
@click.argument("execution_id")
@click.option("--from", "start", metavar="REF|TASK_ID", help="The task to begin with; from the very beginning unless given.")
@json_object_option("--task-input", help="Another input for that task.")
@json_object_option("--input", "workflow_input", help="Another input for the execution.")
@url_option
@json_option
def rerun(execution_id: str, start: str | None, task_input: dict[str, Any] | None, workflow_input: dict[str, Any] | None, url: str, as_json: bool) -> None:
    """Run an ended execution again from one of its tasks."""

    def act(client: SyncClient, one: str) -> None:
        task_id = None if start is None else _task_id(client.get_workflow(one), start)
        client.rerun(one, from_task_id=task_id, task_input=task_input, workflow_input=workflow_input)

    _each(url, [execution_id], act, "rerun", as_json)


def _task_id(execution: Execution, wanted: str) -> str:
    """The id of the task meant by its id or its reference. An id it does not hold may be a child's: the server knows."""
    if any(task.id == wanted for task in execution.tasks):
        return wanted
    try:
        return execution.task(wanted).id
    except KeyError:
        if len(wanted) == 36 and wanted.count("-") == 4:
            return wanted
        refs = ", ".join(dict.fromkeys(task.ref for task in execution.tasks)) or "none"
        raise Failure(f"execution {execution.id} has no task {wanted!r}; its tasks: {refs}", Exit.NOT_FOUND) from None


@click.command(cls=Command)
@click.argument("execution_id")
@click.argument("ref")
@json_object_option("--input", "task_input", help="What the skipped task shows as its input.")
@json_object_option("--output", "task_output", help="What the skipped task shows as its output.")
@url_option
@json_option
def skip(execution_id: str, ref: str, task_input: dict[str, Any] | None, task_output: dict[str, Any] | None, url: str, as_json: bool) -> None:
    """Pass over a task that has not been reached."""
    _each(url, [execution_id], lambda client, one: client.skip_task(one, ref, task_input=task_input, task_output=task_output), f"will skip {ref} in", as_json)


@click.command(cls=Command)
@many
@click.option("--running", is_flag=True, help="Also when it has not ended.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@url_option
@json_option
def remove(execution_ids: tuple[str, ...], running: bool, yes: bool, url: str, as_json: bool) -> None:
    """Delete executions, with all that is known of them."""
    if not yes and sys.stdin.isatty():
        click.confirm(f"Delete {words.count(len(execution_ids), 'execution')} for good?", abort=True, err=True)
    _each(url, execution_ids, lambda client, one: client.remove(one, archive=not running), "removed", as_json)


def _each(url: str, ids: Sequence[str], act: Callable[[SyncClient, str], object], done: str, as_json: bool) -> None:
    """Do *act* to each execution and say so; the first failure is raised when all have had their turn."""
    first: Failure | None = None
    results = []
    with connect(url) as client:
        for one in ids:
            failure = _done(act, client, one)
            results.append({"workflowId": one, "done": failure is None, **({} if failure is None else {"error": failure.message})})
            if failure is None and not as_json:
                click.echo(f"{words.sign('COMPLETED').shown()} {done} {one}")
            elif failure is not None and len(ids) > 1 and not as_json:
                terminal.note(f"{words.sign('FAILED').shown()} {one}: {failure.message}")
            first = first or failure
            if first is not None and first.exit_code == Exit.UNREACHABLE:
                break
    if as_json:
        terminal.print_json(results)
    if first is not None:
        failed = sum(not result["done"] for result in results)
        raise first if len(ids) == 1 else Failure(f"{failed} of {len(ids)} could not be {done}", Exit(first.exit_code), advice=first.advice)


def _done(act: Callable[[SyncClient, str], object], client: SyncClient, execution_id: str) -> Failure | None:
    from batuta.client import NotFound

    try:
        act(client, execution_id)
    except Exception as error:
        failure = ending(error)
        if failure is None:
            raise
        # Conductor answers 404 to the retry of an execution that is still running.
        if isinstance(error, NotFound) and "still running" in error.message:
            return Failure(failure.message, Exit.CONFLICT)
        return failure
    return None
