"""
/actuator: health, info and metrics, where Spring Boot has them, so that probes and scrapes of a Conductor server need not change.

Source: conductor-rest-api.md §1.7, §6.3. The metrics themselves are engine/metrics.py and engine/scrape.py.
"""

from __future__ import annotations

import platform
from typing import Final

from batuta.api.http import Request, Response, json_response
from batuta.api.services import Services
from batuta.engine import scrape
from batuta.engine.metrics import CONTENT_TYPE
from batuta.errors import Unavailable
from batuta.wire.codec import encode
from batuta.wire.shape import Json

_PLAIN: Final = (b"content-type", CONTENT_TYPE)


_BELOW: Final = ("health", "info", "prometheus")


def links(services: Services, request: Request) -> Response:
    """Where everything below /actuator is."""
    base = f"http://{request.header(b'host').decode('latin-1') or 'localhost'}/actuator"
    listed = {"self": base, **{name: f"{base}/{name}" for name in _BELOW}}
    return json_response(encode({"_links": {name: {"href": href, "templated": False} for name, href in listed.items()}}))


async def prometheus(services: Services) -> Response:
    """All metrics, as Prometheus reads them."""
    text = await scrape.page(services.metrics, services.engine, services.version, services.events)
    return Response(200, text.encode(), _PLAIN)


async def health(services: Services) -> Response:
    """
    Whether the store answers: UP, or DOWN and 503. (`/health` asks for less: it says that the process serves.)

    A broker that is away is shown, and is no reason to take the server away too: it serves, and messages wait for the broker in the outbox.
    """
    try:
        stored = await services.engine.store.statistics()
    except Unavailable as error:
        return json_response(encode({"status": "DOWN", "components": {"db": {"status": "DOWN", "details": {"error": str(error)}}}}), 503)
    components: Json = {"db": {"status": "UP", "details": {name: stored.get(name, 0) for name in ("executions", "tasks", "bytes", "outbox")}}}
    for name, health in services.events.health().items():
        components[name] = {"status": "UP" if health.is_up else "DOWN", "details": health.details}
    return json_response(encode({"status": "UP", "components": {**components, "ping": {"status": "UP"}}}))


def info(services: Services) -> Response:
    """What runs."""
    return json_response(encode({"build": {"name": "batuta", "version": services.version}, "python": {"version": platform.python_version()}}))
