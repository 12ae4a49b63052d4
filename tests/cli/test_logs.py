"""Log lines, for people and for machines."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from batuta.cli import logs
from batuta.cli.logs import JsonLines, Short
from batuta.core.expr.masks import Mask


def record(level: int, message: str, *args: object, error: bool = False) -> logging.LogRecord:
    exc_info = None
    if error:
        try:
            raise ValueError("why")
        except ValueError:
            exc_info = sys.exc_info()
    made = logging.LogRecord("batuta.engine", level, __file__, 1, message, args, exc_info)
    made.created, made.msecs = 1_700_000_000.25, 250
    return made


def test_a_short_line_has_its_level_only_when_it_is_worth_a_word() -> None:
    plain = Short(in_colour=False)
    assert plain.format(record(logging.INFO, "took %d", 3)).endswith(" batuta.engine: took 3")
    assert plain.format(record(logging.WARNING, "late"))[8:] == " WARNING batuta.engine: late"
    assert plain.format(record(logging.ERROR, "broke", error=True)).endswith("ValueError: why")
    assert "\x1b[31m" in Short(in_colour=True).format(record(logging.ERROR, "broke"))


def test_a_json_line_is_one_object_whatever_it_says() -> None:
    text = JsonLines().format(record(logging.ERROR, "two\nlines äß", error=True))
    line = json.loads(text)
    assert "\n" not in text and line.pop("trace").endswith("ValueError: why")
    assert line == {"at": "2023-11-14T22:13:20.250Z", "level": "error", "logger": "batuta.engine", "message": "two\nlines äß"}


def test_every_line_is_masked_whatever_it_comes_from() -> None:
    for formatter in (Short(in_colour=False), JsonLines()):
        formatter.mask = Mask({"TOKEN": "hush-hush-hush"}).text
        made = formatter.format(record(logging.ERROR, "got %s", "hush-hush-hush", error=True))
        assert "hush" not in made and "got ***" in made


def test_the_log_of_a_server_goes_through_its_mask(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.set_up("info", as_json=False)
        logs.mask_with(Mask({"TOKEN": "hush-hush-hush"}).text)
        logging.getLogger("batuta.engine").warning("got %s", "hush-hush-hush")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert capsys.readouterr().err.endswith("WARNING batuta.engine: got ***\n")
