"""What every handler is given: the engine, the catalog, the script engine, and plain facts about this server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata

from batuta.core.expr.script import ScriptEngine
from batuta.core.model.execution import Execution
from batuta.core.model.task import Task
from batuta.engine.catalog import Catalog
from batuta.engine.engine import Engine
from batuta.engine.events import Events
from batuta.engine.metrics import Metrics
from batuta.engine.schedules import Schedules
from batuta.engine.webhooks import Webhooks
from batuta.wire.execution import TaskView, handed_view


def _no_secrets(name: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """
    The rooms behind the edge, as every handler is given them.

    `config` is what GET /api/admin/config shows: settings as text, no secrets among them. `secret` is the value of a secret, for tasks
    that are handed to a worker and for who asks /api/secrets; `secret_names` are those there are.
    """

    engine: Engine
    catalog: Catalog
    scripts: ScriptEngine
    events: Events = field(kw_only=True)
    schedules: Schedules = field(kw_only=True)
    metrics: Metrics = field(default_factory=Metrics)
    webhooks: Webhooks | None = None
    version: str = field(default_factory=lambda: metadata.version("batuta"))
    config: Mapping[str, str] = field(default_factory=dict)
    secret: Callable[[str], str | None] = _no_secrets
    secret_names: Callable[[], list[str]] = list

    def now(self) -> int:
        """This instant by the engine's clock, in epoch milliseconds."""
        return self.engine.clock.now()

    def handed(self, execution: Execution, task: Task) -> TaskView:
        """The task as its worker gets it."""
        return handed_view(execution, task, self.now(), self.secret, self.engine.tools.environment)
