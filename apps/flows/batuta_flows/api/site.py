"""
The canvas: the files that `make ui` built, and what browsers may do with them.

The page may load scripts and styles of this server, show media of this server and talk to this server, and nothing else. Its files have the hash of what is
in them in their names; they lie under /assets beside the media, whose names are hashes too.
Not here: the data (app.py), the media (assets.py), how the canvas is built (ui/README.md).
"""

from __future__ import annotations

import base64
import secrets
from importlib import resources
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from batuta_flows.api import assets

HOME: Final = Path(str(resources.files("batuta"))) / "ui"
_KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_PACKED: Final = (("br", ".br"), ("gzip", ".gz"))  # the best first
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'nonce-{0}'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}
_UNBUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Flow Builder</title></head><body>
<h1>The canvas is not part of this installation</h1>
<p>The Flow Builder runs, and its API answers (<a href="/health">health</a>, <a href="/node-types">types of nodes</a>); the canvas was not built.</p>
<p>Built from a checkout, it needs Node 20.19 or newer:</p>
<pre>make ui</pre>
<p>Then load this page again; the Flow Builder need not be restarted.</p>
</body></html>
"""


async def page(request: Request) -> Response:
    """The canvas; a plain page when it was not built."""
    return await run_in_threadpool(_page)


def _page() -> Response:
    nonce = base64.b64encode(secrets.token_bytes(18)).decode()
    built = HOME / "flows.html"
    body = built.read_text(encoding="utf-8").replace("__NONCE__", nonce) if built.is_file() else _UNBUILT
    headers = {**_ALWAYS, "Content-Security-Policy": _POLICY.format(nonce), "Cache-Control": "no-store"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


async def icon(request: Request) -> Response:
    """The icon of the page."""
    return _sent(HOME / "favicon.svg", request, "no-cache") or Response(status_code=404)


async def file_or_asset(request: Request) -> Response:
    """A file of the canvas, else a medium."""
    found = _sent(HOME / "assets" / request.path_params["name"], request, "public, max-age=31536000, immutable")
    return found or await assets.download(request)


def _sent(path: Path, request: Request, caching: str) -> Response | None:
    kind = _KINDS.get(path.suffix)
    if kind is None or not path.is_file():
        return None
    headers = {**_ALWAYS, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    accepted = request.headers.get("accept-encoding", "")
    for coding, suffix in _PACKED:
        if coding in accepted and (packed := path.with_name(path.name + suffix)).is_file():
            return FileResponse(packed, media_type=kind, headers={**headers, "Content-Encoding": coding})
    return FileResponse(path, media_type=kind, headers=headers)
