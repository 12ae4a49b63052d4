"""
Files that executions exchange by handle: who may do what with one, in which state it is, and when it goes.

A file belongs to the execution that it was made for, and goes with it. Its owner alone changes it, its family (ancestors and descendants) may read it.
What is known of a file is a document of the store, its content a file on the disk (contents.py); a content never changes once the file is UPLOADED.
Not here: bytes on the disk (contents.py), addresses and HTTP (api/files.py). Source: conductor-rest-api.md §1.10.
"""

from __future__ import annotations

import asyncio
import uuid
import weakref
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from batuta.core.model.task import Json
from batuta.engine.contents import Contents
from batuta.engine.engine import Engine
from batuta.errors import Conflict, Forbidden, Invalid, NotFound
from batuta.store.protocol import Document
from batuta.wire.file import HANDLE, FileHandle

FILE, OWNED = "file", "file-of"  # kinds of documents: a file by its id; OWNER/ID, to find those of an owner
FAMILY_DEPTH_MAX: Final = 100
KEPT_MS: Final = 24 * 3_600_000  # a file of no execution
LOOK: Final = 500  # files looked at in one go


class Files:
    """All files of one server."""

    def __init__(self, engine: Engine, contents: Contents) -> None:
        self.contents = contents
        self._engine = engine
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._has_any = True  # unless it is known that there is none: an execution's end asks the store then
        self._is_tidy = False  # the disk, of what an earlier process has left
        engine.on_removed = self._owner_removed

    # -- one file ---------------------------------------------------------------------------------------------------------------

    async def create(self, wish: Json) -> FileHandle:
        """A new file, without content yet. Its owner need not exist: runbooks try the API with a made-up name."""
        if self.contents.bytes_max <= 0:
            raise NotFound("this server takes no files (BATUTA_FILE_BYTES_MAX is 0)")
        now = self._engine.clock.now()
        made = FileHandle(
            fileHandleId=f"{HANDLE}{uuid.uuid4()}", storageType="CONDUCTOR", uploadStatus="UPLOADING", workflowId=wish["workflowId"], fileSize=0, createdAt=now,
            updatedAt=now, fileName=wish.get("fileName"), contentType=wish.get("contentType"), taskId=wish.get("taskId"),
        )  # fmt: skip
        self._has_any = True
        await self._engine.store.put([_document(made), Document(OWNED, f"{made.workflowId}/{made.id}", 0, b"{}")])
        return made

    async def owned(self, owner: str, file_id: str) -> FileHandle:
        """The file, for whoever changes it. Raises NotFound; Forbidden for anybody but its owner."""
        file = await self._found(file_id)
        if file.workflowId != owner:
            raise Forbidden(f"Workflow does not own file: {file_id}")
        return file

    async def readable(self, reader: str, file_id: str) -> FileHandle:
        """The file, for whoever reads it. Raises NotFound; Forbidden for those outside its owner's family."""
        file = await self._found(file_id)
        if reader != file.workflowId and not (await self._descends(reader, file.workflowId) or await self._descends(file.workflowId, reader)):
            raise Forbidden(f"Workflow cannot access file: {file_id}")
        return file

    async def uploaded(self, reader: str, file_id: str) -> FileHandle:
        """The same, for its content. Raises Invalid besides: there is none yet."""
        file = await self.readable(reader, file_id)
        if file.uploadStatus != "UPLOADED":
            raise Invalid(f"File not yet uploaded: {file_id}, status={file.uploadStatus}")
        return file

    async def delete(self, owner: str, file_id: str) -> None:
        """The file and its content are gone."""
        file = await self.owned(owner, file_id)
        async with self._lock(file.id):
            await self._forget([file])

    # -- contents ---------------------------------------------------------------------------------------------------------------

    async def write(self, owner: str, file_id: str, chunks: AsyncIterator[bytes]) -> None:
        """
        Take the content as it comes, in bounded memory; it is durable when this returns, and replaces one that came before.

        Raises:
            Conflict: the file has been completed.
            TooLarge: there is more than a file may have.
        """
        file = await self._uploading(owner, file_id, "File is not accepting content uploads")
        async with self.contents.receiving(file.id, chunks) as received, self._lock(file.id):
            await self._uploading(owner, file_id)  # completed while it came: what was promised of it shall stay true
            await received.keep()

    async def complete(self, owner: str, file_id: str) -> FileHandle:
        """The content is what it is now. Raises Conflict when it has been completed, or there is none."""
        async with self._lock(file_id):
            file = await self._uploading(owner, file_id)
            return await self._completed(file, *await self.contents.measured(file.id))

    async def begin_parts(self, owner: str, file_id: str) -> str:
        """The id of a new upload in parts."""
        file = await self._uploading(owner, file_id)
        return await self.contents.begin_parts(file.id)

    async def require_parts(self, owner: str, file_id: str, upload_id: str) -> FileHandle:
        """The file, whose upload in parts has begun and not ended. Raises NotFound."""
        file = await self._uploading(owner, file_id)
        await self.contents.require_parts(file.id, upload_id)
        return file

    async def write_part(self, owner: str, file_id: str, upload_id: str, number: int, chunks: AsyncIterator[bytes]) -> str:
        """Take one part, as `write` takes a whole content; its tag. The same number again replaces it."""
        file = await self.require_parts(owner, file_id, upload_id)
        async with self.contents.receiving_part(file.id, upload_id, number, chunks) as received, self._lock(file.id):
            await self.require_parts(owner, file_id, upload_id)
            await received.keep()
        return received.digest

    async def complete_parts(self, owner: str, file_id: str, upload_id: str, tags: Sequence[str]) -> FileHandle:
        """The content is the parts, one behind the other. Raises Invalid when one is missing or has another tag."""
        async with self._lock(file_id):
            file = await self.require_parts(owner, file_id, upload_id)
            return await self._completed(file, *await self.contents.joined(file.id, upload_id, tags))

    async def abort_parts(self, owner: str, file_id: str, upload_id: str) -> None:
        """An upload in parts is over, what came of it is gone."""
        file = await self.owned(owner, file_id)
        async with self._lock(file.id):
            await self.contents.drop_parts(file.id, upload_id)

    # -- keeping house ------------------------------------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """Delete files whose owner is gone, and, the first time, what an earlier process has left on the disk; how many."""
        gone, after = 0, ""
        while batch := await self._engine.store.documents(FILE, after=after, limit=LOOK):
            after = batch[-1].key
            files = [_read(document) for document in batch]
            there = {found.execution_id for found in await self._engine.store.heads(sorted({file.workflowId for file in files}))}
            late = self._engine.clock.now() - KEPT_MS
            strays = [file for file in files if file.workflowId not in there and self._engine.lives.get(file.workflowId) is None and file.updatedAt < late]
            await self._forget(strays)
            gone += len(strays)
        self._has_any = bool(after)
        if not self._is_tidy:
            gone += await self.contents.sweep(self._exists)
            self._is_tidy = True
        return gone

    def _owner_removed(self, owner: str) -> None:
        if self._has_any:
            self._engine.spawn(self._forget_of(owner))

    async def _forget_of(self, owner: str) -> None:
        owned = await self._engine.store.documents(OWNED, f"{owner}/")
        for document in owned:
            if found := await self._engine.store.documents(FILE, document.key.rpartition("/")[2], limit=1):
                await self._forget([_read(found[0])])

    async def _forget(self, files: Sequence[FileHandle]) -> None:
        """The documents first: a content without one is swept away, a file without its content would be a lie."""
        if files:
            places = [place for file in files for place in ((FILE, file.id, 0), (OWNED, f"{file.workflowId}/{file.id}", 0))]
            await self._engine.store.put((), delete=places)
            for file in files:
                await self.contents.delete(file.id)

    async def _exists(self, file_id: str) -> bool:
        return any(found.key == file_id for found in await self._engine.store.documents(FILE, file_id, limit=1))

    # -- small ------------------------------------------------------------------------------------------------------------------

    async def _found(self, file_id: str) -> FileHandle:
        for document in await self._engine.store.documents(FILE, file_id.removeprefix(HANDLE), limit=1) if file_id else ():
            if document.key == file_id.removeprefix(HANDLE):
                return _read(document)
        raise NotFound(f"File not found: {file_id}")

    async def _uploading(self, owner: str, file_id: str, otherwise: str = "File already uploaded") -> FileHandle:
        file = await self.owned(owner, file_id)
        if file.uploadStatus != "UPLOADING":
            raise Conflict(f"{otherwise}: {file_id}")
        return file

    async def _completed(self, file: FileHandle, size: int, digest: str) -> FileHandle:
        now = self._engine.clock.now()
        done = msgspec.structs.replace(file, uploadStatus="UPLOADED", fileSize=size, contentHash=digest, updatedAt=now)
        await self._engine.store.put([_document(done)])
        return done

    async def _descends(self, execution_id: str, ancestor: str) -> bool:
        """Whether the execution is a child of the other one, or a child's child."""
        for _ in range(FAMILY_DEPTH_MAX):
            found = await self._engine.store.heads([execution_id])
            if not found or not (execution_id := found[0].head.parent_id):
                return False
            if execution_id == ancestor:
                return True
        return False

    def _lock(self, file_id: str) -> asyncio.Lock:
        """Held while a file changes: of two who complete it at once, one does."""
        return self._locks.setdefault(file_id.removeprefix(HANDLE), asyncio.Lock())


def _document(file: FileHandle) -> Document:
    return Document(FILE, file.id, 0, msgspec.json.encode(file))


def _read(document: Document) -> FileHandle:
    return msgspec.json.decode(document.body, type=FileHandle)
