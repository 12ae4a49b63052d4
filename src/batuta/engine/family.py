"""
Family: one metric and how it is written in Prometheus' text format. What is counted is metrics.py's, tally.py's and scrape.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

NAMES_MAX: Final = 300
"""Names, or combinations of labels, that one metric tells apart."""
OTHER: Final = "other"

Labels = Sequence[tuple[str, str]]


class Family:
    """One metric as it is shown: its name, kind and help, and rows of (suffix, labels, number)."""

    def __init__(self, name: str, kind: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.kind, self.help, self.labels = name, kind, help, tuple(labels)

    def text(self, rows: Iterable[tuple[str, Labels, float]]) -> Iterator[str]:
        """In Prometheus' text format."""
        yield f"# HELP {self.name} {self.help}\n"
        yield f"# TYPE {self.name} {self.kind}\n"
        for suffix, labels, number in rows:
            yield f"{self.name}{suffix}{_braced(labels)} {written(number)}\n"


def _braced(labels: Labels) -> str:
    text = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{text}}}" if text else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def written(value: float) -> str:
    """The number as the format has it."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
