"""
`batuta workflow get`, `list` and `logs`: what there is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command
from batuta.cli.terminal import Cell, Column

if TYPE_CHECKING:
    from batuta.client import Execution, SyncClient

STATUSES = ("RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED")
CHILDREN_MAX = 100  # child executions fetched for one picture
NAMES_MAX = 200  # definitions asked one by one, where the server cannot search

Summary = dict[str, Any]


@click.command(cls=Command)
@click.argument("execution_id")
@click.option("--children", is_flag=True, help="Show child executions inside their tasks.")
@url_option
@json_option
def get(execution_id: str, children: bool, url: str, as_json: bool) -> None:
    """Show an execution with its tasks."""
    from batuta.cli.workflow import view

    with connect(url) as client:
        execution = client.get_workflow(execution_id).json
        if as_json:
            terminal.print_json(execution)
            return
        within = terminal.width() if terminal.is_interactive() else None
        tree = view.tree(execution, children=_children(client) if children else None, within=within)
        payloads = view.payloads(execution, within or terminal.width())
        for line in (*view.heading(execution), *([""] if tree else []), *tree, *([""] if payloads else []), *payloads):
            click.echo(line)


def _children(client: SyncClient) -> Callable[[str], dict[str, Any] | None]:
    from batuta.client import NotFound

    left = CHILDREN_MAX

    def fetch(execution_id: str) -> dict[str, Any] | None:
        nonlocal left
        left -= 1
        if left < 0:
            return None
        try:
            return client.get_workflow(execution_id).json
        except NotFound:
            return None

    return fetch


@click.command("list", cls=Command)
@click.option("--name", help="Of this workflow.")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), multiple=True, help="In this status; may be given several times.")
@click.option("--correlation-id", help="With this correlation id.")
@click.option("--limit", type=click.IntRange(1, 5000), default=50, show_default=True, help="At most so many.")
@url_option
@json_option
def list_(name: str | None, status: tuple[str, ...], correlation_id: str | None, limit: int, url: str, as_json: bool) -> None:
    """
    List executions, newest first.

    A server without search lists those that run, and, with --correlation-id, all that carry it.
    """
    with connect(url) as client:
        found = _searched(client, name, status, correlation_id, limit)
        if found is None:
            if correlation_id is None:
                terminal.note(terminal.dim("This server has no search: only executions that have not ended are listed."))
            found = _listed(client, name, status, correlation_id, limit)
    if as_json:
        terminal.print_json(found)
        return
    _print_list(found)


def _searched(client: SyncClient, name: str | None, status: tuple[str, ...], correlation_id: str | None, limit: int) -> list[Summary] | None:
    """What the server's search finds, or None when it has none. A server without it takes `search` for an execution's id."""
    from batuta.client import BadRequest, NotFound

    clauses = [f"workflowType = {_quoted(name)}"] if name else []
    clauses += [f"status IN ({','.join(status)})"] if status else []
    clauses += [f"correlationId = {_quoted(correlation_id)}"] if correlation_id else []
    try:
        answer = client.search(" AND ".join(clauses) or None, size=limit, sort="startTime:DESC")
        results = answer["results"]
    except (NotFound, BadRequest, KeyError, TypeError):
        return None
    return [_of_summary(one) for one in results]


def _quoted(value: str) -> str:
    """The value in quotes that it does not have itself; Conductor knows no escapes."""
    return f'"{value}"' if "'" in value else f"'{value}'"


def _listed(client: SyncClient, name: str | None, status: tuple[str, ...], correlation_id: str | None, limit: int) -> list[Summary]:
    names = [name] if name else sorted({d["name"] for d in client.list_workflow_defs()})[:NAMES_MAX]
    found: list[Summary] = []
    for one in names:
        executions = client.correlated(one, correlation_id) if correlation_id else _running(client, one, limit)
        found += [_of_execution(x) for x in executions if not status or x.status in status]
    return sorted(found, key=lambda one: -one["startTime"])[:limit]


def _running(client: SyncClient, name: str, limit: int) -> Iterator[Execution]:
    from urllib.parse import quote

    from batuta.client import NotFound

    ids: Iterable[str] = client.request("GET", f"/workflow/running/{quote(name, safe='')}") or ()
    for execution_id in list(ids)[-limit:]:
        try:
            yield client.get_workflow(execution_id, include_tasks=False)
        except NotFound:
            continue  # removed meanwhile


def _of_execution(x: Execution) -> Summary:
    json = x.json
    return {
        "workflowId": x.id, "workflowName": x.workflow_name, "workflowVersion": x.workflow_version, "status": x.status,
        "correlationId": x.correlation_id, "startTime": json.get("startTime") or json.get("createTime") or 0, "endTime": json.get("endTime") or 0,
        "reasonForIncompletion": x.reason,
    }  # fmt: skip


def _of_summary(json: Summary) -> Summary:
    return {
        "workflowId": json.get("workflowId"), "workflowName": json.get("workflowType"), "workflowVersion": json.get("version"),
        "status": json.get("status"), "correlationId": json.get("correlationId"), "startTime": _instant(json.get("startTime")),
        "endTime": _instant(json.get("endTime")), "reasonForIncompletion": json.get("reasonForIncompletion"),
    }  # fmt: skip


def _instant(value: Any) -> int:
    """Epoch milliseconds of what a summary holds: a number, an ISO text, or nothing."""
    from datetime import datetime

    if isinstance(value, str) and value:
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    return int(value or 0)


def _print_list(found: list[Summary]) -> None:
    if not found:
        terminal.note("No such executions.")
        return
    now = time.time() * 1000
    columns = [Column(""), Column("execution"), Column("workflow", shrinks=True), Column("status"), Column("started", True), Column("took", True)]
    columns += [Column("correlation", shrinks=True), Column("reason", shrinks=True)]
    terminal.print_table(columns, [_row(one, now) for one in found])


def _row(one: Summary, now: float) -> list[Cell | str]:
    began, ended = one["startTime"], one["endTime"]
    return [
        words.sign(one["status"]),
        one["workflowId"],
        f"{one['workflowName']} v{one['workflowVersion']}",
        words.status_cell(one["status"]),
        words.ago(began, now) if began else "",
        words.duration((ended or now) - began) if began else "",
        one["correlationId"] or "",
        Cell(terminal.cut(words.reason(one["reasonForIncompletion"]), 200), fg="red"),
    ]


@click.command(cls=Command)
@click.argument("task_id")
@url_option
@json_option
def logs(task_id: str, url: str, as_json: bool) -> None:
    """Print what a worker logged about a task."""
    with connect(url) as client:
        lines = client.get_task_logs(task_id)
        if not lines:
            client.get_task(task_id)  # an unknown task is an error, one without a log is not
    if as_json:
        terminal.print_json(lines)
        return
    for line in lines:
        stamp = terminal.dim(words.clock_time(line.get("createdTime") or 0))
        for text in terminal.printable(str(line.get("log", ""))).splitlines() or [""]:
            click.echo(f"{stamp}  {text}")
    if not lines:
        terminal.note("Nothing was logged about this task.")
