"""
Groups of commands that are imported when they are used: `batuta --help` and completion need none of them, and a command none of the others.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """Where a command lives (`module:attribute`), its line in the list, and the heading it stands under. No line: it is not listed."""

    target: str
    line: str
    heading: str = "Commands"


class LazyGroup(click.Group):
    """A group that knows its commands by name until one is wanted. The lines are held equal to the commands' own help by a test."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = dict(entries)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but a name that is nearly right is answered with the right one."""
        if args and args[0] not in self.entries and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self.entries, 1)
            advice = f" Did you mean {near[0]!r}?" if near else f" Try '{ctx.command_path} --help'."
            ctx.fail(f"No such command {args[0]!r}.{advice}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        headings: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            if entry.line:
                headings.setdefault(entry.heading, []).append((name, entry.line))
        longest = max(len(name) for name in self.entries)
        for heading, lines in headings.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), line) for name, line in lines])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=entry.line) for name, entry in self.entries.items() if entry.line and name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)
