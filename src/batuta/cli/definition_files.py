"""
Definitions outside a server: JSON files, directories of them, Python modules; and which kind each is.

Here: reading, telling kinds apart, comparing and writing. Not here: talking to a server (definitions.py), the rules of a good definition (the
server's).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote

from batuta.cli.failure import Exit, Failure

Json = dict[str, Any]
Kind = Literal["task", "workflow"]

# What a server notes about a definition; no part of what it says.
NOTED: Final = ("createTime", "updateTime", "createdBy", "updatedBy")
# Members of a task in a workflow that servers write out though they are empty.
_PADDING: Final = ("decisionCases", "defaultCase", "forkTasks", "loopOver", "joinOn", "defaultExclusiveJoinTask", "onStateChange", "metadata")


class Item(NamedTuple):
    """One definition and where it came from."""

    kind: Kind
    json: Json
    source: str

    @property
    def name(self) -> str:
        return str(self.json["name"])

    @property
    def version(self) -> int:
        """Of a workflow; 0 for a task definition, which has none."""
        return int(self.json.get("version") or 1) if self.kind == "workflow" else 0

    def __str__(self) -> str:
        return f"{self.name} v{self.version}" if self.version else self.name


def read(targets: Sequence[str]) -> list[Item]:
    """
    Every definition in these files, directories and modules: task definitions first, each once.

    Raises:
        Failure: a target is not there, holds something else, or two define the same differently.
    """
    found: dict[tuple[Kind, str, int], Item] = {}
    for target in targets:
        for item in _of_target(target):
            key = (item.kind, item.name, item.version)
            other = found.setdefault(key, item)
            if other.json != item.json:
                raise Failure(f"{item.kind} {str(item)!r} is defined twice, differently: in {other.source} and in {item.source}", Exit.USAGE)
    return sorted(found.values(), key=lambda item: item.kind)


def same(one: Item, stored: Json) -> bool:
    """Whether the server already has exactly this, defaults filled in on both sides."""
    return _settled(one.kind, one.json) == _settled(one.kind, stored)


def file_name(item: Item) -> str:
    """Where an export keeps it, below its directory."""
    safe = quote(item.name, safe=" ()+,=@[]")
    return f"workflows/{safe}.v{item.version}.json" if item.kind == "workflow" else f"tasks/{safe}.json"


def file_text(item: Item) -> str:
    """The definition as a file: what it says without what a server noted, and without empty members that mean nothing."""
    plain = {key: value for key, value in item.json.items() if key not in NOTED}
    slim = _slim(plain)
    return json.dumps(slim if _settled(item.kind, slim) == _settled(item.kind, plain) else plain, indent=2, ensure_ascii=False) + "\n"


def _slim(value: Any) -> Any:
    if isinstance(value, list):
        return [_slim(one) for one in value]
    if isinstance(value, dict):
        padding = _PADDING if "taskReferenceName" in value else ()
        return {key: _slim(one) for key, one in value.items() if one or key not in padding}
    return value


def _settled(kind: Kind, definition: Json) -> Json:
    """The definition with defaults filled in, as every server stores it."""
    from batuta.errors import Invalid
    from batuta.wire.metadata import read_task, read_workflow

    try:
        full = (read_workflow if kind == "workflow" else read_task)(definition)
    except Invalid:
        full = definition  # not ours to judge: the server says what is wrong with it
    return {key: value for key, value in full.items() if key not in NOTED}


def _of_target(target: str) -> Iterator[Item]:
    path = Path(target)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.json") if not any(part.startswith(".") for part in file.relative_to(path).parts))
        if not files:
            raise Failure(f"directory {target!r} holds no .json file", Exit.USAGE)
        for file in files:
            yield from _of_file(file)
    elif path.is_file():
        yield from _of_module(target, _loaded(path)) if path.suffix == ".py" else _of_file(path)
    elif path.suffix == ".json" or os.sep in target:
        raise Failure(f"there is no file or directory {target!r}", Exit.USAGE)
    else:
        yield from _of_name(target)


def _of_file(path: Path) -> Iterator[Item]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", Exit.USAGE) from None
    except ValueError as error:
        raise Failure(f"{path} is not JSON: {error}", Exit.USAGE) from None
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        yield _item(one, f"{path}[{index}]" if isinstance(value, list) else str(path))


def _item(value: Any, source: str) -> Item:
    """The definition with its kind, told by its shape."""
    if not isinstance(value, Mapping):
        raise Failure(f"{source} is {type(value).__name__}; expected a JSON object that defines a workflow or a task", Exit.USAGE)
    if "event" in value and "actions" in value:
        raise Failure(f"{source} is an event handler; only workflows and task definitions are applied", Exit.USAGE)
    if "taskReferenceName" in value:
        raise Failure(f"{source} is one task of a workflow, not a definition: it has a taskReferenceName", Exit.USAGE)
    if not isinstance(value.get("name"), str) or not value["name"]:
        raise Failure(f"{source} has no name; expected the definition of a workflow (name, tasks) or of a task (name, retryCount, …)", Exit.USAGE)
    return Item("workflow" if isinstance(value.get("tasks"), list) else "task", dict(value), source)


def _loaded(path: Path) -> ModuleType:
    """The module in a file, which may import its neighbours."""
    directory = str(path.resolve().parent)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _of_name(target: str) -> Iterator[Item]:
    """Definitions of `package.module` or `package.module:attribute`; the current directory is searched first."""
    name, _, attribute = target.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
        raise Failure(f"{target!r} is neither a file, nor a directory, nor a module", Exit.USAGE) from None
    if not attribute:
        yield from _of_module(target, module)
        return
    if not hasattr(module, attribute):
        raise Failure(f"module {name!r} has no attribute {attribute!r}", Exit.USAGE)
    yield from _of_value(getattr(module, attribute), target)


def _of_module(target: str, module: ModuleType) -> Iterator[Item]:
    """What stands at its top level under public names: workflows of the builder, task definitions, lists of both."""
    items = []
    for name, value in vars(module).items():
        if not name.startswith("_") and not callable(value):
            items += _defined(value, f"{target}:{name}")
    if not items:
        raise Failure(f"module {target!r} has no definitions at its top level; name a function that makes them: {target}:FUNCTION", Exit.USAGE)
    yield from items


def _defined(value: Any, source: str) -> list[Item]:
    """The definitions a variable of a module holds; none when it holds something else."""
    from batuta.client.builder import Flow

    if isinstance(value, Flow):
        return [_item(value.to_dict(), source)]
    if isinstance(value, dict) and isinstance(value.get("name"), str) and ({"tasks", "retryCount", "timeoutSeconds"} & value.keys()):
        return [_item(value, source)]
    if isinstance(value, list | tuple):
        return [item for index, one in enumerate(value) for item in _defined(one, f"{source}[{index}]")]
    return []


def _of_value(value: Any, source: str) -> list[Item]:
    """The definitions an attribute was named for: itself, what it holds, or what it makes when called."""
    if callable(value):
        value = value()
    if hasattr(value, "to_dict"):
        return [_item(value.to_dict(), source)]
    if isinstance(value, Mapping):
        return [_item(value, source)]
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise Failure(f"{source} is {type(value).__name__}; expected a workflow of the builder, a definition, or a list of them", Exit.USAGE)
    return [item for index, one in enumerate(value) for item in _of_value(one, f"{source}[{index}]")]
