"""
Engine: one server's engine over one store, put together from its parts. Open it, use it from one event loop, close it.

steps.py  the path every change takes      claims.py   handing tasks to workers
verbs.py  the operator's verbs             reports.py  what workers say, and reading
views.py  what is listed and counted       watches.py  waiting for an execution, and signals
"""

from __future__ import annotations

from batuta.engine.claims import Claims
from batuta.engine.views import Views
from batuta.engine.watches import Watches


class Engine(Claims, Views, Watches):
    """All that the API and the built-in workers ask for."""
