"""
The workflow and task definitions of the firmware application, as JSON files that any Conductor server takes.

Here: reading them and registering them. The files: workflows/*.json and tasks.json are the form for production; original/ holds the form in
which the K1 guides post them (DECISION, a literal address, one task definition at a time), which runs as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from batuta.client import SyncClient

Form = Literal["corrected", "original"]
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Definitions:
    """Workflow and task definitions, in the order of their files' names."""

    workflows: tuple[dict[str, Any], ...]
    tasks: tuple[dict[str, Any], ...]


def load(form: Form = "corrected") -> Definitions:
    """The definitions of *form*, from the files of this package."""
    if form == "original":
        folder = FOLDER / "original"
        return Definitions(_each(folder / "workflows"), _each(folder / "tasks"))
    tasks: list[dict[str, Any]] = json.loads((FOLDER / "tasks.json").read_text())
    return Definitions(_each(FOLDER / "workflows"), tuple(tasks))


def register(client: SyncClient, definitions: Definitions) -> None:
    """Make the server know *definitions*, tasks first, whatever it knew before: safe to repeat."""
    client.register_task_defs(definitions.tasks)
    client.register_workflows(definitions.workflows)


def _each(folder: Path) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(path.read_text()) for path in sorted(folder.glob("*.json")))
