"""
/api/files: files that executions exchange by handle. A client makes one, puts its content to an address, and says that it is complete.

Paths carry a file's bare id, bodies its handle `conductor://file/ID`. Contents go through as they come, in and out. They are anybody's uploads, so a browser
is told to save them and never to show them.
Not here: who may do what (engine/files.py), bytes on the disk (engine/contents.py), addresses (addresses.py). Source: conductor-rest-api.md §1.10, §3.12.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from batuta.api.http import Request, Response, Streamed, json_response, no_content
from batuta.api.services import Services
from batuta.engine.contents import PARTS_MAX
from batuta.engine.signing import Operation
from batuta.errors import Invalid
from batuta.wire.codec import encode
from batuta.wire.file import HANDLE, FileHandle, read_file_request, read_part_tags
from batuta.wire.shape import Json

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]+=[A-Za-z0-9!#$&^_.+-]+)*")
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_WHATEVER: Final = "application/octet-stream"


async def create(services: Services, request: Request, body: bytes) -> Response:
    """A new file of an execution, and where to put its content."""
    file = await services.files.create(read_file_request(body))
    url, expires_at = _address(services, request, file.workflowId, file.id, "upload")
    shown = {
        "fileHandleId": file.fileHandleId, "fileName": file.fileName, "contentType": file.contentType, "storageType": file.storageType,
        "uploadStatus": file.uploadStatus, "uploadUrl": url, "uploadUrlExpiresAt": expires_at, "createdAt": file.createdAt,
    }  # fmt: skip
    return json_response(encode({name: value for name, value in shown.items() if value is not None}), 201)


async def upload_url(services: Services, request: Request, workflow_id: str, file_id: str) -> Response:
    """Where to put the content, once more."""
    file = await services.files.owned(workflow_id, file_id)
    return _located(file, "uploadUrl", *_address(services, request, workflow_id, file.id, "upload"))


async def download_url(services: Services, request: Request, workflow_id: str, file_id: str) -> Response:
    """Where to get the content."""
    file = await services.files.uploaded(workflow_id, file_id)
    return _located(file, "downloadUrl", *_address(services, request, workflow_id, file.id, "download"))


async def metadata(services: Services, workflow_id: str, file_id: str) -> Response:
    """What is known of a file."""
    return json_response(encode(await services.files.readable(workflow_id, file_id)))


async def confirm(services: Services, workflow_id: str, file_id: str) -> Response:
    """The content is complete; from now on it can be got, and not changed."""
    return _completed(await services.files.complete(workflow_id, file_id))


async def delete(services: Services, workflow_id: str, file_id: str) -> Response:
    """A file is gone before its execution is."""
    await services.files.delete(workflow_id, file_id)
    return no_content()


# -- contents -----------------------------------------------------------------------------------------------------------------------


async def put_content(services: Services, request: Request, workflow_id: str, file_id: str, *, upload_id: str = "", part_number: int = 0) -> Response:
    """Take a content, or with *uploadId* one part of it, whose tag the answer has in its ETag."""
    services.addresses.require_good(request, services.now())
    chunks = request.chunks(services.files.contents.bytes_max)
    if not upload_id:
        await services.files.write(workflow_id, file_id, chunks)
        return no_content()
    tag = await services.files.write_part(workflow_id, file_id, upload_id, part_number, chunks)
    return Response(204, b"", (b"etag", f'"{tag}"'.encode()))


async def content(services: Services, request: Request, workflow_id: str, file_id: str) -> Response:
    """The content, or the part of it that a Range asks for."""
    services.addresses.require_good(request, services.now())
    file = await services.files.uploaded(workflow_id, file_id)
    tag = f'"{file.contentHash}"'.encode()
    headers = (
        (b"content-type", _type_of(file)),
        (b"content-disposition", _attached(file)),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
        (b"accept-ranges", b"bytes"),
        (b"etag", tag),
    )
    size, span = file.fileSize, None
    if request.header(b"if-range") in (b"", tag):
        span = _span(request.header(b"range").decode("latin-1"), size)
    if span is not None and span[0] >= size:
        return Response(416, b"", (b"content-range", f"bytes */{size}".encode()))
    start, end = span or (0, size)
    pieces = await services.files.contents.read(file.id, start, end - start)
    if span is None:
        return Streamed(200, pieces, size, *headers)
    return Streamed(206, pieces, end - start, *headers, (b"content-range", f"bytes {start}-{end - 1}/{size}".encode()))


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """From where to where (exclusive) one range reaches; None when the whole is meant, or several, or nothing that can be read."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or (not found[1] and not found[2]):
        return None
    if not found[1]:  # so many at the end
        return (max(0, size - int(found[2])), size) if int(found[2]) else (size, size)
    start = int(found[1])
    end = int(found[2]) + 1 if found[2] else size
    return None if end <= start < size else (start, min(end, size))


def _type_of(file: FileHandle) -> bytes:
    """The type that the client named, if it is one."""
    named = file.contentType or ""
    return named.encode() if _MEDIA_TYPE.fullmatch(named) else _WHATEVER.encode()


def _attached(file: FileHandle) -> bytes:
    """To be saved under the file's name, which may hold anything: percent-encoded, and for old clients with what is plain in it."""
    name = file.fileName or file.id
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}".encode()


# -- uploads in parts ---------------------------------------------------------------------------------------------------------------


async def begin_parts(services: Services, workflow_id: str, file_id: str) -> Response:
    """Begin to upload a content in parts."""
    upload_id = await services.files.begin_parts(workflow_id, file_id)
    return json_response(encode({"fileHandleId": f"{HANDLE}{file_id.removeprefix(HANDLE)}", "uploadId": upload_id}))


async def part_url(services: Services, request: Request, workflow_id: str, file_id: str, upload_id: str, part_number: int) -> Response:
    """Where to put one part."""
    if not 1 <= part_number <= PARTS_MAX:
        raise Invalid(f"path variable 'partNumber' is {part_number}; expected 1 to {PARTS_MAX}")
    file = await services.files.require_parts(workflow_id, file_id, upload_id)
    also = {"uploadId": upload_id, "partNumber": str(part_number)}
    return _located(file, "uploadUrl", *_address(services, request, workflow_id, file.id, "upload", **also))


async def complete_parts(services: Services, workflow_id: str, file_id: str, upload_id: str, body: bytes) -> Response:
    """The content is the parts, one behind the other; *partETags* are their tags."""
    return _completed(await services.files.complete_parts(workflow_id, file_id, upload_id, read_part_tags(body)))


async def abort_parts(services: Services, workflow_id: str, file_id: str, upload_id: str) -> Response:
    """Give up an upload in parts."""
    await services.files.abort_parts(workflow_id, file_id, upload_id)
    return no_content()


# -- small --------------------------------------------------------------------------------------------------------------------------


def _address(services: Services, request: Request, workflow_id: str, file_id: str, operation: Operation, **also: str) -> tuple[str, int]:
    path = f"/api/files/content/{quote(workflow_id, safe='')}/{quote(file_id, safe='')}"
    return services.addresses.made(request, operation, path, services.now(), **also)


def _located(file: FileHandle, name: str, url: str, expires_at: int) -> Response:
    return json_response(encode({"fileHandleId": file.fileHandleId, name: url, "expiresAt": expires_at}))


def _completed(file: FileHandle) -> Response:
    shown: Json = {"fileHandleId": file.fileHandleId, "uploadStatus": file.uploadStatus, "contentHash": file.contentHash}
    return json_response(encode(shown))
