"""
/api/scheduler: schedules, their next ticks, what came of them.

Source: conductor-rest-api.md §1.9, §3.11.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from batuta.api.binding import Count, Millis
from batuta.api.http import Response, empty_response, json_response
from batuta.api.services import Services
from batuta.core.query import All, Any_, Compare, Query, holds, instant, parse
from batuta.errors import BatutaError, Invalid
from batuta.wire.answers import BulkResponse, SearchResult
from batuta.wire.codec import decode, encode
from batuta.wire.requests import read_texts
from batuta.wire.schedule import read_schedule, read_tags
from batuta.wire.shape import Json

# What came of ticks is asked for and sorted by these names; Conductor's user interface has some of its own.
_FIELDS: Final = {
    "scheduleName": "scheduleName", "state": "state", "scheduledTime": "scheduledTime", "executionTime": "executionTime", "workflowName": "workflowName",
    "executionId": "executionId", "status": "state", "startTime": "scheduledTime", "workflowType": "workflowName",
}  # fmt: skip
_TIMES: Final = frozenset({"scheduledTime", "startTime", "executionTime"})
_PARTLY: Final = frozenset({"workflowName"})  # found by a part of it
_STATES: Final = ("POLLED", "EXECUTED", "FAILED")
_NAME: Final = re.compile(r"[\w .:-]+")
_SAMPLE: Final = 5


async def save(services: Services, body: bytes) -> Response:
    """Create or replace a schedule; it counts from now."""
    return json_response(encode(await services.schedules.save(read_schedule(decode(body)))))


def schedules(services: Services, *, workflow_name: str | None = None) -> Response:
    """Every schedule, or those of one workflow."""
    return json_response(encode([one for one in services.schedules.all() if workflow_name in (None, "", _workflow(one))]))


def search(
    services: Services, *, workflow_name: str = "", schedule_name: str = "", paused: bool | None = None, free_text: str = "*",
    start: Count = 0, size: Count = 100,
) -> Response:  # fmt: skip
    """A page of the schedules that meet every condition given, by name; names are looked for within names."""
    word = "" if free_text == "*" else free_text.lower()
    found = [
        one for one in services.schedules.all()
        if workflow_name in ("", _workflow(one)) and schedule_name in one["name"] and paused in (None, one["paused"])
        and (word in one["name"].lower() or word in _workflow(one).lower())
    ]  # fmt: skip
    return json_response(encode(SearchResult(len(found), found[start : start + size])))


def _workflow(schedule: Json) -> str:
    name: str = schedule["startWorkflowRequest"]["name"]
    return name


def read(services: Services, name: str) -> Response:
    """One schedule, with its next tick."""
    return json_response(encode(services.schedules.get(name)))


async def delete(services: Services, name: str) -> Response:
    """Forget a schedule and its history; harmless when there is none."""
    await services.schedules.delete(name)
    return empty_response()


async def pause(services: Services, name: str, *, reason: str | None = None) -> Response:
    """It does not fire until it is resumed."""
    await services.schedules.pause(name, reason)
    return empty_response()


async def resume(services: Services, name: str) -> Response:
    """It fires again, from now on; 404 also when it is not paused."""
    await services.schedules.resume(name)
    return empty_response()


def tags(services: Services, name: str) -> Response:
    """The tags of a schedule."""
    return json_response(encode(services.schedules.tags(name)))


async def set_tags(services: Services, name: str, body: bytes) -> Response:
    """These are its tags from now on."""
    await services.schedules.set_tags(name, read_tags(decode(body)))
    return empty_response()


async def remove_tags(services: Services, name: str, body: bytes) -> Response:
    """It has none of these tags any more, by key and value."""
    await services.schedules.remove_tags(name, read_tags(decode(body)))
    return empty_response()


async def _each(names: list[str], verb: Callable[[str], Awaitable[None]]) -> Response:
    failed: dict[str, str] = {}
    for name in dict.fromkeys(names):
        try:
            await verb(name)
        except BatutaError as error:
            failed[name] = str(error)
    return json_response(encode(BulkResponse(failed, [name for name in dict.fromkeys(names) if name not in failed])))


async def pause_many(services: Services, body: bytes) -> Response:
    """Pause each."""
    return await _each(read_texts(body), services.schedules.pause)


async def resume_many(services: Services, body: bytes) -> Response:
    """Resume each."""
    return await _each(read_texts(body), services.schedules.resume)


def next_few(
    services: Services, *, cron_expression: str, schedule_start_time: Millis | None = None, schedule_end_time: Millis | None = None, limit: int = 5,
    zone_id: str = "UTC",
) -> Response:  # fmt: skip
    """The next ticks of an expression, at most five, in epoch milliseconds."""
    return json_response(encode(services.schedules.preview(cron_expression, zone_id, schedule_start_time, schedule_end_time, limit)))


def requeue(services: Services) -> Response:
    """Look at the clock again; how many schedules will fire, and some of them."""
    names = services.schedules.requeue()
    return json_response(encode({"recordIds.size": len(names), "sampleIds": names[:_SAMPLE]}))


def hold(services: Services) -> Response:
    """No schedule fires on this server until it is resumed."""
    services.schedules.hold()
    return json_response(b'{"status":"done"}')


def release(services: Services) -> Response:
    """Schedules fire on this server again."""
    services.schedules.release()
    return json_response(b'{"status":"done"}')


async def executions(services: Services, *, query: str = "", free_text: str = "*", start: Count = 0, size: Count = 100, sort: str = "") -> Response:
    """
    A page of what came of ticks, newest first. *query*: conditions as in other searches, on `scheduleName`, `state`, `scheduledTime`, `executionTime`,
    `workflowName` (a part of it) and `executionId`; or the name of a schedule alone.
    """
    asked, word = _asked(services, query), free_text.strip().lower()
    found = [
        f for f in await services.schedules.firings.all()
        if holds(asked, lambda name, f=f: getattr(f, _FIELDS[name]), _TIMES, _PARTLY)  # type: ignore[misc]
        and (word in ("", "*") or any(word in text.lower() for text in (f.scheduleName, f.workflowName, f.workflowId, f.executionId, f.reason)))
    ]  # fmt: skip
    found.sort(key=lambda f: f.executionId)
    for field, down in reversed(_sorts(sort) or [("scheduledTime", True)]):
        found.sort(key=lambda f, field=field: getattr(f, field), reverse=down)  # type: ignore[misc]
    return json_response(encode(SearchResult(len(found), found[start : start + size])))


def _asked(services: Services, query: str) -> Query | None:
    """The query, or whose ticks are asked for. Raises Invalid for a query that does not read, and for a field, state or instant that there is not."""
    by_name = Compare("scheduleName", "IN", (query.strip(),))
    if any(one["name"] == query.strip() for one in services.schedules.all()):
        return by_name
    try:
        asked = parse(query)
    except Invalid:
        if _NAME.fullmatch(query) is None:
            raise
        return by_name
    if asked is not None:
        _check(asked)
    return asked


def _check(query: Query) -> None:
    match query:
        case All(parts) | Any_(parts):
            for part in parts:
                _check(part)
        case Compare(field, _, values):
            if field not in _FIELDS:
                raise Invalid(f"query field {field!r}: ticks have no such field, expected one of {', '.join(_FIELDS)}")
            for value in values:
                if field in _TIMES:
                    instant(value, field)
                elif _FIELDS[field] == "state" and value not in _STATES and "*" not in value:
                    raise Invalid(f"query field {field!r}: found {value!r}, expected one of {', '.join(_STATES)}")


def _sorts(sort: str) -> list[tuple[str, bool]]:
    """Fields and whether descending; fields that nobody knows are left out, as Conductor does."""
    found = []
    for part in sort.split(","):
        field, _, direction = part.strip().partition(":")
        if field in _FIELDS:
            found.append((_FIELDS[field], direction.strip().upper() != "ASC"))
    return found
