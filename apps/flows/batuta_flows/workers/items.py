"""
Lists into items, and items' results into lists: what the plan and the collection of a mapped node do.

Pure functions over a task's input and output. Not here: who calls them (host.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from batuta_flows.document.values import kind_of, parts_of
from batuta_flows.errors import FlowError
from batuta_flows.workers.inputs import settings_of

Json = Any
ITEMS_MAX: Final = 1_000
_ITEM: Final = re.compile(r"_i(\d+)(?:__\d+)*$")


class ListsDiffer(FlowError):
    """Lists that go in step have different lengths."""

    code = "unequal_lists"


class TooMany(FlowError):
    """A list has more items than a node may run over."""

    code = "too_many_items"


class ItemsFailed(FlowError):
    """Items failed, and the node was not told to go on without them."""

    code = "items_failed"


def plan(given: Mapping[str, Json]) -> dict[str, Json]:
    """
    What a dynamic fork needs: `tasks` and `inputs` when all run at once, or `chunks` of them; and `count`, the number of items.

    Raises:
        ListsDiffer: names the settings, where their values come from, and their lengths.
        TooMany: the list is longer than a node may run over.
    """
    lists = {name: _items(given, name) for name in given["mapped"]}
    count = _one_length(given, lists)
    if count > ITEMS_MAX:
        raise TooMany(f"{given['nodeId']}: the list has {count} items, expected at most {ITEMS_MAX}")
    scalars = {name: value for name, value in settings_of(given).items() if name not in lists}
    made = [_item(given, i, {**scalars, **{name: found[i] for name, found in lists.items()}}) for i in range(count)]
    if not (at_once := int(given.get("atOnce") or 0)):
        return {"count": count, **_fork(made)}
    return {"count": count, "chunks": [_fork(made[i : i + at_once]) for i in range(0, count, at_once)]}


def _items(given: Mapping[str, Json], name: str) -> list[Json]:
    """The values of a mapped setting. A text with a list in it becomes a list of texts."""
    raw = (given.get("settings") or {}).get(name)
    if not isinstance(raw, dict) or kind_of(raw) != "text":
        value = settings_of({"settings": {"it": raw}, "slots": given.get("slots")})["it"]
        return list(value) if isinstance(value, list) else [] if value is None else [value]
    parts = [settings_of({"settings": {"it": part}, "slots": given.get("slots")})["it"] for part in parts_of(raw)]
    lengths = {len(part) for part in parts if isinstance(part, list)}
    if len(lengths) > 1:
        raise ListsDiffer(f"{given['nodeId']}.{name}: lists within one text need one length, found {' and '.join(map(str, sorted(lengths)))}")
    written = [part if isinstance(part, list) else [part] * next(iter(lengths), 1) for part in parts]
    return [settings_of({"settings": {"it": {"_type": "text", "parts": list(row)}}})["it"] for row in zip(*written, strict=True)]


def _one_length(given: Mapping[str, Json], lists: Mapping[str, list[Json]]) -> int:
    lengths = {name: len(found) for name, found in lists.items()}
    if len(set(lengths.values())) > 1:
        sources = given.get("sources") or {}
        told = ", ".join(f"{name}{' of ' + ' and '.join(sources[name]) if sources.get(name) else ''} has {length}" for name, length in lengths.items())
        raise ListsDiffer(f"{given['nodeId']}: lists that go in step need one length: {told}")
    return next(iter(lengths.values()), 0)


def _item(given: Mapping[str, Json], i: int, settings: Json) -> tuple[str, Json, Json]:
    ref = f"{given['ref']}_i{i}"
    # permissive: an item that fails lets its siblings end before the JOIN fails, so that a retry runs the failed one alone
    policy = "optional" if given.get("optional") else "permissive"
    task = {"name": given["nodeType"], "taskReferenceName": ref, "type": "SIMPLE", "inputParameters": {}, policy: True}
    if given.get("retries") is not None:
        task["retryCount"] = given["retries"]
    told = {key: given[key] for key in ("nodeId", "nodeType", "runId") if key in given}
    return ref, task, {**told, "settings": settings, "itemIndex": i}


def _fork(items: list[tuple[str, Json, Json]]) -> dict[str, Json]:
    return {"tasks": [task for _, task, _ in items], "inputs": {ref: given for ref, _, given in items}}


def collect(given: Mapping[str, Json]) -> dict[str, Json]:
    """
    The results of a mapped node: a list for each output, in the order of the items; `items`, one result each; `itemsCount` and `itemsFailed`.

    A failed item is left out with "skip" and null with "placeholder".

    Raises:
        ItemsFailed: an item has no result, and neither was asked for.
    """
    count, found = int(given.get("count") or 0), _results(given.get("joined") or {})
    failed = [i for i in range(count) if i not in found]
    policy = given.get("onItemError", "fail")
    if failed and policy == "fail":
        raise ItemsFailed(f"{given['nodeId']}: no result of item {', '.join(str(i + 1) for i in failed)} of {count}")
    results = [found.get(i) for i in range(count) if i in found or policy == "placeholder"]
    names = list(dict.fromkeys(name for result in results if result for name in result if name != "items"))
    columns = {name: [(result or {}).get(name) for result in results] for name in names}
    return {**columns, "items": results, "itemsCount": len(results), "itemsFailed": failed, "nodeType": given["nodeType"]}


def _results(joined: Mapping[str, Json]) -> dict[int, dict[str, Json]]:
    """Results by the number of their item, from the output of a JOIN, or of a loop over forks with JOINs."""
    found: dict[int, dict[str, Json]] = {}
    for key, value in joined.items():
        if not isinstance(value, dict):
            continue
        if item := _ITEM.search(key):
            if "provider" in value and "error" not in value:  # what a failed or an unfinished attempt left behind is no result
                found[int(item[1])] = value
        else:
            found |= _results(value)
    return found
