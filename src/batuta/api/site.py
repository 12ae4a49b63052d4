"""
The console's files: what `make ui` built into batuta/ui, on every path that no route has, and what browsers may do with it.

A page may load scripts and styles of this server and talk to this server, and nothing else: no inline script or style runs unless it carries the nonce of
that very answer, and no text can be handed to the browser's HTML parser (Trusted Types). Files under /assets have the hash of what is in them in their names
and are kept by browsers for ever; everything else is asked for anew.
Not here: the data that the console shows (console.py, and the rest of the API), which pages may ask for it (browsers.py).
Source: Conductor serves its UI for any path that is not the API's (conductor-rest-api.md §0).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from batuta.api.http import Request, Response

HOME: Final = Path(__file__).parents[1] / "ui"
PAGES: Final = "CONSOLE"  # what the metrics count these requests under, whatever their paths
_NOT_OURS: Final = ("/api", "/actuator", "/health", "/v3/", "/swagger-ui")
_KINDS: Final = {
    ".html": b"text/html;charset=UTF-8", ".js": b"text/javascript;charset=UTF-8", ".css": b"text/css;charset=UTF-8", ".svg": b"image/svg+xml",
    ".png": b"image/png", ".ico": b"image/x-icon", ".woff2": b"font/woff2", ".json": b"application/json", ".txt": b"text/plain;charset=UTF-8",
    ".webmanifest": b"application/manifest+json", ".wasm": b"application/wasm",
}  # fmt: skip
_PACKED: Final = ((b"br", ".br"), (b"gzip", ".gz"))  # the best first
_NONCE: Final = b"__NONCE__"  # stands in index.html where the nonce of the answer belongs
_LINKS: Final = b"__LINKS__"  # and the operator's links, as JSON
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'nonce-{0}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types batuta-worker"
)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_FOR_EVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_EACH_TIME: Final = (b"cache-control", b"no-cache")
_UNBUILT: Final = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Batuta</title></head><body>
<h1>The console is not part of this installation</h1>
<p>The server runs, and its API answers at <a href="/api/version">/api</a> (<a href="/swagger-ui/index.html">try it</a>);
the console's files were not built.</p>
<p>Built from a checkout, they need Node 20.19 or newer:</p>
<pre>make ui</pre>
<p>Then load this page again; the server need not be restarted.
An installation with <code>pip install .</code> builds them by itself where <code>npm</code> is found.</p>
</body></html>
"""


def is_built(home: Path = HOME) -> bool:
    """Whether this installation has the console's files."""
    return (home / "index.html").is_file()


class _File(NamedTuple):
    """A file that is served: where it is, what it is, and in which packed forms it lies beside itself."""

    path: Path
    headers: tuple[tuple[bytes, bytes], ...]
    packed: tuple[tuple[bytes, Path], ...]


class Site:
    """
    The files below *home*. They are looked for when somebody asks, so a console that is built later appears without a restart.

    *links*: pages elsewhere that the console leads to, by title.
    """

    def __init__(self, home: Path = HOME, links: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._links = escape(json.dumps(dict(links or {}))).encode()
        self._files: dict[str, _File] = {}
        self._index = b""
        self._built_ns = 0

    def answer(self, request: Request) -> Response | None:
        """The file or page at the request's path; None when it is nothing for a browser to show."""
        path = request.path
        if request.method not in ("GET", "HEAD") or path.startswith(_NOT_OURS):
            return None
        if not self._is_current():
            return Response(200, _UNBUILT, (b"content-type", _KINDS[".html"]), *_page_headers(_fresh()[1])) if _wants_page(request) else None
        found = self._files.get(path)
        if found is not None:
            return _sent(found, request.header(b"accept-encoding"))
        return self._page() if _wants_page(request) else None

    def _page(self) -> Response:
        nonce, policy = _fresh()
        return Response(200, self._index.replace(_NONCE, nonce), (b"content-type", _KINDS[".html"]), *_page_headers(policy))

    def _is_current(self) -> bool:
        """Whether there is a console, and what is known of its files is what is there."""
        index = self._home / "index.html"
        try:
            built_ns = index.stat().st_mtime_ns
        except OSError:
            self._built_ns = 0
            return False
        if built_ns != self._built_ns:
            self._index = index.read_bytes().replace(_LINKS, self._links)
            self._files = {f"/{path.relative_to(self._home).as_posix()}": _file(path, self._home) for path in self._home.rglob("*") if _is_served(path)}
            self._built_ns = built_ns
        return True


def _is_served(path: Path) -> bool:
    return path.suffix in _KINDS and path.suffix != ".html" and path.is_file()


def _file(path: Path, home: Path) -> _File:
    packed = tuple((coding, there) for coding, suffix in _PACKED if (there := path.with_name(path.name + suffix)).is_file())
    caching = _FOR_EVER if path.parent == home / "assets" else _EACH_TIME
    return _File(path, ((b"content-type", _KINDS[path.suffix]), caching, (b"vary", b"accept-encoding"), *_ALWAYS), packed)


def _sent(file: _File, accepted: bytes) -> Response:
    for coding, path in file.packed:
        if coding in accepted:
            return Response(200, path.read_bytes(), *file.headers, (b"content-encoding", coding))
    return Response(200, file.path.read_bytes(), *file.headers)


def _wants_page(request: Request) -> bool:
    """A browser that goes somewhere; or anybody, where our users' runbooks go."""
    return request.path == "/" or request.path.startswith("/execution") or b"text/html" in request.header(b"accept")


def _fresh() -> tuple[bytes, bytes]:
    """A nonce nobody has had, and the policy that knows it."""
    nonce = base64.b64encode(secrets.token_bytes(18))
    return nonce, _POLICY.format(nonce.decode()).encode()


def _page_headers(policy: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"content-security-policy", policy), (b"cache-control", b"no-store"), *_ALWAYS)
