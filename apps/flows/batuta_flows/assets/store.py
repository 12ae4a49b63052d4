"""
The asset store: content-addressed files in a directory, shared by every process that serves the same flows.

An asset's name is `<sha256>.<extension>`; its address inside flows is `asset://<name>`, wherever the server that hands it out happens to listen.
A file appears under its name complete and durable, or not at all; the same content is kept once. Writing is safe from any number of processes.

Not here: fetching from elsewhere (fetch.py), ranges and thumbnails (api/assets.py).
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from batuta_flows.assets.sniff import HEAD_BYTES, FileType, file_type
from batuta_flows.errors import NodeFailed

SCHEME: Final = "asset://"
_NAME: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,5}")
_CHUNK: Final = 1 << 20


class Asset(msgspec.Struct, frozen=True):
    """One stored file. `address` is how flows and tasks refer to it."""

    name: str
    size_bytes: int
    mime: str
    medium: str

    @property
    def address(self) -> str:
        return SCHEME + self.name


class AssetStore:
    """Files under *directory*, which is made when it is not there. *bytes_max*: the largest file taken."""

    def __init__(self, directory: Path, *, bytes_max: int = 512 << 20) -> None:
        self.directory, self.bytes_max = directory, bytes_max
        (directory / "tmp").mkdir(parents=True, exist_ok=True)

    def add(self, chunks: Iterable[bytes], *, medium: str = "") -> Asset:
        """
        Keep this content. With *medium* (`image`, `video`, `audio`) it has to be one.

        Raises:
            NodeFailed: it is larger than files may be, empty, or not what it should be; nothing was kept.
        """
        digest, head, size = hashlib.sha256(), b"", 0
        with tempfile.NamedTemporaryFile(dir=self.directory / "tmp", delete=False) as file:
            temporary = Path(file.name)
            try:
                for chunk in chunks:
                    size += len(chunk)
                    if size > self.bytes_max:
                        raise NodeFailed("too_large", f"a file has more than {self.bytes_max} bytes, expected at most that many")
                    head = head if len(head) >= HEAD_BYTES else (head + chunk)[:HEAD_BYTES]
                    digest.update(chunk)
                    file.write(chunk)
                kind = _expected(file_type(head), medium, size, head)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        asset = Asset(f"{digest.hexdigest()}.{kind.extension}", size, kind.mime, kind.medium)
        place = self._place(asset.name)
        place.parent.mkdir(exist_ok=True)
        os.chmod(temporary, 0o644)
        os.replace(temporary, place)
        return asset

    def add_bytes(self, content: bytes, *, medium: str = "") -> Asset:
        """Keep this content, which is in memory."""
        return self.add([content], medium=medium)

    def add_file(self, path: Path, *, medium: str = "") -> Asset:
        """Keep a copy of this file."""
        with path.open("rb") as file:
            return self.add(_chunks(file), medium=medium)

    def path(self, address: str) -> Path | None:
        """Where the asset's file is, by its address or its name; None when there is none, or it is no address of ours."""
        name = address.removeprefix(SCHEME)
        if not _NAME.fullmatch(name):
            return None
        place = self._place(name)
        return place if place.is_file() else None

    def find(self, address: str) -> Asset | None:
        """What is known of an asset without reading all of it."""
        place = self.path(address)
        if place is None:
            return None
        with place.open("rb") as file:
            kind = file_type(file.read(HEAD_BYTES)) or _UNKNOWN
        return Asset(place.name, place.stat().st_size, kind.mime, kind.medium)

    def _place(self, name: str) -> Path:
        return self.directory / name[:2] / name


_UNKNOWN: Final = FileType("application/octet-stream", "bin", "file")


def _expected(found: FileType | None, medium: str, size: int, head: bytes) -> FileType:
    if not size:
        raise NodeFailed("unreadable_answer" if medium else "bad_input", "the file is empty")
    if not medium:
        return found or _UNKNOWN
    if found is None or found.medium != medium:
        what = found.mime if found is not None else "a page of HTML" if head.lstrip()[:1] == b"<" else "something else"
        raise NodeFailed("unreadable_answer", f"expected {'an' if medium[0] in 'ai' else 'a'} {medium} file, found {what} of {size} bytes")
    return found


def _chunks(file: object) -> Iterator[bytes]:
    read = file.read  # type: ignore[attr-defined]
    while chunk := read(_CHUNK):
        yield chunk
