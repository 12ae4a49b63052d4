"""
`batuta workflow start`: begin an execution, and wait for its end if asked to.
"""

from __future__ import annotations

from typing import Any

import click

from batuta.cli import terminal
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command, Exit, Failure
from batuta.cli.inputs import json_object_option


@click.command(cls=Command)
@click.argument("name")
@json_object_option("-i", "--input", "given", default="{}", help="The input: JSON, a file, or standard input.")
@click.option("--version", type=click.IntRange(1), help="Version of the definition; its newest unless given.")
@click.option("--correlation-id", help="Your own id for it, to find it again.")
@click.option("--priority", type=click.IntRange(0, 99), default=0, show_default=True, help="Higher goes first.")
@click.option("--idempotency-key", help="A second start with the same key answers with the first execution.")
@click.option("--wait", is_flag=True, help="Follow it to its end; exit 0 only when it completed.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="How long --wait waits; for ever unless given.")
@url_option
@json_option
def start(
    name: str,
    given: dict[str, Any],
    version: int | None,
    correlation_id: str | None,
    priority: int,
    idempotency_key: str | None,
    wait: bool,
    timeout_s: float | None,
    url: str,
    as_json: bool,
) -> None:
    """
    Start an execution and print its id.

    \b
    batuta workflow start order --input '{"id": 7}' --wait
    batuta workflow start order --input @order.json --correlation-id o-7
    """
    from batuta.client import NotFound

    with connect(url) as client:
        try:
            execution_id = client.start_workflow(
                name, given, version=version, correlation_id=correlation_id, priority=priority, idempotency_key=idempotency_key
            )
        except NotFound as error:
            raise Failure(error.message, Exit.NOT_FOUND, advice="`batuta definitions list` shows which there are.") from None
        if wait:
            from batuta.cli.workflow.watch import follow

            follow(client, execution_id, as_json=as_json, timeout_s=timeout_s)
        elif as_json:
            terminal.print_json({"workflowId": execution_id})
        else:
            click.echo(execution_id)
            if terminal.is_interactive():
                terminal.note(terminal.dim(f"started; follow it with `batuta workflow watch {execution_id}`"))
