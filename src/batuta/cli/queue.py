"""
`batuta queue`: what waits, and who takes it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command
from batuta.cli.lazy import Entry, LazyGroup
from batuta.cli.terminal import Cell, Column

if TYPE_CHECKING:
    from batuta.client import SyncClient

POLLED_LATELY_MS = 60_000  # a worker that holds its polls as long as servers allow comes back every few seconds
# Queues of Conductor's own bookkeeping, and of what the server does itself.
OWN = words.BUILT_IN | {"_deciderQueue", "conductor_system_scheduler", "conductor_system_scheduler_archival"}

COMMANDS = {"list": Entry("batuta.cli.queue:list_", "List queues: what waits in them, who polled last.")}


@click.command(cls=LazyGroup, entries=COMMANDS)
def queue() -> None:
    """See which tasks wait, and who takes them."""


@click.command("list", cls=Command)
@click.option("--waiting", is_flag=True, help="Only those in which something waits.")
@url_option
@json_option
def list_(waiting: bool, url: str, as_json: bool) -> None:
    """
    List queues: what waits in them, who polled last.

    A queue in which tasks wait and which nobody has polled within the last minute stands out: its worker is not running.
    """
    with connect(url) as client:
        found = [one for one in queues(client) if one["waiting"] or not waiting]
    if as_json:
        terminal.print_json(found)
        return
    if not found:
        terminal.note("No queue has tasks waiting." if waiting else "There are no queues yet: no task was scheduled and no worker has polled.")
        return
    now = time.time() * 1000
    columns = [Column(""), Column("queue", shrinks=True), Column("waiting", True), Column("last poll", True), Column("by", shrinks=True), Column("")]
    terminal.print_table(columns, [_row(one, now) for one in found])


def queues(client: SyncClient) -> list[dict[str, Any]]:
    """Every queue a worker may serve: its name (with domain), how many tasks wait, the last poll (0: never) and by whom."""
    sizes = client.queue_sizes()
    polls: dict[str, dict[str, Any]] = {}
    for poll in client.poll_data():
        name = f"{poll['domain']}:{poll['queueName']}" if poll.get("domain") else poll["queueName"]
        polls[name] = poll
    found = []
    for name in sorted((set(sizes) | set(polls)) - OWN):
        poll = polls.get(name, {})
        found.append({"queue": name, "waiting": sizes.get(name, 0), "lastPollTime": poll.get("lastPollTime", 0), "workerId": poll.get("workerId")})
    return found


def is_unserved(one: dict[str, Any], now_ms: float) -> bool:
    """Whether something waits in the queue and nobody has come for it lately."""
    return bool(one["waiting"]) and now_ms - one["lastPollTime"] > POLLED_LATELY_MS


def _row(one: dict[str, Any], now: float) -> list[Cell | str]:
    unserved = is_unserved(one, now)
    polled = now - one["lastPollTime"] <= POLLED_LATELY_MS
    return [
        Cell("!", fg="yellow", bold=True) if unserved else words.sign("RUNNING" if polled else "SCHEDULED"),
        Cell(one["queue"], bold=unserved),
        Cell(f"{one['waiting']:,}", fg="yellow" if unserved else None, dim=not one["waiting"]),
        words.ago(one["lastPollTime"], now) if one["lastPollTime"] else Cell("never", dim=True),
        one["workerId"] or "",
        Cell("no worker", fg="yellow") if unserved else "",
    ]
