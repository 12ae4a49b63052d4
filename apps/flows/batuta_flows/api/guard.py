"""
Who may speak to the backend from a browser: pages of this machine, of this backend, and of the origins that the operator names.

The original answers any page (CORS `*`), so a page that a developer happens to have open can start paid runs on the developer's machine. Two rules instead:
the name a request is sent to must be one of ours, as a page of another site can let its own name point to this machine (DNS rebinding) and is "the same
origin" then; and what changes something must not come from a foreign page. Programs send no Origin and are not browsers: they are let through.
Not here: authentication, which a reverse proxy before the backend does.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batuta_flows.api.problems import answer

READING: Final = ("GET", "HEAD", "OPTIONS")
_KEPT_S: Final = "600"  # how long a browser remembers what a preflight said


class Guard:
    """The application behind it sees only requests that may be made. *origins*: those that the operator trusts, such as `https://flows.example.com`."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins if origin)
        self._hosts = frozenset(host_of(origin) for origin in self._origins) | {socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin", "")
        if host and not self._is_ours(host_of(f"//{host}")):
            await _foreign_host(host)(scope, receive, send)
        elif not origin and (headers.get("sec-fetch-site") != "cross-site" or scope["method"] in READING):
            await self._app(scope, receive, _with(send, {}))
        elif origin and self._is_trusted(origin, host):
            await self._shared(scope, receive, send, origin, headers)
        elif scope["method"] in READING:
            await self._app(scope, receive, _with(send, {}))  # the page may not see the answer
        else:
            await _foreign_page(origin)(scope, receive, send)

    def _is_ours(self, name: str) -> bool:
        """Whether a request may be sent to this name: nobody else can make an address, a name of the local network, ours or the operator's point here."""
        return is_local(name) or _is_address(name) or name in self._hosts or (name != "" and "." not in name)

    def _is_trusted(self, origin: str, host: str) -> bool:
        """The operator's, the backend's own, or, while the backend is asked for on this machine, one of this machine."""
        return (
            origin.lower() in self._origins
            or origin.lower().partition("://")[2] == host.lower()
            or (is_local(host_of(origin)) and is_local(host_of(f"//{host}")))
        )  # fmt: skip

    async def _shared(self, scope: Scope, receive: Receive, send: Send, origin: str, headers: Headers) -> None:
        """Answer so that a page of *origin* may see the answer; a preflight is answered here."""
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            allowed = {
                "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
                "Access-Control-Allow-Headers": headers.get("access-control-request-headers", "*"),
                "Access-Control-Max-Age": _KEPT_S,
            }
            await Response(status_code=204, headers={**allowed, **_seen_by(origin)})(scope, receive, _with(send, {}))
            return
        await self._app(scope, receive, _with(send, _seen_by(origin)))


def _seen_by(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "ETag"}


def _with(send: Send, more: dict[str, str]) -> Send:
    """*send*, with these headers on the answer; caches are told that it depends on who asks."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(more)
            headers.add_vary_header("Origin")
        await send(message)

    return sent


def is_local(name: str) -> bool:
    """Whether a host name means this machine, wherever it is asked for."""
    return name == "localhost" or name.endswith(".localhost") or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def host_of(url: str) -> str:
    """The host name in an address, in lower case; empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _foreign_host(host: str) -> Response:
    told = f"this backend does not go by the name {host!r}; when it should, name it in FLOWS_PUBLIC_URL or FLOWS_ORIGINS, such as https://{host}"
    return answer(403, "foreign_host", told)


def _foreign_page(origin: str) -> Any:
    told = f"a page of {origin or 'another site'} may not use this backend; when it should, add its origin to FLOWS_ORIGINS"
    return answer(403, "foreign_origin", told)
