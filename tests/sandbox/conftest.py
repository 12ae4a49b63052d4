"""One sandbox for the tests of what scripts do; tests of the pool make their own."""

from collections.abc import Iterator

import pytest

from batuta.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox(time_limit_s=1.0)
    yield box
    box.close()
