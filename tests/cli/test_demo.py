"""`batuta demo`: the server around the firmware application's demo."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from clistage import Batuta

from batuta.cli import demo
from batuta.cli.failure import Exit
from batuta.client import SyncClient, Unavailable


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A demo in place of the firmware's, which takes a while: it notes what it was given and whether a server is there."""
    told: dict[str, Any] = {"code": 0}

    def run(url: str, *, data_dir: Path, plain: bool, stay: bool) -> int:
        with SyncClient(url) as client:
            told.update(
                url=url, data_dir=data_dir, plain=plain, stay=stay, healthy=client.health()["healthy"], files=sorted(p.name for p in data_dir.iterdir())
            )
        return int(told["code"])

    module = ModuleType("demo_of_a_test")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "demo_of_a_test", module)
    monkeypatch.setattr(demo, "DEMO", "demo_of_a_test")
    return told


def test_it_gives_the_demo_a_server_and_ends_with_its_code(played: dict[str, Any]) -> None:
    for code in (0, 1):
        played["code"] = code
        ran = Batuta()("demo")
        assert (ran.code, played["healthy"], played["plain"], played["stay"]) == (code, True, True, False)
    assert "batuta.db" in played["files"] and not played["data_dir"].exists()
    assert played["url"] in ran.out and "Console" in ran.out
    with SyncClient(played["url"]) as client, pytest.raises(Unavailable):
        client.version()


def test_a_directory_that_is_given_is_kept(played: dict[str, Any], tmp_path: Path) -> None:
    ran = Batuta()("demo", "--data", str(tmp_path / "kept"))
    assert ran.code == 0 and (tmp_path / "kept" / "batuta.db").exists() and str(tmp_path / "kept") in ran.out


def test_a_port_that_is_taken_is_told_with_what_to_do(played: dict[str, Any], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for option in ("--port", "--ui-port"):
            ran = Batuta()("demo", option, str(port), "--data", str(tmp_path))
            assert ran.code == Exit.CONFLICT and f"port {port} is taken: another program listens there" in ran.err
            assert f"or choose another port: `batuta demo {option} {port + 1}`" in ran.err
    assert played == {"code": 0}


def test_a_place_that_cannot_be_used_is_told(played: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = Batuta()("demo", "--data", str(tmp_path / "file" / "below"))
    assert ran.code == Exit.FAILED and "the directory" in ran.err and "cannot be made (Not a directory)" in ran.err


def test_without_the_application_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DEMO", "batuta_nowhere.demo")
    ran = Batuta()("demo")
    assert ran.code == Exit.FAILED and "needs 'batuta_nowhere'" in ran.err and "pip install 'batuta[firmware]'" in ran.err


def test_the_firmware_application_takes_what_it_is_given() -> None:
    import inspect

    given = inspect.signature(demo._play()).parameters
    assert next(iter(given)) == "url" and {"data_dir", "plain", "stay"} <= given.keys()
