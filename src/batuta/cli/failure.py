"""
How a command ends: its exit code, and the sentence that says why.

Here: the codes, which error means which, and the kind of command that applies it. Not here: where errors come from.
"""

from __future__ import annotations

import enum
import re
import sys
from typing import IO, Any

import click

from batuta.cli.terminal import printable


class Exit(enum.IntEnum):
    """Exit codes of every command. `docs/reference/cli.md` is made from these docstrings."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    CONFLICT = 5


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done; for a command that waits: the execution completed, the checks passed",
    Exit.FAILED: "it failed: the execution did not complete, a check failed, the server refused the request or had a fault",
    Exit.USAGE: "the command line is wrong: an unknown option, a file that is not there, JSON that cannot be read",
    Exit.UNREACHABLE: "no server answered at the URL",
    Exit.NOT_FOUND: "no such execution, task or definition",
    Exit.CONFLICT: "it exists already, its state does not allow this, or the port is taken",
}


# What the HTTP library puts before the system's own words.
_FROM_LIBRARY = re.compile(r"HTTPS?Connection\(.*?\): (Failed to establish a new connection: )?(\[Errno -?\d+\] )?")


class Failure(click.ClickException):
    """The end of a command with a code of `Exit`: what happened, and (*advice*) what to do."""

    def __init__(self, message: str, code: Exit = Exit.FAILED, *, advice: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # click means it for subclasses; its own programs read it from the instance
        self.advice = advice
        self.problems = problems
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        stream = file or sys.stderr
        if self.as_json:
            import msgspec

            said = {"error": self.message, "exitCode": self.exit_code, "problems": list(self.problems), "advice": self.advice}
            click.echo(msgspec.json.encode({name: value for name, value in said.items() if value}), file=stream)
            return
        click.echo(f"{click.style('batuta:', fg='red', bold=True)} {printable(self.message)}", file=stream)
        for problem in self.problems:
            click.echo(f"  - {printable(problem)}", file=stream)
        if self.advice:
            click.echo(click.style(self.advice, dim=True), file=stream)


class Command(click.Command):
    """A command whose errors end it as `ending` says, told as JSON to whoever asked for JSON."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            failure = ending(error)
            if failure is None:
                raise
            failure.as_json = bool(ctx.params.get("as_json"))
            raise failure from error


def ending(error: Exception) -> Failure | None:
    """The failure an error of the client or of the server's own code means to a person; None: it is a fault of ours, show the trace."""
    if isinstance(error, Failure):
        return error
    # Only what has been imported can have been raised.
    client, own = sys.modules.get("batuta.client.errors"), sys.modules.get("batuta.errors")
    if client is not None and isinstance(error, client.ClientError):
        return _of_client(error, client)
    if own is not None and isinstance(error, own.BatutaError):
        return _of_server(error, own)
    if isinstance(error, OSError) and error.filename:
        return Failure(f"{str(error.filename)!r} cannot be used: {error.strerror}")
    return None


def _of_client(error: Any, client: Any) -> Failure:
    match error:
        case client.Unavailable():
            advice = "Is it running? Start one with `batuta server`, or name another with --url or BATUTA_URL."
            return Failure(_FROM_LIBRARY.sub("", error.message), Exit.UNREACHABLE, advice=advice)
        case client.NotFound():
            return Failure(error.message, Exit.NOT_FOUND)
        case client.Conflict():
            return Failure(error.message, Exit.CONFLICT)
        case client.Denied():
            return Failure(error.message, Exit.FAILED, advice="Set CONDUCTOR_AUTH_KEY and CONDUCTOR_AUTH_SECRET to credentials the server knows.")
        case _:
            return Failure(error.message, Exit.FAILED, problems=error.problems)


def _of_server(error: Any, own: Any) -> Failure:
    match error:
        case own.InvalidFields():
            return Failure(str(error), Exit.FAILED, problems=tuple(f"{v.path}: {v.message}" for v in error.violations))
        case own.Invalid():
            return Failure(str(error), Exit.USAGE)
        case own.NotFound():
            return Failure(str(error), Exit.NOT_FOUND)
        case own.Conflict():
            return Failure(str(error), Exit.CONFLICT)
        case _:
            return Failure(str(error), Exit.FAILED)
