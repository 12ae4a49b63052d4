"""
What a browser may ask of this server, and on behalf of which page.

Whoever reaches the port may do everything, so a page of another site must not do it through the browser of somebody who does. Two ways are closed:

    a page of another site asks        browsers say so (Sec-Fetch-Site), or name the page (Origin); programs send neither
    a page of another site becomes ours: its name is made to lead here (DNS rebinding), and then it is "the same site"; but its name stays in Host

What browsers say of a request depends on the connection. On https and on loopback they send Sec-Fetch-Site, and no foreign name can get so far: a certificate
or the loopback name would not fit. On plain http they send neither that nor, for a GET, Origin. Then Host must be one that no stranger can have: an
address, a name without a dot, localhost, a name of this machine, or one of the setting allowed_hosts; and a GET that acts needs a Referer of our own.
A name that is unknown matters to browsers alone, which always send Accept-Language (a page can change it, not leave it out). Node's fetch sends it too, but
with Sec-Fetch-Mode, which browsers never send without Sec-Fetch-Site. So no worker or SDK is asked by what name it found the server.
Source: Fetch Metadata Request Headers (W3C) §2; Fetch standard §4.6 and its forbidden request-headers.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Final

from batuta.api.http import Request
from batuta.api.router import Route
from batuta.errors import Forbidden

_OURS: Final = (b"same-origin", b"none")  # a page of ours; the person: an address that was typed, a bookmark
_OPEN: Final = ("/health", "/actuator/health", "/swagger-ui", "/context.js")  # they tell nothing about anybody, and monitors ask for them as browsers do
_KNOWN_MAX: Final = 1000


class Browsers:
    """Who may ask from a browser. *allowed*: names this server is reached by besides its own; `.example.com` with all below it, `*` any."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        machine = socket.gethostname().lower()
        self._names = frozenset((machine, machine.partition(".")[0] + ".local", *(name.lower() for name in allowed)))
        self._known: dict[bytes, bool] = {}  # by Host as it was sent

    def admit(self, request: Request, route: Route) -> None:
        """Raise Forbidden, with what to do about it, when this request of a browser may not be answered."""
        told = request.headers
        if b"accept-language" not in told and b"origin" not in told and b"sec-fetch-site" not in told:
            return  # a program
        site, origin, host = told.get(b"sec-fetch-site"), told.get(b"origin"), told.get(b"host", b"")
        if site in _OURS or route.pattern.startswith(_OPEN):
            return
        if site:  # the connection is one that no foreign name gets through
            follows = told.get(b"sec-fetch-mode") == b"navigate" and told.get(b"sec-fetch-dest") == b"document"
            if follows and route.method == "GET" and not route.acts:
                return  # a link to something that is read
            raise _foreign(origin)
        if origin and not _is_of(origin, told):
            raise _foreign(origin)
        if not self._knows(host) and (origin or (b"accept-language" in told and b"sec-fetch-mode" not in told)):
            raise Forbidden(
                f"a browser asks for {host.decode('latin-1')!r}, which is no name of this server that it knows of; open the server by its address or by "
                "https, or add the name to the setting allowed_hosts (BATUTA_ALLOWED_HOSTS)"
            )
        if route.acts and not origin and told.get(b"user-agent", b"").startswith(b"Mozilla/") and not _is_of(told.get(b"referer", b""), told):
            raise Forbidden("a browser may ask for this from a page of this server alone, since it acts; use the console, or a program such as curl")

    def _knows(self, host: bytes) -> bool:
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            known = self._known[host] = self._is_own(_name_in(host))
        return known

    def _is_own(self, name: str) -> bool:
        if "." not in name or name.endswith(".localhost") or name in self._names or "*" in self._names or _is_address(name):
            return True
        return any(allowed.startswith(".") and name.endswith(allowed) for allowed in self._names)


def _name_in(host: bytes) -> str:
    """The name or address in a Host header, without the port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _foreign(origin: bytes | None) -> Forbidden:
    who = origin.decode("latin-1") if origin else "another site"
    return Forbidden(
        f"a page of {who} may not use this API from a browser; open the console of this server, or call it from a program. "
        "A proxy before this server must pass Host or X-Forwarded-Host"
    )


def _is_of(address: bytes, told: Mapping[bytes, bytes]) -> bool:
    """Whether an origin, or the address of a page, is of the host that was asked."""
    named = address.partition(b"://")[2].partition(b"/")[0]
    return named != b"" and named in (told.get(b"host"), told.get(b"x-forwarded-host"))
