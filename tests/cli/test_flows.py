"""`batuta flows`: what it says when it cannot begin. The Flow Builder itself: tests/flows."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from clistage import NOBODY, Batuta

from batuta.cli.demo import local_server
from batuta.cli.failure import Exit
from batuta.testing import EmbeddedServer


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.mark.parametrize("option", ["--port", "--engine-port", "--engine-ui-port"])
def test_a_port_that_is_taken_is_told_with_by_whom_and_what_to_do(option: str, taken: int, tmp_path: Path) -> None:
    ports = {"--port": "0", "--engine-port": "0", "--engine-ui-port": "0", option: str(taken)}
    ran = Batuta()("flows", "--data", str(tmp_path), *(word for pair in ports.items() for word in pair))
    assert ran.code == Exit.CONFLICT and f"port {taken} is taken: another program listens there" in ran.err
    assert f"(pid {os.getpid()})" in ran.err and f"Stop it, or choose another port: `batuta flows {option} {taken + 1}`" in ran.err


def test_an_engine_that_is_there_already_may_be_used(server: EmbeddedServer, tmp_path: Path) -> None:
    ran = Batuta()("flows", "--port", "0", "--engine-port", str(server.port), "--engine-ui-port", "0", "--data", str(tmp_path))
    assert ran.code == Exit.CONFLICT and f"port {server.port} is taken: a Conductor API (version 0." in ran.err
    assert f"Use it (`CONDUCTOR_URL=http://localhost:{server.port}/api batuta flows`), stop it, or choose" in ran.err


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = Batuta()("flows", "--port", "0", "--engine-port", "0", "--engine-ui-port", "0", "--data", str(tmp_path / "file" / "below"))
    assert ran.code == Exit.FAILED and "cannot be made (Not a directory)" in ran.err and "Traceback" not in ran.err
    ran = Batuta()("flows", "--port", "0", "--data", str(tmp_path / "file" / "below"), env={"CONDUCTOR_URL": NOBODY})  # no engine of its own
    assert ran.code == Exit.FAILED and "/file/below' cannot be used" in ran.err and "Not a directory" in ran.err


def test_a_directory_that_another_one_keeps_may_be_shared(tmp_path: Path) -> None:
    with local_server(tmp_path / "engine", 0, 0, "batuta flows --engine-"):
        ran = Batuta()("flows", "--port", "0", "--engine-port", "0", "--engine-ui-port", "0", "--data", str(tmp_path))
    assert ran.code == Exit.CONFLICT and "is in use by another server" in ran.err and "To share it, name the engine of that one: `CONDUCTOR_URL=" in ran.err
