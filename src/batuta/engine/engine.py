"""
Engine: one server's engine over one store, put together from its parts. Open it, use it from one event loop, close it.

durability.py  executions between memory and disk    steps.py    the path every change takes
delivery.py    messages between executions           starts.py   beginning, also once under a key
claims.py      handing tasks to workers              reports.py  what workers say, and reading
verbs.py       the operator's verbs                  watches.py  waiting for an execution, and signals
views.py       what is listed and counted            admission.py  places under rate limits
"""

from __future__ import annotations

from batuta.engine.claims import Claims
from batuta.engine.delivery import Delivery
from batuta.engine.starts import Starts
from batuta.engine.views import Views
from batuta.engine.watches import Watches


class Engine(Starts, Claims, Views, Watches, Delivery):
    """All that the API and the built-in workers ask for."""
