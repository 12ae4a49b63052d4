"""
Writes the reference pages that are made from the code: `python docs/generate.py`. A test fails when they are not current.

Here: docs/reference/cli.md from the commands, docs/reference/settings.md from the docstrings of settings.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from batuta.cli import fields
from batuta.cli.connection import json_option, url_option
from batuta.cli.failure import MEANINGS
from batuta.cli.logs import log_options
from batuta.cli.main import batuta

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py; change the code instead. -->"

CLI_HEAD = """
`batuta COMMAND --help` says the same in the terminal. Output is for people; `--json`, where a command has it, prints JSON on standard output, and an
error as JSON on standard error. Colours go away when the output is no terminal, or with `NO_COLOR`.

Commands that speak to a server find it by `--url`, `BATUTA_URL` or `CONDUCTOR_SERVER_URL`, in this order; credentials, where a server wants some, are
`CONDUCTOR_AUTH_KEY` and `CONDUCTOR_AUTH_SECRET`. They work on any Conductor server.
"""

SETTINGS_HEAD = """
What a server may be told. Each setting is an option of `batuta server` and a variable of its environment; the option wins. A number of bytes may not
have a unit. Only `batuta server` and `batuta doctor` look at them; workers and the other commands are told by their own options (cli.md).
"""


def cli_page() -> str:
    """docs/reference/cli.md."""
    lines = ["# Command line", MADE, CLI_HEAD, "## Exit codes", "", "| Code | Meaning |", "|---|---|"]
    lines += [f"| {code.value} | {_cell(meaning)} |" for code, meaning in MEANINGS.items()]
    lines += ["", "A worker that was told twice to stop, and a server too, end with 128 + the signal's number."]
    lines += ["", "## Options of many commands", "", "| Option | What it does |", "|---|---|", *map(_option, _common())]
    root = click.Context(batuta, info_name="batuta")
    for name in batuta.list_commands(root):
        lines += _command(_of(batuta, root, name), f"batuta {name}", 2)
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/reference/settings.md."""
    lines = ["# Settings", MADE, SETTINGS_HEAD, "| Option | Environment | Default | What it is |", "|---|---|---|---|"]
    for field in fields.fields():
        default = "empty" if field.default == "" else f"`{field.default}`"
        lines.append(f"| `{field.option}` | `{field.variable}` | {default} | {_cell(field.doc)} |")
    return "\n".join(lines) + "\n"


def _common() -> list[click.Option]:
    """The options that several commands share, in the order of the page."""

    @url_option
    @json_option
    @log_options
    def function() -> None: ...

    return list(reversed(function.__click_params__))  # type: ignore[attr-defined]


COMMON = {option.opts[-1]: option.help for option in _common()}


def _of(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None, name
    return command


def _command(command: click.Command, path: str, level: int) -> Iterator[str]:
    yield from ("", f"{'#' * level} {path}", "")
    if isinstance(command, click.Group):
        yield from _help(command)
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            yield from _command(_of(command, context, name), f"{path} {name}", level + 1)
        return
    arguments = [param.metavar or (param.name or "").upper() for param in command.params if isinstance(param, click.Argument)]
    yield from ("```", " ".join([path, "[OPTIONS]", *arguments]), "```", "", *_help(command))
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    # A setting is described once, on its own page.
    settings = {field.option for field in fields.fields()} if path == "batuta server" else set()
    common = [option for option in options if COMMON.get(option.opts[-1]) == option.help]
    own = [option for option in options if option not in common and option.opts[-1] not in settings]
    if settings:
        yield from ("Every setting is an option: settings.md lists them.", "")
    if own:
        yield from ("| Option | What it does |", "|---|---|", *(_option(option) for option in own), "")
    if common:
        yield f"Also {', '.join(f'`{option.opts[-1]}`' for option in common)}."


def _help(command: click.Command) -> Iterator[str]:
    """The help of a command as Markdown: paragraphs, and what follows a \\b as it stands."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from ("```", *paragraph.splitlines()[1:], "```", "")
        else:
            yield from (" ".join(paragraph.split()), "")


def _option(option: click.Option) -> str:
    """Written out here instead of by click, whose wording differs from version to version."""
    names = ", ".join(option.opts)
    if not option.is_flag:
        kind = option.type
        names += f" {option.metavar or ('|'.join(map(str, kind.choices)) if isinstance(kind, click.Choice) else kind.name.partition(' ')[0].upper())}"
    default = f"  [default: {option.default}]" if option.show_default else ""
    return f"| `{_cell(names)}` | {_cell((option.help or '') + default)} |"


def _cell(text: Any) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


PAGES = {"cli.md": cli_page, "settings.md": settings_page}


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
