"""
Files on the wire: what a client asks for, and Conductor's answers about a file.

Not here: contents (engine/files.py). Source: conductor-rest-api.md §1.10, §3.12.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from batuta.core.model.task import Json
from batuta.errors import InvalidFields, Violation
from batuta.wire.codec import decode
from batuta.wire.shape import Record, Text, listing, text

HANDLE: Final = "conductor://file/"
NAME_LENGTH_MAX: Final = 1024

FILE_REQUEST: Final = Record("FileUploadRequest", text("fileName"), text("contentType"), text("workflowId"), text("taskId"), required=("workflowId",))
PARTS_REQUEST: Final = Record("MultipartCompleteRequest", listing("partETags", Text()))
RECORDS: Final = (FILE_REQUEST, PARTS_REQUEST)


class FileHandle(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's FileHandle, in its order. It is also what is stored of a file; `fileHandleId` holds its id behind a word."""

    fileHandleId: str
    fileName: str | None = None
    contentType: str | None = None
    fileSize: int
    contentHash: str | None = None
    storageType: str
    uploadStatus: str
    workflowId: str
    taskId: str | None = None
    createdAt: int
    updatedAt: int

    @property
    def id(self) -> str:
        return self.fileHandleId.removeprefix(HANDLE)


def read_file_request(body: bytes) -> Json:
    """What file a client is about to upload. Raises InvalidFields without a workflow, Invalid for anything else."""
    found = FILE_REQUEST.read(decode(body))
    broken = []
    if not str(found.get("workflowId") or "").strip():
        broken.append(Violation("createFile.arg0.workflowId", "workflowId is required", found.get("workflowId")))
    broken += [
        Violation(f"createFile.arg0.{name}", f"has {len(found[name])} characters; at most {NAME_LENGTH_MAX} are kept")
        for name in ("fileName", "contentType", "workflowId", "taskId")
        if len(found.get(name) or "") > NAME_LENGTH_MAX
    ]
    if broken:
        raise InvalidFields(broken)
    return found


def read_part_tags(body: bytes) -> list[str]:
    """The tags of an upload's parts in their order. Raises Invalid."""
    read: dict[str, Any] = PARTS_REQUEST.read(decode(body))
    tags: list[str] = read["partETags"]
    return tags
