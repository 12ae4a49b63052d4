"""
The pytest fixtures: `batuta_server`, and `batuta_options` to set it up.

Loading this costs nothing: the server is imported when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from batuta.testing.server import EmbeddedServer


@pytest.fixture
def batuta_options() -> dict[str, Any]:
    """What `embedded` is called with. Override it in a module, class or conftest: `return {"stands_still": True}`."""
    return {}


@pytest.fixture
def batuta_server(batuta_options: dict[str, Any]) -> Iterator[EmbeddedServer]:
    """A server of the test's own: empty, in memory, gone afterwards."""
    from batuta.testing.server import embedded

    with embedded(**batuta_options) as server:
        yield server
