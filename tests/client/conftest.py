"""A fake server and clients of it, for the client's tests."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from client_stage import Play, play
from conductor_fake import ConductorFake

from batuta.client import Client, SyncClient


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests neither see the user's server nor write to the user's state directory."""
    for name in ("CONDUCTOR_SERVER_URL", "CONDUCTOR_AUTH_KEY", "CONDUCTOR_AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def fake() -> Iterator[ConductorFake]:
    server = ConductorFake().start()
    yield server
    server.stop()


@pytest.fixture
def client(fake: ConductorFake) -> Client:
    return Client(fake.url, timeout_s=10)


@pytest.fixture
def sync_client(fake: ConductorFake) -> Iterator[SyncClient]:
    with SyncClient(fake.url, timeout_s=10) as client:
        yield client


@pytest.fixture(name="play")
def play_fixture(fake: ConductorFake) -> Play:
    """`play` against the fake server."""
    return functools.partial(play, fake)
