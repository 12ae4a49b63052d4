"""
`batuta secrets`: what `${workflow.secrets.NAME}` stands for. Set, listed by name, deleted; never shown.

A value comes from the prompt or from standard input and not from the command line, which other programs and the shell's history can read.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, Final

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command, Exit, Failure
from batuta.cli.lazy import Entry, LazyGroup
from batuta.cli.terminal import Cell, Column

COMMANDS = {
    "set": Entry("batuta.cli.secrets:set_", "Store a secret, or replace it."),
    "list": Entry("batuta.cli.secrets:list_", "List the names of secrets, and when they were set."),
    "delete": Entry("batuta.cli.secrets:delete", "Delete a secret; tasks that use it get null from then on."),
    "rotate-key": Entry("batuta.cli.secrets:rotate_key", "Seal all stored secrets with a new key."),
}
MASKED_FROM: Final = 8  # batuta.core.expr.masks.LENGTH_MIN, which a command line that may speak to any server does not import


@click.command(cls=LazyGroup, entries=COMMANDS)
def secrets() -> None:
    """Set, list and delete the secrets of definitions."""


@click.command("set", cls=Command)
@click.argument("name")
@url_option
@json_option
def set_(name: str, url: str, as_json: bool) -> None:
    """
    Store a secret, or replace it.

    Asks for the value, or reads it from standard input; a last line end is not part of it.

    \b
    batuta secrets set DEPLOY_TOKEN
    batuta secrets set SIGNING_KEY < key.pem
    """
    from batuta.client.http import Answer, Call, below_root

    value = click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True) if _types() else _read()
    if not value:
        raise Failure("there is no value: standard input was empty", Exit.USAGE)
    with connect(url) as client:
        client.send(Call("PUT", below_root("/secrets/{}", name), Answer.nothing, body=value, is_text=True))
    if as_json:
        terminal.print_json({"name": name})
    else:
        click.echo(f"{words.sign('COMPLETED').shown()} {name} is stored; definitions use it as ${{workflow.secrets.{name}}}")
    if len(value) < MASKED_FROM:
        terminal.note(f"It has fewer than {MASKED_FROM} characters: too short to be found, and so masked, when a worker sends it back.")


def _types() -> bool:
    """Whether a person sits at standard input."""
    return sys.stdin.isatty()


def _read() -> str:
    try:
        value = sys.stdin.read()
    except UnicodeDecodeError:
        raise Failure("standard input is not UTF-8; encode binary values, in base64 for one", Exit.USAGE) from None
    return value.removesuffix("\n").removesuffix("\r")


@click.command("list", cls=Command)
@url_option
@json_option
def list_(url: str, as_json: bool) -> None:
    """List the names of secrets, and when they were set."""
    from batuta.client import NotFound

    with connect(url) as client:
        try:
            found: list[dict[str, Any]] = client.request("GET", "/secrets/v2")
        except NotFound:  # a Conductor without that list
            found = [{"name": name} for name in client.request("GET", "/secrets")]
    if as_json:
        terminal.print_json(found)
        return
    if not found:
        terminal.note("There are no secrets. Store one with `batuta secrets set NAME`.")
        return
    terminal.print_table([Column("name", shrinks=True), Column("set", True), Column("ends", shrinks=True)], [_row(one) for one in found])


def _row(one: dict[str, Any]) -> list[Cell | str]:
    at = one.get("updated_at")
    stored = words.ago(datetime.fromisoformat(at).timestamp() * 1000) if isinstance(at, str) else Cell("by the environment", dim=True)
    return [one["name"], stored, Cell(one.get("partial") or "", dim=True)]


@click.command(cls=Command)
@click.argument("name")
@url_option
@json_option
def delete(name: str, url: str, as_json: bool) -> None:
    """Delete a secret; tasks that use it get null from then on."""
    from batuta.client.http import Answer, Call, below_root

    with connect(url) as client:
        client.send(Call("DELETE", below_root("/secrets/{}", name), Answer.nothing))
    if as_json:
        terminal.print_json({"name": name})
    else:
        click.echo(f"{words.sign('COMPLETED').shown()} {name} is deleted")


@click.command("rotate-key", cls=Command)
@url_option
@json_option
def rotate_key(url: str, as_json: bool) -> None:
    """
    Seal all stored secrets with a new key.

    The server makes the key, keeps it in its key file, and forgets the old one. Make a new copy of that file, and keep the old copy with the
    backups of the store it belongs to.
    """
    with connect(url) as client:
        done = client.request("POST", "/admin/secrets/rotate-key")
    if as_json:
        terminal.print_json(done)
        return
    click.echo(f"{words.sign('COMPLETED').shown()} {words.count(done['secrets'], 'secret')} sealed with key {done['key']}")
    terminal.note("Copy the key file to where your copy of it is: it is not in backups of the store.")
