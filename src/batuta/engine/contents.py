"""
Contents: the bytes of files, on the disk. One folder a file, named by its id; in it the content, and a folder for each upload in parts.

Nothing is there in part: what comes in is written beside its place and moved there when it is whole and durable (disk.py), so a crash leaves the former content
and a `.part` that the next start sweeps away. Memory does not grow with a file: it goes through in pieces, in and out.
Not here: who may have a file, and which there are (files.py). All ids that come here are the server's own, or are looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar

from batuta.engine import disk
from batuta.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable

P = ParamSpec("P")
T = TypeVar("T")
PIECE_BYTES: Final = 1024 * 1024  # written or read in one go
PARTS_MAX: Final = 10_000
UPLOADS_MAX: Final = 10  # in parts, of one file at once
_UPLOAD: Final = re.compile(r"[0-9a-f]{32}")
_CONTENT: Final = "content"


class Received:
    """What has come in and is not in its place yet."""

    def __init__(self, file: BinaryIO, place: Path) -> None:
        self._file, self._place, self._hash = file, place, hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of all that has come, in hex."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Blocking."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    async def keep(self) -> None:
        """It is durable and in its place."""
        await _on_disk(lambda: disk.finish(self._file, self._place))


class Contents:
    """The contents in one directory, which is made when the first comes."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory, self.bytes_max = directory, bytes_max
        self._started_at = time.time()

    # -- in ---------------------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def receiving(self, file_id: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[Received]:
        """All of a content, come in; what is not kept within the block is gone after it."""
        async with self._receiving(self._folder(file_id) / _CONTENT, chunks, self.bytes_max) as received:
            yield received

    @contextlib.asynccontextmanager
    async def receiving_part(self, file_id: str, upload_id: str, number: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[Received]:
        """The same for one part of an upload."""
        if not 1 <= number <= PARTS_MAX:
            raise Invalid(f"part number {number}; expected 1 to {PARTS_MAX}")
        folder = self._upload(file_id, upload_id)
        others = await _on_disk(lambda: sum(part.stat().st_size for part in folder.iterdir() if part.name.isdecimal() and part.name != str(number)))
        async with self._receiving(folder / str(number), chunks, self.bytes_max - others) as received:
            yield received

    @contextlib.asynccontextmanager
    async def _receiving(self, place: Path, chunks: AsyncIterator[bytes], bytes_max: int) -> AsyncIterator[Received]:
        file = await _on_disk(lambda: disk.begin(place))
        received = Received(file, place)
        try:
            async for piece in _in_pieces(chunks):
                if received.size + len(piece) > bytes_max:
                    raise TooLarge(f"the content has more than {self.bytes_max} bytes; no more are kept of a file")
                await _on_disk(lambda piece=piece: received.write(piece))  # type: ignore[misc]
            yield received
        finally:
            await asyncio.shield(_on_disk(lambda: disk.give_up(file)))

    async def begin_parts(self, file_id: str) -> str:
        """The id of a new upload in parts. Raises Conflict when there are too many of this file."""
        folder, upload_id = self._folder(file_id), uuid.uuid4().hex

        def made() -> None:
            folder.mkdir(parents=True, exist_ok=True)
            if sum(_UPLOAD.fullmatch(entry.name) is not None for entry in folder.iterdir()) >= UPLOADS_MAX:
                raise Conflict(f"file {file_id} has {UPLOADS_MAX} uploads in parts that have not ended; abort one")
            (folder / upload_id).mkdir()
            disk.sync_directory(folder)

        await _on_disk(made)
        return upload_id

    async def require_parts(self, file_id: str, upload_id: str) -> None:
        """Raise NotFound when there is no such upload."""
        if not await _on_disk(self._upload(file_id, upload_id).is_dir):
            raise NotFound(f"file {file_id} has no upload {upload_id!r}")

    async def joined(self, file_id: str, upload_id: str, tags: Sequence[str]) -> tuple[int, str]:
        """Size and SHA-256 of the content, which is made of these parts; the upload is over. Raises Invalid when a part is missing or another one."""
        folder, place = self._upload(file_id, upload_id), self._folder(file_id) / _CONTENT

        def join() -> tuple[int, str]:
            there = sorted(int(part.name) for part in folder.iterdir() if part.name.isdecimal())
            if not there or there != list(range(1, len(tags) + 1)):
                raise Invalid(f"upload {upload_id} has the parts {_named(there)}; expected as many as there are tags, {len(tags)}, from 1 on")
            file = disk.begin(place)
            received = Received(file, place)
            try:
                for number, tag in enumerate(tags, 1):
                    if (digest := _copied(folder / str(number), received)) != tag.strip('"') and tag:
                        raise Invalid(f"part {number} has the tag {digest!r}, found {tag[:100]!r}; upload it again")
                disk.finish(file, place)
            finally:
                disk.give_up(file)
            shutil.rmtree(folder, ignore_errors=True)
            return received.size, received.digest

        return await _on_disk(join)

    async def drop_parts(self, file_id: str, upload_id: str) -> None:
        """The upload is over, its parts are gone. Raises NotFound."""
        await self.require_parts(file_id, upload_id)
        await _on_disk(lambda: shutil.rmtree(self._upload(file_id, upload_id), ignore_errors=True))

    # -- out --------------------------------------------------------------------------------------------------------------------

    async def measured(self, file_id: str) -> tuple[int, str]:
        """Size and SHA-256 of the content. Raises Conflict when there is none."""
        place = self._folder(file_id) / _CONTENT

        def measure() -> tuple[int, str]:
            with place.open("rb") as file:
                return place.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()

        try:
            return await _on_disk(measure)
        except NotFound:
            raise Conflict(f"no content has been uploaded for file {file_id}") from None

    async def read(self, file_id: str, start: int, length: int) -> AsyncIterator[bytes]:
        """These bytes of the content, in pieces. Raises NotFound when it is gone."""
        place = self._folder(file_id) / _CONTENT
        return _pieces(await _on_disk(lambda: place.open("rb")), start, length)

    # -- away -------------------------------------------------------------------------------------------------------------------

    async def delete(self, file_id: str) -> None:
        """The content and every part are gone; harmless when there is none."""
        await _on_disk(lambda: shutil.rmtree(self._folder(file_id), ignore_errors=True))

    async def sweep(self, exists: Callable[[str], Awaitable[bool]]) -> int:
        """Delete what an earlier process has left: contents of files that do not exist, and what was on its way; how many."""
        gone = 0
        for shelf in await _on_disk(lambda: _listed(self._directory)):
            for folder in await _on_disk(_listed, shelf):
                if not await exists(folder.name) and await _on_disk(_is_older, folder, self._started_at):
                    await self.delete(folder.name)
                    gone += 1
                else:
                    gone += await _on_disk(self._sweep_parts, folder)
        return gone

    def _sweep_parts(self, folder: Path) -> int:
        left = [file for file in folder.rglob(f"*{disk.PART}") if _is_older(file, self._started_at)]
        for file in left:
            file.unlink(missing_ok=True)
        return len(left)

    def _folder(self, file_id: str) -> Path:
        return self._directory / file_id[:2] / file_id

    def _upload(self, file_id: str, upload_id: str) -> Path:
        if not _UPLOAD.fullmatch(upload_id):
            raise NotFound(f"file {file_id} has no upload {upload_id!r}")
        return self._folder(file_id) / upload_id


async def _on_disk(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the work gives, done on a thread. Raises Unavailable when the disk is full or fails; NotFound when a file was taken away meanwhile."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except FileNotFoundError:
        raise NotFound("the content is not there; it was never uploaded, or is deleted") from None
    except OSError as error:
        raise Unavailable(f"the disk does not take or give files: {error.strerror or error}") from None


async def _in_pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces worth a walk to the disk."""
    gathered: list[bytes] = []
    size = 0
    async for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if size:
        yield b"".join(gathered)


async def _pieces(file: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
    try:
        await _on_disk(file.seek, start)
        while length > 0 and (piece := await _on_disk(file.read, min(PIECE_BYTES, length))):
            length -= len(piece)
            yield piece
    finally:
        file.close()


def _copied(part: Path, into: Received) -> str:
    """Append the part; its own SHA-256."""
    own = hashlib.sha256()
    with part.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            own.update(piece)
            into.write(piece)
    return own.hexdigest()


def _is_older(path: Path, instant: float) -> bool:
    try:
        return path.stat().st_mtime < instant
    except OSError:
        return False


def _listed(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []


def _named(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "") if numbers else "none"
