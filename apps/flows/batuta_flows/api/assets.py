"""
Assets over HTTP: upload, parts of files, small pictures, outlines of sounds. What comes out never runs in a browser: its type is sniffed, sent with
`nosniff`, and what is no medium is a download.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Message

from batuta_flows.assets import derived
from batuta_flows.assets.store import SCHEME, Asset, AssetStore
from batuta_flows.errors import FlowError, Malformed, NodeFailed

FORM_FILES: Final = 4  # a form may have as many bytes as so many of the largest files
_FOREVER: Final = "public, max-age=31536000, immutable"
# a browser that opens a film by its address makes a page around it, which may show this film and be styled, and nothing else
_POLICY: Final = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
SAFE: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": _POLICY, "Cache-Control": _FOREVER}


class UnknownAsset(FlowError):
    """There is no asset of this name."""

    code = "unknown_asset"


async def upload(request: Request) -> Response:
    """Keep the files of a form, or the body when it is none: each as `{asset, name, size, mime, medium, url}`."""
    store: AssetStore = request.app.state.assets
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as body:
            async for chunk in _bounded(request, store.bytes_max).stream():
                body.write(chunk)
            body.seek(0)
            kept = await run_in_threadpool(store.add, _chunks(body))
        return _answer([_shown(request, kept, request.query_params.get("name", ""))])
    async with _bounded(request, FORM_FILES * store.bytes_max).form(max_files=100, max_fields=100) as form:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise Malformed("file", "the form has no file in it")
        kept_files = [(await run_in_threadpool(store.add, _chunks(file.file)), file.filename or "") for file in files]
    return _answer([_shown(request, asset, name) for asset, name in kept_files])


def _bounded(request: Request, most: int) -> Request:
    """The same request, of whose body no more than so many bytes are taken; nothing of one that says beforehand it has more."""
    told = request.headers.get("content-length", "")
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise NodeFailed("too_large", f"the upload has more than {most} bytes, expected at most that many")
        return message

    if told.isdigit() and int(told) > most:
        raise NodeFailed("too_large", f"the upload has {told} bytes, expected at most {most}")
    return Request(request.scope, receive)


async def download(request: Request) -> Response:
    """The file, or the part of it that a `Range` asks for."""
    path, asset = found(request)
    headers = dict(SAFE)
    if asset.medium == "file":
        headers |= {"Content-Disposition": f'attachment; filename="{asset.name}"', "Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(path, media_type=asset.mime, headers=headers)


async def thumbnail(request: Request) -> Response:
    """A small picture of a picture or a film, as WebP; 404 for what is neither."""
    _, asset = found(request)
    return Response(await run_in_threadpool(derived.thumbnail, request.app.state.assets, asset), media_type="image/webp", headers=SAFE)


async def peaks(request: Request) -> Response:
    """The outline of a sound, or of a film's sound: `{seconds, peaks}`; 404 for what has none."""
    _, asset = found(request)
    return Response(await run_in_threadpool(derived.peaks, request.app.state.assets, asset), media_type="application/json", headers=SAFE)


def found(request: Request) -> tuple[Path, Asset]:
    """The asset that a request names, and where it lies. Raises UnknownAsset."""
    store: AssetStore = request.app.state.assets
    name = request.path_params["name"]
    path, asset = store.path(name), store.find(name)
    if path is None or asset is None or name.startswith(SCHEME):
        raise UnknownAsset(f"there is no asset {name!r}")
    return path, asset


def _shown(request: Request, asset: Asset, name: str) -> dict[str, Any]:
    url = request.app.state.link(asset.address)
    return {"asset": asset.address, "name": name, "size": asset.size_bytes, "mime": asset.mime, "medium": asset.medium, "url": url}


def _answer(found: list[dict[str, Any]]) -> Response:
    return Response(msgspec.json.encode({"files": found}), 201, media_type="application/json")


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk
