"""
Log lines of the long-running commands: short for people, an object a line for machines. Always on standard error.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

LEVELS = ("debug", "info", "warning", "error")
_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


def log_options(function: F) -> F:
    """`--log-level` and `--log-json`."""
    json_lines = click.option("--log-json", is_flag=True, envvar="BATUTA_LOG_JSON", help="Log an object a line.  [BATUTA_LOG_JSON]")
    level = click.option(
        "--log-level", type=click.Choice(LEVELS), default="info", envvar="BATUTA_LOG_LEVEL", help="Log from this level on.  [BATUTA_LOG_LEVEL; info]"
    )
    return level(json_lines(function))


def set_up(level: str, as_json: bool) -> None:
    """Log to standard error from now on, and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Short(in_colour=sys.stderr.isatty()))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # One line for each retry of a connection; what comes of them is told by our own rooms.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def mask_with(mask: Callable[[str], str]) -> None:
    """From now on every line goes through *mask* before it is written: what it takes out is in no log."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Line):
            handler.formatter.mask = mask


class _Line(logging.Formatter):
    """A record as text, masked."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Callable[[str], str] = str

    def format(self, record: logging.LogRecord) -> str:
        return self.mask(self.line(record))

    def line(self, record: logging.LogRecord) -> str:
        raise NotImplementedError


class Short(_Line):
    """`14:02:11 WARNING batuta.engine: the message`, the level only when it is worth a word."""

    def __init__(self, *, in_colour: bool) -> None:
        super().__init__()
        self._in_colour = in_colour

    def line(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        if self._in_colour:
            stamp, level = click.style(stamp, dim=True), click.style(level, fg=_COLOURS.get(record.levelname), dim=record.levelno < logging.INFO)
        text = f"{stamp} {level}{record.name}: {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(_Line):
    """An object a line: at, level, logger, message, and the trace of an error."""

    def line(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
