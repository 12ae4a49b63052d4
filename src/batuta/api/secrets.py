"""
/api/secrets: what definitions may name as `${workflow.secrets.NAME}`. Written, used and deleted here; read only where the operator says so.

Source: conductor-rest-api.md §1.8; `secrets-v2` and tags are Orkes', as the SDKs call them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from batuta.api.environment import read_text, without
from batuta.api.http import Request, Response, empty_response, json_response, text_response
from batuta.api.services import Services
from batuta.engine.secrets import checked_name
from batuta.errors import Forbidden, NotFound, SecretUnreadable
from batuta.wire.codec import decode, encode
from batuta.wire.schedule import read_tags
from batuta.wire.shape import Json

_SHOWN, _SHOWN_FROM = 4, 32  # letters of each end that a list shows, of a secret at least so long
_WRITE_ONLY: Final = (
    "secret {key!r} is there, and this server tells no values: a definition uses it as ${{workflow.secrets.{key}}}; "
    "BATUTA_SECRETS_READABLE=true lets whoever reaches the API read it"
)


def names(services: Services) -> Response:
    """The names of all secrets."""
    return json_response(encode(services.engine.secrets.names()))


def overview(services: Services) -> Response:
    """The same with when each was stored, and what may be shown of it: its ends when it is long, nothing when it is short."""
    return json_response(encode([_overview(services, name) for name in services.engine.secrets.names()]))


def _overview(services: Services, name: str) -> Json:
    shown: Json = {"name": name, "partial": _partial(services, name)}
    if (stored := services.engine.secrets.stored(name)) is not None:
        shown |= {"created_at": _instant(stored.created_at), "updated_at": _instant(stored.updated_at)}
    return shown


def _partial(services: Services, name: str) -> str:
    try:
        value = services.engine.secrets.get(name) or ""
    except SecretUnreadable:
        return "..."
    return f"{value[:_SHOWN]}...{value[-_SHOWN:]}" if len(value) >= _SHOWN_FROM else "..."


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tagged(services: Services) -> Response:
    """The names of all secrets, with their tags."""
    secrets = services.engine.secrets
    return json_response(encode([{"name": name, "tags": secrets.tags(name)} for name in secrets.names()]))


def read(services: Services, key: str) -> Response:
    """The value of a secret, as text, where the operator allows it. (Conductor tells every value; its refusals here have no body.)"""
    _check_there(services, key)
    if not services.secrets_readable:
        raise Forbidden(_WRITE_ONLY.format(key=key))
    return text_response(services.engine.secrets.get(key) or "")


def exists(services: Services, key: str) -> Response:
    """Whether there is such a secret."""
    return json_response(encode(services.engine.secrets.exists(checked_name(key))))


async def write(services: Services, key: str, request: Request, body: bytes) -> Response:
    """Set a secret; the body is its value, as text."""
    await services.engine.secrets.put(key, read_text(request, body))
    return empty_response()


async def delete(services: Services, key: str) -> Response:
    """Forget a secret."""
    await services.engine.secrets.delete(key)
    return empty_response()


def tags(services: Services, key: str) -> Response:
    """The tags of a secret."""
    _check_there(services, key)
    return json_response(encode(services.engine.secrets.tags(key)))


async def set_tags(services: Services, key: str, body: bytes) -> Response:
    """These are its tags from now on."""
    await services.engine.secrets.tag(key, read_tags(decode(body)))
    return empty_response()


async def remove_tags(services: Services, key: str, body: bytes) -> Response:
    """It has none of these tags any more, by key and value."""
    secrets = services.engine.secrets
    await secrets.tag(key, without(secrets.tags(key), read_tags(decode(body))))
    return empty_response()


async def rotate(services: Services) -> Response:
    """A new key for all stored secrets; how many, and what names the key."""
    count = await services.engine.secrets.rotate()
    return json_response(encode({"secrets": count, "key": services.engine.secrets.ring.current}))


def _check_there(services: Services, key: str) -> None:
    if not services.engine.secrets.exists(checked_name(key)):
        raise NotFound(f"no secret is named {key!r}; PUT /api/secrets/{key} stores one, and the server's CONDUCTOR_SECRET_{key} is one")
