"""
/api/event: event handlers, what became of messages, and messages set aside.

Source: conductor-rest-api.md §1.4. The history and the messages set aside are ours: Conductor keeps the former and does not show it.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from batuta.api.binding import Count
from batuta.api.environment import without
from batuta.api.http import Response, empty_response, json_response
from batuta.api.services import Services
from batuta.errors import InvalidFields, Violation
from batuta.wire.answers import SearchResult
from batuta.wire.codec import decode, encode
from batuta.wire.event import DeadMessage, OutgoingMessage, read_handler, read_handlers
from batuta.wire.mask import masked
from batuta.wire.schedule import read_tags
from batuta.wire.shape import Json

Kept = TypeVar("Kept", DeadMessage, OutgoingMessage)


async def create(services: Services, body: bytes) -> Response:
    """Register a handler, or each of a list, which is what the official JavaScript client sends; 409 for a name that exists."""
    value = decode(body)
    given = read_handlers(value) if isinstance(value, list) else [read_handler(value)]
    _check(services, given, "addEventHandler.arg0")
    await services.events.handlers.create(*given)
    await services.events.listen()
    return empty_response()


def _check(services: Services, handlers: list[Json], at: str) -> None:
    """No message could ever come to these. Raises InvalidFields."""
    events = [handler.get("event") or "" for handler in handlers]
    refusals = [(event, services.events.refusal(event, for_listening=True)) for event in events]
    if broken := [Violation(f"{at}.event", f"event {event!r}: {refusal}", event) for event, refusal in refusals if refusal is not None]:
        raise InvalidFields(broken)


async def replace(services: Services, body: bytes) -> Response:
    """Replace one that exists."""
    given = read_handler(decode(body))
    _check(services, [given], "updateEventHandler.arg0")
    await services.events.handlers.replace(given)
    await services.events.listen()
    return empty_response()


async def delete(services: Services, name: str) -> Response:
    """Forget one."""
    await services.events.handlers.delete(name)
    await services.events.listen()
    return empty_response()


def tags(services: Services, name: str) -> Response:
    """The tags of a handler."""
    return json_response(encode(services.events.handlers.tags(name)))


async def set_tags(services: Services, name: str, body: bytes) -> Response:
    """These are its tags from now on."""
    await services.events.handlers.tag(name, read_tags(decode(body)))
    return empty_response()


async def remove_tags(services: Services, name: str, body: bytes) -> Response:
    """It has none of these tags any more, by key and value."""
    kept = services.events.handlers
    await kept.tag(name, without(kept.tags(name), read_tags(decode(body))))
    return empty_response()


def handlers(services: Services) -> Response:
    """Every handler, by name."""
    return json_response(encode([entry.body for entry in services.events.handlers.all()]))


def handlers_of(services: Services, event: str, *, active_only: bool = True) -> Response:
    """The handlers of exactly this event."""
    return json_response(encode([entry.body for entry in services.events.handlers.of(event) if entry.value["active"] or not active_only]))


async def executions(
    services: Services, *, handler: str | None = None, event: str | None = None, message_id: str | None = None,
    status: Literal["", "COMPLETED", "FAILED", "SKIPPED"] = "", start: Count = 0, size: Count = 100,
) -> Response:  # fmt: skip
    """What became of messages, newest first: one entry for each action of each handler."""
    found = await services.events.journal.executions(handler=handler, event=event, status=status or None, message_id=message_id)
    return json_response(encode(SearchResult(len(found), found[start : start + size])))


async def outgoing(services: Services, *, start: Count = 0, size: Count = 100) -> Response:
    """Messages of EVENT tasks that have not reached their queue yet, oldest first, with why."""
    found = await services.events.outgoing()
    page = [_shown(services, message) for message in found[start : start + size]]
    return json_response(encode(SearchResult(len(found), page)))


async def dead(services: Services, *, start: Count = 0, size: Count = 100) -> Response:
    """Messages set aside because something failed for good, newest first."""
    found = await services.events.journal.dead()
    return json_response(encode(SearchResult(len(found), [_shown(services, one) for one in found[start : start + size]])))


def _shown(services: Services, message: Kept) -> Kept:
    return msgspec.structs.replace(message, payload=masked(message.payload, services.events.masks_of(message.payload)))


async def redeliver(services: Services, id: str) -> Response:
    """Try again what failed with a message set aside; the message as it is set aside again, or null when all is done."""
    left = await services.events.redeliver(id)
    return json_response(encode(None if left is None else _shown(services, left)))


async def drop(services: Services, id: str) -> Response:
    """Forget a message set aside."""
    await services.events.journal.drop(id)
    return empty_response()
