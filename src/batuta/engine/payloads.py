"""
Payloads that clients upload ahead of the request they belong to: one JSON object a file, kept for a day.

The request names the path it got; the payload then becomes part of the execution like any other, so the file is only a way station and may go. A day
is long enough for any client's retries.
Not here: payloads that an execution has (store/rows.py says which of them are shown by a path), their addresses (api/external.py).
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from pathlib import Path
from typing import Any, Final

from batuta.core.model.task import PAYLOAD_BYTES_MAX, Json
from batuta.engine import disk
from batuta.errors import NotFound, TooLarge, Unavailable
from batuta.wire.codec import decode
from batuta.wire.shape import misfit

KEPT_S: Final = 24 * 3600
_UPLOADED: Final = re.compile(r"upload/([0-9a-f]{32})\.json")


class Payloads:
    """The uploaded payloads in one directory, which is made when the first comes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fresh_path(self) -> str:
        """A path that nobody has."""
        return f"upload/{uuid.uuid4().hex}.json"

    def has(self, path: str) -> bool:
        """Whether the path is of the kind of `fresh_path`."""
        return _UPLOADED.fullmatch(path) is not None

    async def keep(self, path: str, body: bytes) -> None:
        """
        Keep the JSON text of an object, durable when this returns; again under the same path: replaced.

        Raises:
            TooLarge: a payload is never that large.
            Invalid: it is no JSON object.
        """
        if len(body) > PAYLOAD_BYTES_MAX:
            raise TooLarge(f"the payload has {len(body)} bytes; at most {PAYLOAD_BYTES_MAX} are kept")
        place = self._place(path)

        def written() -> Any:
            if type(value := decode(body)) is dict:
                disk.write(place, body)
            return value

        try:
            value = await asyncio.to_thread(written)
        except OSError as error:
            raise Unavailable(f"the payload cannot be kept: {error}") from None
        if type(value) is not dict:
            raise misfit("", value, "an object")

    async def read(self, path: str) -> Json:
        """The payload. Raises NotFound when there is none, or its day is over."""
        place = self._place(path)

        def found() -> Any:
            return decode(place.read_bytes())

        try:
            value: Json = await asyncio.to_thread(found)
            return value
        except FileNotFoundError:
            raise NotFound(f"there is no payload under {path!r}; it was not uploaded, or more than a day ago") from None
        except OSError as error:
            raise Unavailable(f"the payload {path!r} cannot be read: {error}") from None

    async def sweep(self) -> int:
        """Delete what was uploaded more than a day ago, and what a crash has left; how many."""
        return await asyncio.to_thread(self._sweep)

    def _sweep(self) -> int:
        if not self._directory.is_dir():
            return 0
        before, gone = time.time() - KEPT_S, 0
        for file in self._directory.iterdir():
            try:
                if file.stat().st_mtime < before:
                    file.unlink()
                    gone += 1
            except OSError:
                continue  # another hand was quicker
        return gone

    def _place(self, path: str) -> Path:
        found = _UPLOADED.fullmatch(path)
        if found is None:
            raise NotFound(f"there is no payload under {path!r}; expected upload/ID.json, as a location to write to gives it")
        return self._directory / f"{found[1]}.json"
