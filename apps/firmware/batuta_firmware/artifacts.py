"""
The artifact store: firmware that passed its gates, kept by version and never changed.

Here: storing, finding and pruning artifacts. Not here: which artifact runs where (deployments.py), or whether it may be stored (gates.py).
An artifact is a folder `artifacts/<artifact_id>` with firmware.bin, where there is one firmware.elf and build.log, and record.json; a row of
the records names it. The folder is complete before the row exists, so a crash leaves a folder without a row, which the next try replaces.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from batuta_firmware import image as esp
from batuta_firmware.errors import Lasting, Passing
from batuta_firmware.records import transaction

IMAGE_BYTES_MAX = 64 << 20
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored firmware; *version* is the full name of the commit it was built from."""

    artifact_id: str
    version: str
    environment: str
    sha256: str
    size_bytes: int
    elf_sha256: str | None
    chip: str
    metadata: dict[str, Any]
    created_at: float
    pinned: bool
    path: Path

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def read(self) -> bytes:
        """
        The firmware, after it has been found to be what was stored.

        Raises:
            Lasting: the file is missing or no longer what was stored.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            raise Lasting("artifact_missing", f"artifact {self.artifact_id}: {self.path} is missing", fix="Restore it from the backup") from None
        except OSError as error:
            raise Passing("artifact_unreadable", f"artifact {self.artifact_id} cannot be read: {error}") from error
        if (found := hashlib.sha256(data).hexdigest()) != self.sha256:
            what = f"artifact {self.artifact_id} has SHA-256 {found}, stored was {self.sha256}"
            raise Lasting("artifact_damaged", what, fix="Restore it from the backup")
        return data


class ArtifactStore:
    """The artifacts under *storage*."""

    def __init__(self, storage: Path, *, now: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._folder = storage / "artifacts"
        self._now = now

    def put(
        self,
        firmware: Path,
        *,
        version: str,
        environment: str,
        metadata: Mapping[str, Any],
        beside: Mapping[str, Path] | None = None,
    ) -> Artifact:
        """
        Keep *firmware* as *version* for *environment*, with the files *beside* it, and return the artifact.

        The same version with the same bytes is the same artifact: storing it again changes nothing.

        Raises:
            Lasting: not a firmware image, or that version is stored with other bytes.
            Passing: the disk refused; nothing was stored.
        """
        if not _VERSION.fullmatch(version) or not _VERSION.fullmatch(environment):
            raise Lasting("bad_version", f"cannot store version {version!r} for environment {environment!r}: expected letters, digits, . _ -")
        data = _read(firmware)
        parsed = esp.parse(data)
        if known := self.find(version, environment):
            return self._same(known, parsed.sha256)
        artifact_id = f"{version[:12]}-{environment}-{parsed.sha256[:12]}"
        artifact = Artifact(
            artifact_id=artifact_id,
            version=version,
            environment=environment,
            sha256=parsed.sha256,
            size_bytes=len(data),
            elf_sha256=parsed.descriptor.elf_sha256 if parsed.descriptor else None,
            chip=parsed.chip,
            metadata=dict(metadata),
            created_at=self._now(),
            pinned=False,
            path=self._folder / artifact_id / "firmware.bin",
        )
        try:
            self._write_folder(artifact, data, beside or {})
        except OSError as error:
            raise Passing("artifact_unwritable", f"artifact {artifact_id} cannot be stored: {error}", fix="Check the disk's room") from error
        return self._insert(artifact)

    def find(self, version: str, environment: str) -> Artifact | None:
        with transaction(self._storage) as records:
            return self._artifact(records.execute("select * from artifacts where version = ? and environment = ?", (version, environment)).fetchone())

    def get(self, artifact_id: str) -> Artifact | None:
        with transaction(self._storage) as records:
            return self._artifact(records.execute("select * from artifacts where artifact_id = ?", (artifact_id,)).fetchone())

    def resolve(self, reference: str, sha256: str | None = None) -> Artifact:
        """
        The artifact that *reference* names: its id, its URL, or the path of its firmware.bin in this store.

        Raises:
            Lasting: no such artifact, or its hash is not *sha256*.
        """
        artifact = self.get(self._id_in(reference))
        if artifact is None:
            raise Lasting("artifact_unknown", f"no artifact {reference!r} in {self._folder}", fix="Only what store_artifact has stored is flashed")
        if sha256 and artifact.sha256 != sha256.lower():
            raise Lasting("artifact_mismatch", f"artifact {artifact.artifact_id} has SHA-256 {artifact.sha256}, the task expects {sha256}")
        return artifact

    def pin(self, artifact_id: str, pinned: bool = True) -> None:
        """Keep an artifact whatever its age, or no longer."""
        with transaction(self._storage) as records:
            records.execute("update artifacts set pinned = ? where artifact_id = ?", (pinned, artifact_id))

    def prune(self, keep: int) -> list[str]:
        """
        Remove all but the newest *keep* artifacts, and return the ids removed.

        Kept whatever their age: pinned ones, the one last sent to each device, and the two last verified on each device,
        of which the older is where a rollback from the newer would go.
        """
        with transaction(self._storage) as records:
            gone = [
                str(row["artifact_id"])
                for row in records.execute(
                    """
                    with verified as (
                      select artifact_id, row_number() over (partition by device order by max(verified_at) desc) as place
                      from deployments where verified_at is not null group by device, artifact_id
                    )
                    select artifact_id from artifacts
                    where not pinned
                      and artifact_id not in (select artifact_id from artifacts order by created_at desc, rowid desc limit ?)
                      and artifact_id not in (select artifact_id from verified where place <= 2)
                      and artifact_id not in (select artifact_id from deployments where id in (select max(id) from deployments group by device))
                    """,
                    (keep,),
                )
            ]
            records.executemany("delete from artifacts where artifact_id = ?", [(artifact_id,) for artifact_id in gone])
        for artifact_id in gone:
            shutil.rmtree(self._folder / artifact_id, ignore_errors=True)
        return gone

    def _id_in(self, reference: str) -> str:
        if reference.startswith("file:"):
            reference = unquote(urlsplit(reference).path)
        path = Path(reference)
        if path.is_absolute() and path.name == "firmware.bin" and path.parent.parent == self._folder:
            return path.parent.name
        return reference

    def _same(self, known: Artifact, sha256: str) -> Artifact:
        if known.sha256 != sha256:
            raise Lasting(
                "artifact_conflict",
                f"version {known.version} for {known.environment} is stored with SHA-256 {known.sha256}, this build has {sha256}",
                fix="The same commit must build the same bytes: find what differs between the two builds",
            )
        known.read()
        return known

    def _write_folder(self, artifact: Artifact, data: bytes, beside: Mapping[str, Path]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = artifact.path.parent
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            _write(aside / "firmware.bin", data)
            for name, path in beside.items():
                if path.is_file():
                    _write(aside / name, path.read_bytes())
            record = {key: value for key, value in asdict(artifact).items() if key not in ("path", "pinned")}
            _write(aside / "record.json", json.dumps(record, indent=2, sort_keys=True).encode())
            _settle(aside)
            if target.exists():
                shutil.rmtree(target)  # of a try that crashed before its row was written
            os.replace(aside, target)
            _settle(self._folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _insert(self, artifact: Artifact) -> Artifact:
        try:
            with transaction(self._storage) as records:
                records.execute(
                    "insert into artifacts (artifact_id, version, environment, sha256, size_bytes, elf_sha256, chip, metadata, created_at)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        artifact.artifact_id,
                        artifact.version,
                        artifact.environment,
                        artifact.sha256,
                        artifact.size_bytes,
                        artifact.elf_sha256,
                        artifact.chip,
                        json.dumps(artifact.metadata),
                        artifact.created_at,
                    ),
                )
        except sqlite3.IntegrityError:  # another worker stored this version a moment ago
            known = self.find(artifact.version, artifact.environment)
            if known is None:
                raise
            return self._same(known, artifact.sha256)
        return artifact

    def _artifact(self, row: sqlite3.Row | None) -> Artifact | None:
        if row is None:
            return None
        fields = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
        fields["metadata"] = json.loads(fields["metadata"])
        fields["pinned"] = bool(fields["pinned"])
        return Artifact(**fields, path=self._folder / str(fields["artifact_id"]) / "firmware.bin")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > IMAGE_BYTES_MAX:
            raise Lasting("not_an_image", f"{path} has {path.stat().st_size} bytes, a firmware at most {IMAGE_BYTES_MAX}")
        return path.read_bytes()
    except FileNotFoundError:
        raise Lasting("firmware_missing", f"there is no firmware at {path}", fix="Build it again") from None
    except OSError as error:
        raise Passing("firmware_unreadable", f"{path} cannot be read: {error}") from error


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Make the names in *folder* durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
