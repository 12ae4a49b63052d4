"""
`batuta definitions`: apply, export and list the definitions of workflows and tasks.

Here: what is said to a server, and what is reported. Not here: files (definition_files.py).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command, Exit, Failure, ending
from batuta.cli.lazy import Entry, LazyGroup
from batuta.cli.terminal import Cell, Column

if TYPE_CHECKING:
    from batuta.cli.definition_files import Item, Json, Kind
    from batuta.client import SyncClient

COMMANDS = {
    "apply": Entry("batuta.cli.definitions:apply", "Make a server have these definitions."),
    "export": Entry("batuta.cli.definitions:export", "Write a server's definitions into a directory, one file each."),
    "list": Entry("batuta.cli.definitions:list_", "List the definitions a server has."),
}
_LOOKS = {"created": ("+", "green"), "updated": ("~", "yellow"), "unchanged": ("=", None), "failed": ("x", "red"), "written": ("+", "green")}


class Outcome(NamedTuple):
    """What became of one definition."""

    item: Item
    what: str
    failure: Failure | None = None


@click.command(cls=LazyGroup, entries=COMMANDS)
def definitions() -> None:
    """Apply, export and list definitions."""


@click.command(cls=Command)
@click.argument("targets", nargs=-1, required=True, metavar="FILE|DIR|MODULE[:ATTR]...")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@url_option
@json_option
def apply(targets: tuple[str, ...], dry_run: bool, url: str, as_json: bool) -> None:
    """
    Make a server have these definitions.

    JSON files hold one definition or a list; of a directory all .json files are read. A Python file or module gives the workflows and task
    definitions at its top level, MODULE:ATTR what an attribute is or makes. Applying the same again changes nothing.

    \b
    batuta definitions apply definitions/
    batuta definitions apply shop.flows:order task-defs.json --dry-run
    """
    from batuta.cli import definition_files

    items = definition_files.read(targets)
    with connect(url) as client:
        stored = {(one.kind, one.name, one.version): one.json for one in _on_server(client, {item.kind for item in items})}
        outcomes = [_applied(client, item, stored.get((item.kind, item.name, item.version)), dry_run) for item in items]
    if as_json:
        terminal.print_json([_json(one, one.item.source) for one in outcomes])
    else:
        _report(outcomes, [one.item.source for one in outcomes], "would be " if dry_run else "")
        terminal.note(terminal.dim(_sum(outcomes) + (": a dry run, nothing was sent" if dry_run else "")))
    if failed := [one for one in outcomes if one.failure]:
        raise Failure(f"{len(failed)} of {words.count(len(outcomes), 'definition')} could not be applied")


def _applied(client: SyncClient, item: Item, stored: Json | None, dry_run: bool) -> Outcome:
    """Send it unless it is what the server has *stored* (None: nothing). One that is refused does not keep the others from being applied."""
    from batuta.cli.definition_files import same
    from batuta.client import ClientError, Unavailable

    try:
        if stored is not None and same(item, stored):
            return Outcome(item, "unchanged")
        if not dry_run:
            _send(client, item, stored)
        return Outcome(item, "created" if stored is None else "updated")
    except Unavailable:
        raise
    except ClientError as error:
        return Outcome(item, "failed", ending(error))


def _send(client: SyncClient, item: Item, stored: Json | None) -> None:
    if item.kind == "task":
        client.register_task_defs([item.json])
    elif stored is None:
        client.register_workflow(item.json)
    else:
        # A server takes over the creation time as it is sent.
        kept = {"createTime": stored["createTime"]} if stored.get("createTime") else {}
        answer = client.register_workflows([{**item.json, **kept}])
        if errors := answer.get("bulkErrorResults"):
            raise Failure("; ".join(map(str, errors.values())))


@click.command(cls=Command)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", "names", multiple=True, help="Only of this name; may be given several times.")
@url_option
@json_option
def export(directory: Path, names: tuple[str, ...], url: str, as_json: bool) -> None:
    """
    Write a server's definitions into a directory, one file each.

    workflows/NAME.vVERSION.json and tasks/NAME.json: valid on any Conductor server, made to be kept in version control, and to be applied again.
    Files of definitions the server does not have are left alone.
    """
    from batuta.cli.definition_files import file_name

    with connect(url) as client:
        items = [item for item in _on_server(client) if not names or item.name in names]
    if missing := sorted(set(names) - {item.name for item in items}):
        raise Failure(f"the server has no definition {', '.join(map(repr, missing))}", Exit.NOT_FOUND)
    outcomes = [_written(directory, item) for item in items]
    if as_json:
        terminal.print_json([_json(one, str(directory / file_name(one.item))) for one in outcomes])
        return
    _report(outcomes, [str(directory / file_name(one.item)) for one in outcomes])
    terminal.note(terminal.dim(_sum(outcomes) if outcomes else "The server has no definitions."))


def _on_server(client: SyncClient, kinds: Collection[Kind] = ("task", "workflow")) -> list[Item]:
    """All it has, of these kinds. Asked for as lists, since some servers answer 500 when asked for one that is not there."""
    from batuta.cli.definition_files import Item

    tasks = client.list_task_defs() if "task" in kinds else []
    workflows = client.list_workflow_defs() if "workflow" in kinds else []
    return [*(Item("task", json, client.url) for json in tasks), *(Item("workflow", json, client.url) for json in workflows)]


def _written(directory: Path, item: Item) -> Outcome:
    from batuta.cli.definition_files import file_name, file_text

    path, text = directory / file_name(item), file_text(item)
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if before == text:
        return Outcome(item, "unchanged")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Outcome(item, "written" if before is None else "updated")


@click.command("list", cls=Command)
@url_option
@json_option
def list_(url: str, as_json: bool) -> None:
    """List the definitions a server has."""
    with connect(url) as client:
        items = _on_server(client)
    if as_json:
        terminal.print_json([{"kind": item.kind, "name": item.name, **({"version": item.version} if item.version else {})} for item in items])
        return
    if not items:
        terminal.note("The server has no definitions yet: batuta definitions apply FILE")
        return
    now = time.time() * 1000
    columns = [Column("kind"), Column("name"), Column("version", True), Column("tasks", True), Column("changed", True), Column("description", shrinks=True)]
    terminal.print_table(columns, [_row(item, now) for item in items])


def _row(item: Item, now: float) -> list[Cell | str]:
    json = item.json
    changed = max(json.get("createTime") or 0, json.get("updateTime") or 0)
    return [
        Cell(item.kind, dim=True),
        Cell(item.name, bold=item.kind == "workflow"),
        f"v{item.version}" if item.version else "",
        str(_count_tasks(json)) if item.kind == "workflow" else "",
        words.ago(changed, now) if changed else "",
        json.get("description") or "",
    ]


def _count_tasks(json: Any) -> int:
    """How many tasks the definition has, those inside others included."""
    if isinstance(json, list):
        return sum(_count_tasks(one) for one in json)
    if not isinstance(json, dict):
        return 0
    own = 1 if "taskReferenceName" in json else 0
    inside = ("tasks", "forkTasks", "defaultCase", "loopOver")
    return own + sum(_count_tasks(json.get(key)) for key in inside) + sum(_count_tasks(case) for case in (json.get("decisionCases") or {}).values())


def _report(outcomes: Sequence[Outcome], places: Sequence[str], mood: str = "") -> None:
    """A line for each; below one that was refused, why."""
    wide = max((terminal.columns_of(str(one.item)) for one in outcomes), default=0)
    for one, place in zip(outcomes, places, strict=True):
        shape, colour = _LOOKS[one.what]
        what = one.what if one.what in ("unchanged", "failed") else mood + one.what
        name = str(one.item) + " " * (wide - terminal.columns_of(str(one.item)))
        mark = click.style(shape, fg=colour, dim=colour is None or None)
        click.echo(f"{mark} {terminal.dim(one.item.kind.ljust(8))} {terminal.dim(name) if colour is None else name}  {what}  {terminal.dim(place)}")
        for line in (one.failure.problems or (one.failure.message,)) if one.failure else ():
            click.echo(f"    {click.style(line, fg='red')}")


def _json(outcome: Outcome, place: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": outcome.item.kind, "name": outcome.item.name, "outcome": outcome.what, "file": place}
    if outcome.item.version:
        shown["version"] = outcome.item.version
    if outcome.failure is not None:
        shown |= {"error": outcome.failure.message, "problems": list(outcome.failure.problems)}
    return shown


def _sum(outcomes: list[Outcome]) -> str:
    counts = {what: sum(one.what == what for one in outcomes) for what in _LOOKS}
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number)
