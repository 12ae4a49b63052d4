"""
How things look in a terminal: colour or not, widths, tables, JSON.

Here: plain functions from values to text. Not here: what a status looks like or how long a time reads (words.py).
Text is always styled; `click.echo` strips it where the stream is no terminal, and `colour_wanted` overrules that for the whole command.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import click

Colour = str | int | None
GAP: Final = "  "
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9;]*m)")
_STYLE: Final = re.compile(r"(\x1b\[[0-9;]*m)")
LEAST_SHRUNK: Final = 8  # columns a shrinking cell keeps, however narrow the terminal


def colour_wanted(environment: Mapping[str, str]) -> bool | None:
    """
    Whether to colour: True or False when the person said so, None to let each stream decide.

    Source: no-color.org, force-color.org, and TERM=dumb.
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return False if environment.get("TERM") == "dumb" else None


def is_interactive() -> bool:
    """Whether a person looks at what is printed."""
    return sys.stdout.isatty()


def can_redraw() -> bool:
    """Whether lines already printed can be printed over."""
    return is_interactive() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns to print in."""
    return shutil.get_terminal_size((100, 24)).columns


def height() -> int:
    """Lines that fit on the screen."""
    return shutil.get_terminal_size((100, 24)).lines


def speaks_unicode() -> bool:
    """Whether the output takes more than ASCII; under LANG=C the signs have plain twins."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")


def dim(text: str) -> str:
    return click.style(text, dim=True)


def bold(text: str) -> str:
    return click.style(text, bold=True)


def printable(text: str) -> str:
    """
    *text* from elsewhere without what would move the cursor, ring the bell or rename the window: of control characters only line breaks, tabs and
    changes of colour are left.
    """
    return text if text.isprintable() else _CONTROL.sub("", text)


def columns_of(text: str) -> int:
    """Columns the text takes on a screen, without its styling; wide letters take two, combining ones none."""
    plain = click.unstyle(text)
    if plain.isascii():
        return len(plain)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)


def cut(text: str, columns: int) -> str:
    """The plain *text* in at most *columns*, ending in an ellipsis when something is missing; line breaks become spaces."""
    text = printable(click.unstyle(text))
    text = " ".join(text.split()) if "\n" in text or "\t" in text else text
    if columns_of(text) <= columns:
        return text
    ellipsis = "…" if speaks_unicode() else "~"
    kept, used = [], 1
    for letter in text:
        used += columns_of(letter)
        if used > columns:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + ellipsis


def cut_styled(text: str, columns: int) -> str:
    """A styled line in at most *columns*; all that styles it is kept."""
    if columns_of(text) <= columns:
        return text
    kept, left = [], columns - 1
    for piece in _STYLE.split(text):
        if _STYLE.fullmatch(piece):
            kept.append(piece)
        elif left >= 0:
            fits = columns_of(piece) <= left
            kept.append(piece if fits else cut(piece, left + 1))
            left = left - columns_of(piece) if fits else -1
    return "".join(kept)


class Cell(NamedTuple):
    """A piece of a table, and how it looks."""

    text: str
    fg: Colour = None
    bold: bool = False
    dim: bool = False

    def shown(self, columns: int | None = None) -> str:
        text = printable(self.text) if columns is None else cut(self.text, columns)
        return click.style(text, fg=self.fg, bold=self.bold or None, dim=self.dim or None) if self.fg is not None or self.bold or self.dim else text


class Column(NamedTuple):
    """A column of a table; one that shrinks gives way when the terminal is too narrow. A table leaves out a column that is empty all the way."""

    title: str
    is_right: bool = False
    shrinks: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], *, within: int | None = None) -> list[str]:
    """
    The lines of a table, its head first. *within* columns the shrinking ones are cut; None (a pipe): nothing is cut.
    """
    filled = [i for i in range(len(columns)) if any(cell.text if isinstance(cell, Cell) else cell for cell in (row[i] for row in rows))]
    columns = [columns[i] for i in filled]
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in (row[i] for i in filled)] for row in rows]
    widths = [max([columns_of(column.title), *(columns_of(row[i].text) for row in cells)]) for i, column in enumerate(columns)]
    if within is not None:
        _shrink(columns, widths, within)
    head = [Cell(column.title.upper(), dim=True) for column in columns]
    return [_line(columns, widths, row) for row in [head, *cells]]


def _shrink(columns: Sequence[Column], widths: list[int], within: int) -> None:
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - within
    while excess > 0:
        widest = max((i for i, c in enumerate(columns) if c.shrinks and widths[i] > LEAST_SHRUNK), key=lambda i: widths[i], default=None)
        if widest is None:
            return
        widths[widest] -= 1
        excess -= 1


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell]) -> str:
    parts = []
    for column, columns_wide, cell in zip(columns, widths, row, strict=True):
        shown = cell.shown(columns_wide)
        pad = " " * (columns_wide - columns_of(shown))
        parts.append(pad + shown if column.is_right else shown + pad)
    return GAP.join(parts).rstrip()


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]]) -> None:
    """Print a table as wide as the terminal, or in full when nobody looks."""
    for line in table(columns, rows, within=width() if is_interactive() else None):
        click.echo(line)


def print_json(value: Any) -> None:
    """Print a JSON document, two spaces deep."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_json_line(value: Any) -> None:
    """Print a JSON value on one line, and let it go at once: somebody reads along."""
    import msgspec

    click.echo(msgspec.json.encode(value))
    sys.stdout.flush()


def note(text: str) -> None:
    """Say something beside the result: on standard error, so that a pipe never sees it."""
    click.echo(text, err=True)
