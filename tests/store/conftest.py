"""
What the store's tests share: coroutine tests, and a `store` fixture (given by each test module or class) opened around them.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("conformance", "conformance_questions")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine; the store it asks for is open while it runs."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def run() -> None:
        store = given.get("store")
        if store is not None:
            await store.open()
        try:
            await pyfuncitem.obj(**given)
        finally:
            if store is not None:
                await store.close()

    asyncio.run(run())
    return True
