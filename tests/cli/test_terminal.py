"""How things look: widths, cuts, tables, colour."""

from __future__ import annotations

import click
import pytest

from batuta.cli import terminal
from batuta.cli.terminal import Cell, Column

#       environment                              colour
COLOURS = [
    ({}, None),
    ({"TERM": "xterm-256color"}, None),
    ({"TERM": "dumb"}, False),
    ({"NO_COLOR": "1"}, False),
    ({"NO_COLOR": ""}, None),
    ({"FORCE_COLOR": "1"}, True),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
]


@pytest.mark.parametrize(("environment", "wanted"), COLOURS)
def test_colour_is_as_the_environment_says(environment: dict[str, str], wanted: bool | None) -> None:
    assert terminal.colour_wanted(environment) is wanted


#       text                            columns
WIDTHS = [
    ("", 0),
    ("abc", 3),
    ("grün ✓", 6),
    ("部品", 4),
    ("e\u0301", 1),
    (click.style("red", fg="red"), 3),
]


@pytest.mark.parametrize(("text", "columns"), WIDTHS)
def test_columns_are_counted_as_a_screen_shows_them(text: str, columns: int) -> None:
    assert terminal.columns_of(text) == columns


#       text             columns  shown
CUTS = [
    ("short", 10, "short"),
    ("exactly", 7, "exactly"),
    ("too long", 5, "too…"),
    ("two\nlines", 20, "two lines"),
    ("部品部品", 5, "部品…"),
    ("部品部品", 4, "部…"),
]


@pytest.mark.parametrize(("text", "columns", "shown"), CUTS)
def test_a_text_is_cut_to_its_columns(text: str, columns: int, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "speaks_unicode", lambda: True)
    assert terminal.cut(text, columns) == shown
    assert terminal.columns_of(shown) <= columns


def test_without_unicode_an_ellipsis_is_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "speaks_unicode", lambda: False)
    assert terminal.cut("too long", 5) == "too~"


#       text from elsewhere            printed
CONTROLS = [
    ("plain", "plain"),
    ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
    ("\x1b[2J\x1b[Hgone", "[2J[Hgone"),
    ("\x1b]0;title\x07", "]0;title"),
    ("over\rwritten\x08", "overwritten"),
    ("c1 \x9b31m", "c1 31m"),
]


@pytest.mark.parametrize(("text", "printed"), CONTROLS)
def test_what_others_wrote_cannot_move_the_cursor(text: str, printed: str) -> None:
    assert terminal.printable(text) == printed
    assert "\x1b[2J" not in Cell(text).shown() and "\x1b" not in terminal.cut(text, 100)


def test_a_styled_line_keeps_its_styles_when_cut() -> None:
    line = f"{click.style('abcdef', fg='red')} {click.style('ghijkl', fg='blue')}"
    cut = terminal.cut_styled(line, 9)
    assert click.unstyle(cut).startswith("abcdef g") and terminal.columns_of(cut) == 9
    assert cut.count("\x1b[") == line.count("\x1b[")
    assert terminal.cut_styled(line, 13) == line


def test_a_table_has_aligned_columns_and_no_empty_ones() -> None:
    columns = [Column("name"), Column("count", is_right=True), Column("nothing"), Column("why")]
    rows: list[list[Cell | str]] = [["a", "1", "", Cell("red", fg="red")], ["longer", "20,000", "", "plain"]]
    shown = [click.unstyle(line) for line in terminal.table(columns, rows)]
    assert shown == [
        "NAME     COUNT  WHY",
        "a            1  red",
        "longer  20,000  plain",
    ]


def test_a_table_too_wide_for_the_screen_shrinks_where_it_may() -> None:
    columns = [Column("id"), Column("reason", shrinks=True)]
    rows: list[list[Cell | str]] = [["0123456789", "a very long reason indeed"]]
    shown = terminal.table(columns, rows, within=24)
    assert [terminal.columns_of(line) <= 24 for line in shown] == [True, True]
    assert "0123456789" in shown[1] and terminal.table(columns, rows)[1].endswith("indeed")
    assert len(terminal.table(columns, rows, within=3)) == 2  # as narrow as it gets, but never an error
