"""
/api/environment: what definitions may name as `${workflow.env.NAME}`.

Source: conductor-rest-api.md §1.8; writing and tags are Orkes', as the SDKs call them.
"""

from __future__ import annotations

from batuta.api.http import Request, Response, empty_response, json_response, text_response
from batuta.api.services import Services
from batuta.errors import Invalid
from batuta.wire.codec import decode, encode
from batuta.wire.schedule import read_tags
from batuta.wire.shape import Json


def variables(services: Services) -> Response:
    """Every variable with its value."""
    found = services.engine.environment.all()
    return json_response(encode([{"name": name, "value": value, **({"tags": tags} if tags else {})} for name, value, tags in found]))


def variable(services: Services, key: str) -> Response:
    """The value of one, as text; empty when there is none."""
    value = services.engine.environment.get(key)
    return empty_response() if value is None else text_response(value)


async def write(services: Services, key: str, request: Request, body: bytes) -> Response:
    """Set a variable; the body is its value, as text."""
    await services.engine.environment.put(key, read_text(request, body))
    return empty_response()


async def delete(services: Services, key: str) -> Response:
    """Forget a variable; its value, as text."""
    return text_response(await services.engine.environment.delete(key))


def tags(services: Services, key: str) -> Response:
    """The tags of a variable."""
    return json_response(encode(services.engine.environment.tags(key)))


async def set_tags(services: Services, key: str, body: bytes) -> Response:
    """These are its tags from now on."""
    await services.engine.environment.tag(key, read_tags(decode(body)))
    return empty_response()


async def remove_tags(services: Services, key: str, body: bytes) -> Response:
    """It has none of these tags any more, by key and value."""
    environment = services.engine.environment
    await environment.tag(key, without(environment.tags(key), read_tags(decode(body))))
    return empty_response()


def without(tags: list[Json], gone: list[Json]) -> list[Json]:
    """The tags that are not among those, by key and value."""
    pairs = [(tag["key"], tag.get("value")) for tag in gone]
    return [tag for tag in tags if (tag["key"], tag.get("value")) not in pairs]


def read_text(request: Request, body: bytes) -> str:
    """
    The text that the body is. Some clients send it as a JSON string, and say that it is JSON; that is taken at its word.

    Raises:
        Invalid: it is not UTF-8.
    """
    if request.header(b"content-type").startswith(b"application/json") and body[:1] == body[-1:] == b'"' and len(body) > 1:
        try:
            return str(decode(body))
        except Invalid:
            pass  # not one string in quotes, but text that begins and ends with some
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not UTF-8: byte {error.start} begins no character") from None
