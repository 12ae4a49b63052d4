"""The artifact store: kept once, never changed, found by what names it, pruned without taking what may be needed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forge
import pytest

from batuta_firmware import artifacts as artifacts_module
from batuta_firmware.artifacts import Artifact, ArtifactStore
from batuta_firmware.deployments import DeploymentBook
from batuta_firmware.errors import FirmwareError, Lasting, Passing

ENV = "esp32"


class Ticking:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "storage", now=Ticking())


@pytest.fixture
def put(store: ArtifactStore, tmp_path: Path) -> Callable[..., Artifact]:
    def put(commit: str = forge.COMMIT, data: bytes | None = None, **more: Any) -> Artifact:
        path = tmp_path / "firmware.bin"
        path.write_bytes(forge.image(commit=commit) if data is None else data)
        return store.put(path, version=commit, environment=ENV, metadata={"branch": "main"}, **more)

    return put


Put = Callable[..., Artifact]


def test_an_artifact_is_a_folder_with_the_firmware_and_its_record(put: Put, tmp_path: Path) -> None:
    (tmp_path / "firmware.elf").write_bytes(b"elf")
    kept = put(beside={"firmware.elf": tmp_path / "firmware.elf", "build.log": tmp_path / "missing.log"})
    assert sorted(path.name for path in kept.path.parent.iterdir()) == ["firmware.bin", "firmware.elf", "record.json"]
    record = json.loads((kept.path.parent / "record.json").read_text())
    assert (record["version"], record["sha256"], record["metadata"]) == (forge.COMMIT, kept.sha256, {"branch": "main"})
    assert kept.read() == forge.image()


def test_storing_it_again_changes_nothing(put: Put, store: ArtifactStore) -> None:
    assert put() == put()


def test_the_same_version_with_other_bytes_is_refused(put: Put) -> None:
    put()
    with pytest.raises(Lasting, match="is stored with SHA-256") as caught:
        put(data=forge.image(pad=100))
    assert caught.value.code == "artifact_conflict"


@pytest.mark.parametrize("data", [b"", b"MZ", forge.image()[:-1], b"\xff" * 5000])
def test_what_is_no_image_is_not_stored(put: Put, store: ArtifactStore, data: bytes) -> None:
    with pytest.raises(Lasting, match="not a firmware image"):
        put(data=data)
    assert store.find(forge.COMMIT, ENV) is None


@pytest.mark.parametrize("version", ["", "../x", "a/b", "-x", "a b"])
def test_a_version_that_is_no_name_is_refused(put: Put, version: str) -> None:
    with pytest.raises(Lasting, match="cannot store version"):
        put(version, data=forge.image())


def test_a_crash_before_the_record_is_written_leaves_nothing_and_the_next_try_succeeds(put: Put, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: ArtifactStore, artifact: Artifact) -> Artifact:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(ArtifactStore, "_insert", crash)
        with pytest.raises(KeyboardInterrupt):
            put()
    assert store.find(forge.COMMIT, ENV) is None
    assert put().read() == forge.image()


def test_a_crash_while_the_folder_is_written_leaves_no_half_artifact(put: Put, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(artifacts_module, "_write", full)
        with pytest.raises(Passing, match="No space left"):
            put()
    assert list((tmp_path / "storage" / "artifacts").iterdir()) == []
    assert put().size_bytes == len(forge.image())


def test_two_workers_that_store_one_version_at_once_get_one_artifact(put: Put, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = put()
    find, misses = ArtifactStore.find, [None]  # the second worker looked before the first had written
    monkeypatch.setattr(ArtifactStore, "find", lambda self, *key: misses.pop() if misses else find(self, *key))
    assert put() == first


def test_damage_is_noticed_before_anything_is_flashed(put: Put) -> None:
    kept = put()
    kept.path.write_bytes(forge.image(commit=forge.OTHER_COMMIT))
    with pytest.raises(Lasting, match="stored was") as caught:
        kept.read()
    assert caught.value.code == "artifact_damaged"
    kept.path.unlink()
    with pytest.raises(Lasting, match="is missing"):
        kept.read()


def test_an_artifact_is_found_by_id_url_and_path_in_the_store_only(put: Put, store: ArtifactStore, tmp_path: Path) -> None:
    kept = put()
    for reference in (kept.artifact_id, kept.url, str(kept.path)):
        assert store.resolve(reference) == kept
    outside = tmp_path / kept.artifact_id / "firmware.bin"
    for reference in (outside.as_uri(), str(outside), "../../etc/passwd", "", "http://host/firmware.bin"):
        with pytest.raises(Lasting, match="no artifact"):
            store.resolve(reference)


def test_an_artifact_with_another_hash_than_expected_is_refused(put: Put, store: ArtifactStore) -> None:
    kept = put()
    assert store.resolve(kept.artifact_id, kept.sha256.upper()) == kept
    with pytest.raises(Lasting, match="the task expects"):
        store.resolve(kept.artifact_id, "0" * 64)


def test_pruning_keeps_what_runs_what_may_be_rolled_back_to_and_what_is_pinned(put: Put, store: ArtifactStore, tmp_path: Path) -> None:
    commits = [f"{number:040x}" for number in range(1, 9)]
    ids = [put(commit).artifact_id for commit in commits]
    book = DeploymentBook(tmp_path / "storage", now=Ticking())
    for index, result in [(0, "verified"), (1, "verified"), (2, "verified"), (3, "unhealthy")]:
        book.settle(book.start("twin:80", ids[index], kind="deploy", workflow_id="w"), result)  # type: ignore[arg-type]
    store.pin(ids[4])
    assert store.prune(keep=2) == [ids[0], ids[5]]
    assert [store.get(one) is not None for one in ids] == [False, True, True, True, True, False, True, True]
    assert not (tmp_path / "storage" / "artifacts" / ids[0]).exists()


def test_records_that_cannot_be_opened_are_a_passing_fault(tmp_path: Path) -> None:
    (tmp_path / "records.db").mkdir()
    with pytest.raises(FirmwareError) as caught:
        ArtifactStore(tmp_path).get("x")
    assert caught.value.may_retry


def test_a_transaction_that_fails_is_undone(tmp_path: Path) -> None:
    from batuta_firmware.records import transaction

    with pytest.raises(ZeroDivisionError), transaction(tmp_path) as records:
        records.execute("insert into notices values ('x', 1)")
        raise ZeroDivisionError
    with transaction(tmp_path) as records:
        assert records.execute("select count(*) from notices").fetchone()[0] == 0
    assert sqlite3.connect(tmp_path / "records.db").execute("pragma journal_mode").fetchone()[0] == "wal"
