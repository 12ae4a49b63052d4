"""A data directory that cannot be used, and programs that are not there: said at the start, by /health, by the routes and on the nodes, and over when it is mended."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flowkit import node, ref
from studio import Builder, Studio, builder, picture

from batuta.testing.loop import LoopThread
from batuta_flows import ffmpeg
from batuta_flows.assets.store import AssetStore
from batuta_flows.errors import NodeFailed, is_of_storage
from batuta_flows.main import NoData, serving
from batuta_flows.providers.local import voice
from batuta_flows.settings import Settings

Json = Any


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def a_file(directory: Path) -> Path:
    (directory / "file").write_text("no directory")
    return directory / "file"


def another_database(directory: Path) -> Path:
    (directory / "flows.db").write_text("this is no database " * 500)
    return directory


@pytest.mark.parametrize("made", [a_file, another_database])
def test_a_directory_that_cannot_be_used_is_said_at_the_start(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    place = made(tmp_path)
    begun = serving(Settings(port=0, conductor_url="http://127.0.0.1:9/api", data=str(place)))
    with LoopThread("flow-builder") as thread, pytest.raises(NoData, match=f"FLOWS_DATA: '{place}' cannot be used"):
        thread.call(begun.__aenter__())


def test_a_full_disk_is_a_nodes_error_that_passes_and_no_result_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture is paid for, and there is no room for it: fal is asked for it again, once there is."""
    nodes = [node("words", "text_to_text", prompt="x", provider="local"), node("pic", "text_to_image", run={"retries": 0}, prompt=ref("words", "text"))]
    with builder(tmp_path, Studio(), fal := Studio("fal", waits=2)) as flows:
        with monkeypatch.context() as patched:
            patched.setattr(AssetStore, "add_bytes", full)
            run_id = flows.run(nodes)
            red = flows.ended(run_id)["nodeStatuses"][1]
            assert (red["status"], red["errorCode"]) == ("failed", "storage") and "No space left on device. Make room" in red["error"]
        assert flows.ask("POST", f"/workflow/{run_id}/retry")[0] == 200
        assert flows.ended(run_id)["status"] == "completed" and len(fal.submitted) == 1


def test_a_route_that_cannot_keep_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with builder(tmp_path, workers=False) as flows:
        with monkeypatch.context() as patched:
            patched.setattr(AssetStore, "add", full)
            assert told(flows, "/assets", picture(1)) == (507, "storage")
        with monkeypatch.context() as patched:
            patched.setattr(flows.backend.flows, "save", readonly)
            assert told(flows, "/flows", {"nodes": [node("a", "text_to_text", prompt="x")]}) == (507, "storage")
        with monkeypatch.context() as patched:
            patched.setattr(flows.backend.flows, "all", lambda: 1 / 0)
            code, answer = flows.ask("GET", "/flows")
            assert (code, answer["code"]) == (500, "internal_error") and "division" not in json.dumps(answer)
        assert told(flows, "/assets", picture(1))[0] == 201


def told(flows: Builder, path: str, body: Json) -> tuple[int, str]:
    code, answer = flows.ask("POST", path, body)
    return code, answer.get("code", "")


def readonly(*_: Any, **__: Any) -> None:
    with sqlite3.connect("file:///proc/none.db?mode=rw", uri=True) as connection:
        connection.execute("SELECT 1")


def test_health_tells_of_a_directory_that_takes_nothing(tmp_path: Path) -> None:
    with builder(tmp_path / "data", workers=False) as flows:
        code, answer = flows.ask("GET", "/health")
        assert code == 200 and answer["data"]["ok"] and answer["data"]["freeBytes"] > 0
        (tmp_path / "data").rename(tmp_path / "gone")
        code, answer = flows.ask("GET", "/health")
        assert (code, answer["status"]) == (503, "degraded") and answer["data"] == {"ok": False, "error": "FLOWS_DATA cannot be written: No such file or directory"}
        (tmp_path / "gone").rename(tmp_path / "data")
        assert flows.ask("GET", "/health")[0] == 200


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Neither ffmpeg nor espeak-ng can be run."""
    import espeakng_loader  # type: ignore[import-untyped]

    monkeypatch.setattr(ffmpeg, "program", lambda: str(tmp_path / "no-ffmpeg"))
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: str(tmp_path / "no-library.so"))
    monkeypatch.setattr(voice, "_library", None)
    ffmpeg.version.cache_clear()
    yield
    ffmpeg.version.cache_clear()


def test_programs_that_are_not_there_are_named(tmp_path: Path, no_programs: None) -> None:
    nodes = [node("say", "text_to_speech", text="hello"), node("clip", "text_to_video", prompt="a fox"), node("pic", "text_to_image", prompt="a fox")]
    with builder(tmp_path / "data", real=True) as flows:
        code, answer = flows.ask("GET", "/health")
        assert code == 200 and answer["providers"]["local"]["ready"]
        assert "ffmpeg cannot be run" in answer["ffmpeg"]["missing"] and "espeak-ng cannot be loaded" in answer["espeak"]["missing"]
        reasons = {}
        for one in nodes:
            status = flows.ended(flows.run([one]))
            reasons[one["id"]] = (status["status"], status["nodeStatuses"][0].get("errorCode"), status["nodeStatuses"][0].get("error", ""))
        assert reasons["pic"][0] == "completed"
        for id, word in (("say", "espeak-ng cannot be loaded"), ("clip", "ffmpeg cannot be run")):
            assert reasons[id][:2] == ("failed", "not_available") and word in reasons[id][2] and "pip install" in reasons[id][2]


def test_programs_that_are_there_tell_their_version(tmp_path: Path) -> None:
    with builder(tmp_path, workers=False) as flows:
        answer = flows.ask("GET", "/health")[1]
    assert answer["ffmpeg"]["version"] and answer["espeak"]["version"].count(".") >= 1


def test_a_disk_that_fills_while_a_film_is_written_is_no_fault_of_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\necho 'av_interleaved_write_frame(): No space left on device' >&2\nexit 228\n")
    script.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "program", lambda: str(script))
    with pytest.raises(OSError, match="No space left") as raised:
        ffmpeg.run(["-i", "a.mp4", tmp_path / "b.mp4"])
    assert is_of_storage(raised.value) and not isinstance(raised.value, NodeFailed)
