"""
The ASGI application: one function from scope to answer.

There is no stack of middlewares. A request costs a look-up, its body, its parameters and its handler; what all requests have in common
(trust, limits, errors) stands here, in the order in which it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import Final

from batuta.api import errors
from batuta.api.binding import Bound
from batuta.api.browsers import Browsers
from batuta.api.http import BODY_BYTES_MAX, Disconnected, Receive, Request, Response, Scope, Send, Streamed
from batuta.api.router import Route, Router, WrongMethod
from batuta.api.routes import ROUTES
from batuta.api.services import Services
from batuta.api.site import PAGES, Site
from batuta.errors import BatutaError, NotFound

Trust = Callable[[Request, Route], Awaitable[None]]
"""Raises (Forbidden, or what it sees fit) when this caller may not use this route."""

_ALLOW: Final = b"allow"


class Application:
    """
    Conductor's API over these rooms. `trust` is asked before the body of a request is read; without it everybody may do everything.
    `site` answers what no route does: the console's files. `browsers` knows the names this server has, which pages of other sites have not.
    """

    def __init__(
        self, services: Services, routes: Iterable[Route] = ROUTES, *, trust: Trust | None = None, body_bytes_max: int = BODY_BYTES_MAX,
        site: Site | None = None, browsers: Browsers | None = None,
    ) -> None:  # fmt: skip
        self._services, self._trust, self._body_bytes_max, self._site = services, trust, body_bytes_max, site
        self._browsers = browsers or Browsers()
        self._watchers: set[asyncio.Task[None]] = set()
        self._router = Router()
        for route in routes:
            self._router.add(route, Bound(route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began = perf_counter()
        request = Request(scope, receive, self._watchers)
        try:
            response = await self._answer(request)
        except Disconnected:
            request.finish()
            return
        except BatutaError as error:
            response = errors.answer(error)
        except Exception as error:
            response = errors.unexpected(error, request)
        # A method or path that no route has is the caller's invention, of which there may be any number.
        method, pattern = (request.method, request.pattern) if request.pattern else ("OTHER", "UNKNOWN")
        self._services.metrics.answered(method, pattern, response.status, perf_counter() - began)
        if isinstance(response, Streamed):
            try:
                await response.send(send, with_body=request.method != "HEAD")
            finally:
                request.finish()  # only now: what comes in pieces may watch for the client until the end
            return
        request.finish()
        await send(response.start())
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})

    async def _answer(self, request: Request) -> Response:
        try:
            bound, request.values = self._router.find(request.method, request.path)
        except WrongMethod as wrong:
            if request.method != "OPTIONS":
                raise
            return Response(200, b"", (_ALLOW, ", ".join(wrong.allowed).encode()))
        except NotFound:
            page = self._site.answer(request) if self._site is not None else None
            if page is None:
                raise
            request.pattern = PAGES
            return page
        request.pattern = bound.route.pattern
        self._browsers.admit(request, bound.route)
        if self._trust is not None:
            await self._trust(request, bound.route)
        if bound.takes_body:
            await request.read_body(self._body_bytes_max)
            if bound.takes_json and request.body:
                request.require_json()
        response = bound.call(self._services, request)
        return response if isinstance(response, Response) else await response

    @property
    def watched(self) -> int:
        """How many clients are waiting for something that may never come."""
        return len(self._watchers)

    def release(self) -> None:
        """Waiting polls end with what they have: the server is stopping."""
        for watcher in list(self._watchers):
            watcher.cancel()
