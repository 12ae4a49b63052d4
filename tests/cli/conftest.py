"""A server to speak to, and the command line as a function."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from clistage import Batuta

from batuta.testing import EmbeddedServer, embedded


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer has set shall not reach a test."""
    for name in list(os.environ):
        if name.startswith(("BATUTA_", "CONDUCTOR_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with embedded() as server:
        yield server


@pytest.fixture
def batuta(server: EmbeddedServer) -> Batuta:
    """The command line, speaking to `server`."""
    return Batuta(server.url)
