"""
Where user scripts run: outside the server, with nothing to reach.

Here: `Sandbox`, the engine behind core's `ScriptEngine` protocol. pool.py shares out processes, process.py runs one, child.py is what
runs inside it, with confine.py closing its doors, javascript.py and jqlang.py its languages. Not here: what a result means to a workflow
(core/expr/script.py). Why it is built so, with figures: docs/decisions/0003-script-engines.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batuta.sandbox.pool import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    # A script process imports this package too, and comes up in half the time without the server's side of it.
    if name == "Sandbox":
        from batuta.sandbox.pool import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
