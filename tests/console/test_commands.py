"""What the console and the canvas tell people to type is there to be typed."""

from __future__ import annotations

import re
from pathlib import Path

import click

from batuta.cli.main import batuta

SOURCES = Path(__file__).parents[2] / "ui" / "src"


def test_every_command_that_is_taught_exists() -> None:
    taught = {
        (file.name, *words)
        for file in SOURCES.rglob("*.ts*")
        for words in re.findall(r"\bbatuta ([a-z]+)(?: ([a-z]+))?", file.read_text())
    }
    assert ("Home.tsx", "definitions", "apply") in taught and len(taught) > 8
    context = click.Context(batuta)
    for file, name, verb in sorted(taught):
        command = batuta.get_command(context, name)
        assert command is not None, f"{file} teaches `batuta {name}`"
        if isinstance(command, click.Group):
            assert command.get_command(context, verb) is not None, f"{file} teaches `batuta {name} {verb}`"
