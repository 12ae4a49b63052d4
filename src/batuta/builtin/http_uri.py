"""
The address of an HTTP call: a URI template as Spring reads it, and the redirect that leads on from there.

The quirks are Conductor's and kept, since definitions depend on them: spaces and letters beyond ASCII are encoded, `%20` is encoded once more,
`{name}` fails the task, repeated slashes become one, and credentials before the host are refused.
Not here: what is sent there (http_request.py) and whether it may be called (guard.py).
Source: Spring's UriComponentsBuilder with EncodingMode.URI_COMPONENT; the texts were read off a Conductor 3.32.1 server.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import quote, urljoin

import msgspec

from batuta.errors import BatutaError


class CallFailed(BatutaError):
    """
    The call ends without an answer to show; `str(error)` is what a reader of the task is told.

    `is_terminal`: the same input will fail again, so retries are spared. `is_bare`: the text stands alone as reason and leaves the output empty,
    as Conductor has it for a request without address or method.
    """

    def __init__(self, text: str, *, is_terminal: bool = False, is_bare: bool = False) -> None:
        super().__init__(text)
        self.is_terminal = is_terminal
        self.is_bare = is_bare


class IoFailed(BatutaError):
    """The exchange broke off: `str(error)` is the cause alone, to be told with method and address by whoever knows the first of a chain."""


class Origin(msgspec.Struct, frozen=True):
    """Whom a connection leads to; a host is in lower case, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Target(msgspec.Struct, frozen=True):
    """One address: whom to connect to, what to ask for (path and query, encoded), and how it is `shown` in messages (no query: it may hold secrets)."""

    origin: Origin
    path: str
    shown: str

    @property
    def url(self) -> str:
        return f"{self.origin.scheme}://{self.origin}{self.path}"


_PARTS: Final = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._~-]*))(?::(\d{0,9}))?")
_VARIABLE: Final = re.compile(r"\{([^/]+?)\}")
_QUERY_ITEM: Final = re.compile(r"([^&=]+)(=?)([^&]+)?")
_PATH_SAFE: Final = "!$&'()*+,;=:@"
_QUERY_SAFE: Final = "!$'()*+,;:@/?"
_SPACES: Final = "".join(map(chr, range(0x21)))  # What Java's String.trim takes away.
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def read_template(text: str) -> Target:
    """
    The address *text* means.

    Raises:
        CallFailed: it holds a `{variable}` or is no URI.
        IoFailed: it is one that no HTTP call can be made to; messages show it as `shown_of(text)`.
    """
    parts = _Parts.of(text)
    for part in (parts.authority or "", parts.path):
        _refuse_variables(part)
    if parts.scheme and parts.authority is None and not parts.path.startswith("/"):
        wrong = f"Expected scheme-specific part at index {len(parts.scheme) + 1}: {parts.scheme}:"
        raise CallFailed(f"java.lang.IllegalArgumentException: {wrong} (a URI begins with http:// or https://)")
    encoded = parts._replace(
        path=_encode_path(parts.path),
        query="&".join(_encode_query_item(item) for item in _QUERY_ITEM.finditer(parts.query)),
    )
    return _target(encoded)


def shown_of(text: str) -> str:
    """How messages show an address that could not be read: encoded, without query and credentials."""
    parts = _Parts.of(text)
    return parts._replace(path=_encode_path(parts.path)).shown


def follow(target: Target, location: str) -> Target:
    """
    Where an answer of *target* with this Location header leads. What is encoded there stays so; what should have been is now.

    Raises:
        IoFailed: there is no calling that.
    """
    try:
        words = location.encode("latin-1").decode()  # Headers are read as Latin-1; servers that send more send UTF-8.
    except UnicodeError:
        words = location
    try:
        parts = _Parts.of(urljoin(target.url, quote(words.strip(), safe="%!$&'()*+,;=:@/?#[]~")))
        if not parts.authority:
            raise IoFailed(f"Redirect URI does not specify a valid host name: {location}")
        return _target(parts)
    except (ValueError, CallFailed):
        raise IoFailed(f"Invalid redirect URI: {location}") from None


class _Parts(NamedTuple):
    """A URI taken apart; the authority is None where there is no `//`."""

    scheme: str
    authority: str | None
    path: str
    query: str

    @classmethod
    def of(cls, text: str) -> _Parts:
        match = _PARTS.fullmatch(text)
        assert match is not None  # Every part may be empty, and the last one takes anything.
        return cls(match[1] or "", match[2], match[3], match[4] or "")

    @property
    def shown(self) -> str:
        scheme = self.scheme + ":" if self.scheme else ""
        authority = "" if self.authority is None else "//" + self.authority.rpartition("@")[2].removesuffix(":")
        return scheme + authority + self.path


def _target(parts: _Parts) -> Target:
    if not parts.scheme and not parts.authority:
        raise IoFailed("Target host is not specified")
    if parts.scheme and not _SCHEME.fullmatch(parts.scheme):
        at = next(n for n in range(len(parts.scheme)) if not _SCHEME.fullmatch(parts.scheme[: n + 1]))
        found = parts._replace(scheme=quote(parts.scheme)).shown
        raise CallFailed(f"java.lang.IllegalArgumentException: Illegal character in scheme name at index {at}: {found}")
    if not parts.authority:
        raise IoFailed("Target host is not specified")
    if not parts.scheme:
        raise IoFailed("Protocol scheme is not specified")
    if "@" in parts.authority:
        raise IoFailed("Request URI authority contains deprecated userinfo component; use an Authorization header")
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise IoFailed(f"Unroutable protocol scheme: {scheme}://{parts.authority}")
    host, port = _host_and_port(parts.authority, _DEFAULT_PORTS[scheme])
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return Target(Origin(scheme, host, port), path, parts.shown)


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    match = _AUTHORITY.fullmatch(authority)
    wrong = CallFailed(f"org.springframework.web.util.InvalidUrlException: Bad authority: {authority!r}")
    if match is None:
        raise wrong
    if match[1]:
        try:
            host = str(ipaddress.IPv6Address(match[1]))
        except ValueError:
            raise wrong from None
    elif match[2]:
        host = match[2].lower()
    else:
        raise IoFailed("Target host is not specified")
    port = int(match[3]) if match[3] else default
    if port > 65535:
        said = f"Port number(Use -1 to specify the scheme default port): {port} is out of range [-1, 65535]"
        raise CallFailed(f"java.lang.IllegalArgumentException: {said}")
    return host, port


def _refuse_variables(part: str) -> None:
    found = _VARIABLE.search(part)
    if found:
        name = found[1].partition(":")[0]
        raise CallFailed(f"java.lang.IllegalArgumentException: Not enough variable values available to expand '{name}'")


def _encode_path(path: str) -> str:
    if not path:
        return ""
    segments = [segment for segment in (part.strip(_SPACES) for part in path.split("/")) if segment]
    return "/" + "/".join(_quote(segment, _PATH_SAFE) for segment in segments) + ("/" if segments and path.endswith("/") else "")


def _encode_query_item(item: re.Match[str]) -> str:
    name, equals, value = item[1], item[2], item[3] or ""
    for part in (name, value):
        _refuse_variables(part)
    return _quote(name, _QUERY_SAFE) + equals + _quote(value, _QUERY_SAFE)


def _quote(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="replace")
