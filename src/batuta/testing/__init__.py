"""
The testing kit: a whole server inside a test, with a clock one can move.

    from batuta.testing import embedded

    def test_an_order_is_paid_before_it_is_packed() -> None:
        with embedded() as server, server.run_workers(["shop.workers"]):
            assert server.run("order", {"id": 7}).output == {"packed": True}

server.py is the server in its thread, clock.py its time, plugin.py the pytest fixtures. The server is the real one with its real HTTP API; what it
stores stays in memory. How to use it: docs/howto/test-your-workflows.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batuta.testing.server import EmbeddedServer, ServerClock, embedded

__all__ = ["EmbeddedServer", "ServerClock", "embedded"]


def __getattr__(name: str) -> Any:
    # pytest imports this package in every session, also where nobody needs a server.
    if name in __all__:
        from batuta.testing import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
