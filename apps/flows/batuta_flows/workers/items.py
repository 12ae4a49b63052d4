"""
Lists into items, and items' results into lists: what the plan and the collection of a mapped node do.

Pure functions over a task's input and output. Not here: who calls them (host.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from batuta_flows.document.values import has_slots, kind_of, partly_filled, parts_of, sealed
from batuta_flows.errors import FlowError

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

    *given* is of one node, whose items are tasks; or of a stream (`members`, a node each), whose items are workflows of one task a node.

    Raises:
        ListsDiffer: names the settings, where their values come from, and their lengths.
        TooMany: the list is longer than a node may run over.
    """
    members = given.get("members") or [given]
    lists = {(m["ref"], name): found for m in members for name in m["mapped"] if (found := _items(m, name)) is not None}
    called = {(m["ref"], name): _called(m, name, members) for m in members for name in m["mapped"]}
    count = _one_length(given["nodeId"], {called[which]: found for which, found in lists.items()})
    if count > ITEMS_MAX:
        raise TooMany(f"{given['nodeId']}: the list has {count} items, expected at most {ITEMS_MAX}")
    scalars = {m["ref"]: partly_filled(m.get("settings") or {}, m.get("slots") or {}) for m in members}
    made = []
    for i in range(count):
        settings = {ref: {**known, **{name: found[i] for (of, name), found in lists.items() if of == ref}} for ref, known in scalars.items()}
        made.append(_stream(given, i, settings) if "members" in given else _item(given, i, settings[given["ref"]]))
    if not (at_once := int(given.get("atOnce") or 0)):
        return {"count": count, **_fork(made)}
    return {"count": count, "chunks": [_fork(made[i : i + at_once]) for i in range(0, count, at_once)]}


def _called(member: Mapping[str, Json], name: str, members: list[Mapping[str, Json]]) -> str:
    """A setting, and where its list comes from, as an error names it."""
    sources = (member.get("sources") or {}).get(name)
    called = name if len(members) == 1 else f"{member['nodeId']}.{name}"
    return f"{called} of {' and '.join(sources)}" if sources else called


def _items(given: Mapping[str, Json], name: str) -> list[Json] | None:
    """The values of a mapped setting; None when they come from inside the stream, item by item. A text with a list in it becomes a list of texts."""
    raw, slots = (given.get("settings") or {}).get(name), given.get("slots") or {}
    if not isinstance(raw, dict) or kind_of(raw) != "text":
        value = partly_filled(raw, slots)
        if not isinstance(value, list) and has_slots(value):
            return None
        return list(value) if isinstance(value, list) else [] if value is None else [value]
    parts = [partly_filled(part, slots) for part in parts_of(raw)]
    lengths = {len(part) for part in parts if isinstance(part, list)}
    if len(lengths) > 1:
        raise ListsDiffer(f"{given['nodeId']}.{name}: lists within one text need one length, found {' and '.join(map(str, sorted(lengths)))}")
    if not lengths and any(kind_of(part) == "slot" for part in parts):
        return None
    written = [part if isinstance(part, list) else [part] * next(iter(lengths), 1) for part in parts]
    return [partly_filled({"_type": "text", "parts": list(row)}, {}) for row in zip(*written, strict=True)]


def _one_length(node_id: str, lists: Mapping[str, list[Json]]) -> int:
    lengths = {called: len(found) for called, found in lists.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{called} has {length}" for called, length in lengths.items())
        raise ListsDiffer(f"{node_id}: lists that go in step need one length: {told}")
    return next(iter(lengths.values()), 0)


# permissive: an item that fails lets its siblings end before the JOIN fails, so that a retry runs the failed one alone
def _policy(given: Mapping[str, Json]) -> dict[str, Json]:
    return {"optional" if given.get("optional") else "permissive": True}


def _item(given: Mapping[str, Json], i: int, settings: Json) -> tuple[str, Json, Json]:
    ref = f"{given['ref']}_i{i}"
    task = {"name": given["nodeType"], "taskReferenceName": ref, "type": "SIMPLE", "inputParameters": {}, **_policy(given)}
    if given.get("retries") is not None:
        task["retryCount"] = given["retries"]
    told = {key: given[key] for key in ("nodeId", "nodeType", "runId") if key in given}
    return ref, task, {**told, "settings": sealed(settings), "itemIndex": i}


def _stream(given: Mapping[str, Json], i: int, settings: dict[str, Json]) -> tuple[str, Json, Json]:
    ref, name = f"{given['ref']}_i{i}", given["workflow"]
    task = {"name": name, "taskReferenceName": ref, "type": "SUB_WORKFLOW", "inputParameters": {}, "retryCount": 0, **_policy(given)}
    task["subWorkflowParam"] = {"name": name, "version": 1}
    return ref, task, {"runId": given["runId"], "itemIndex": i, "nodes": {of: sealed(known) for of, known in settings.items()}}


def _fork(items: list[tuple[str, Json, Json]]) -> dict[str, Json]:
    return {"tasks": [task for _, task, _ in items], "inputs": {ref: given for ref, _, given in items}}


def collect(given: Mapping[str, Json]) -> dict[str, Json]:
    """
    The results of a mapped node: a list for each output, in the order of the items; `items`, one result each; `itemsCount` and `itemsFailed`.

    A failed item is left out with "skip" and null with "placeholder". Of a stream, `member` says whose results.

    Raises:
        ItemsFailed: an item has no result, and neither was asked for.
    """
    count, found = int(given.get("count") or 0), _results(given.get("joined") or {}, int(given.get("members") or 0))
    failed = [i for i in range(count) if i not in found]
    policy = given.get("onItemError", "fail")
    if failed and policy == "fail":
        raise ItemsFailed(f"{given['nodeId']}: no result of item {', '.join(str(i + 1) for i in failed)} of {count}")
    if "member" in given:
        found = {i: result[given["member"]] for i, result in found.items()}
    results = [found.get(i) for i in range(count) if i in found or policy == "placeholder"]
    names = list(dict.fromkeys(name for result in results if result for name in result if name != "items"))
    columns = {name: [(result or {}).get(name) for result in results] for name in names}
    return {**columns, "items": results, "itemsCount": len(results), "itemsFailed": failed, "nodeType": given["nodeType"]}


def _results(joined: Mapping[str, Json], members: int) -> dict[int, dict[str, Json]]:
    """
    Results by the number of their item, from the output of a JOIN, or of a loop over forks with JOINs.

    Of a stream of so many *members* an item counts when all of them have a result, so that their lists stay in step.
    """
    found: dict[int, dict[str, Json]] = {}
    for key, value in joined.items():
        if not isinstance(value, dict):
            continue
        if item := _ITEM.search(key):
            if sum(map(_is_result, value.values())) == members if members else _is_result(value):
                found[int(item[1])] = value
        else:
            found |= _results(value, members)
    return found


def _is_result(value: Json) -> bool:
    """What a failed or an unfinished attempt left behind is none."""
    return isinstance(value, dict) and "provider" in value and "error" not in value
