"""
The documentation as data: pages, their code blocks, and the tables of runs that stand under definitions.

A table of runs says what a definition does, in words that are also a test (test_examples.py):

    | input | meanwhile | ends | output |
    |---|---|---|---|
    | `{"n": 1}` | `greet` answers `{"said": "hi"}`; 2 h pass | COMPLETED | `{"said": "hi"}` |

Here: reading. Not here: playing the runs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COLUMNS = ["input", "meanwhile", "ends", "output"]


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is written in, its text, the line it begins at, and the runs under it as cells of text."""

    page: Path
    line: int
    language: str
    text: str
    runs: list[dict[str, str]] = field(default_factory=list)

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def value(self) -> Any:
        """The JSON that the block is; the error of one that is none says where it stands."""
        try:
            return json.loads(self.text)
        except json.JSONDecodeError as error:
            raise AssertionError(f"{self.where}: {error}") from None

    @property
    def kind(self) -> str:
        """What the JSON is: `workflow`, `tasks` (definitions), `node`, `handler` or `other`."""
        match self.value:
            case {"name": _, "tasks": _}:
                return "workflow"
            case {"taskReferenceName": _}:
                return "node"
            case {"event": _, "actions": _}:
                return "handler"
            case [{"name": _, "retryCount": _}, *_] | [{"name": _, "timeoutSeconds": _}, *_]:
                return "tasks"
            case _:
                return "other"


def pages() -> list[Path]:
    """Every page of the documentation, and those at the top of the house."""
    return sorted(DOCS.rglob("*.md")) + [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        opened = re.fullmatch(r"```(\w*).*", lines[at])
        if opened is None:
            at += 1
            continue
        end = next(n for n in range(at + 1, len(lines)) if lines[n] == "```")
        found.append(Block(page, at + 2, opened[1], "\n".join(lines[at + 1 : end]) + "\n", _runs(lines[end + 1 :])))
        at = end + 1
    return found


def _runs(lines: list[str]) -> list[dict[str, str]]:
    """The rows of the table of runs that stands in these lines before the next block or heading."""
    rows: list[dict[str, str]] = []
    reading = False
    for line in lines:
        if line.startswith(("```", "#")):
            break
        cells = row_of(line)
        if cells == COLUMNS:
            reading = True
        elif reading and not cells:
            break
        elif reading and not set("".join(cells)) <= set("-: "):
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows


def row_of(line: str) -> list[str]:
    """The cells of a line of a table; empty when it is none. An escaped bar is a bar."""
    if not line.startswith("|"):
        return []
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def first_column(page: Path) -> list[str]:
    """What stands in backquotes in the first cell of each row of a page's tables."""
    rows = (row_of(line) for line in page.read_text(encoding="utf-8").splitlines())
    return [name for cells in rows if cells for name in re.findall(r"`([^`]+)`", cells[0])]
