"""
Table: which node file speaks for which type, for those below the node files, which open nodes of any type.

Filled when core/nodes/ is imported (its `__init__` says what a node file may have); decide.py does that, and with it whoever moves an execution.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

BY_TYPE: dict[str, ModuleType] = {}
RUNS: set[str] = set()  # types that act at once
BEGINS: set[str] = set()  # types that start by themselves when they are due


def fill(files: Mapping[str, ModuleType]) -> None:
    """These files speak for these types."""
    BY_TYPE.update(files)
    RUNS.update(kind for kind, file in files.items() if hasattr(file, "run"))
    BEGINS.update(kind for kind, file in files.items() if hasattr(file, "begin"))


def speaker(kind: str) -> ModuleType:
    """The file for this type; a type nobody knows is a worker's."""
    return BY_TYPE.get(kind) or BY_TYPE["SIMPLE"]
