"""What every handler is given: the engine, the catalog, the script engine, and plain facts about this server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata

from batuta.api.addresses import Addresses
from batuta.core.expr.script import ScriptEngine
from batuta.core.model.execution import Execution
from batuta.core.model.task import Task
from batuta.engine.catalog import Catalog
from batuta.engine.engine import Engine
from batuta.engine.events import Events
from batuta.engine.files import Files
from batuta.engine.metrics import Metrics
from batuta.engine.pulse import Pulse
from batuta.engine.schedules import Schedules
from batuta.engine.webhooks import Webhooks
from batuta.errors import SecretUnreadable
from batuta.wire.execution import TaskView, handed_view


@dataclass(frozen=True, slots=True)
class Services:
    """
    The rooms behind the edge, as every handler is given them.

    `config` is what GET /api/admin/config shows: settings as text, no secrets among them. `secrets_readable`: whether GET /api/secrets/{key} answers
    with a value.
    """

    engine: Engine
    catalog: Catalog
    scripts: ScriptEngine
    events: Events = field(kw_only=True)
    schedules: Schedules = field(kw_only=True)
    addresses: Addresses = field(kw_only=True)
    files: Files = field(kw_only=True)
    metrics: Metrics = field(default_factory=Metrics)
    webhooks: Webhooks | None = None
    version: str = field(default_factory=lambda: metadata.version("batuta"))
    config: Mapping[str, str] = field(default_factory=dict)
    secrets_readable: bool = False
    pulse: Pulse | None = None

    def now(self) -> int:
        """This instant by the engine's clock, in epoch milliseconds."""
        return self.engine.clock.now()

    async def handed(self, taken: Sequence[tuple[Execution, Task]]) -> list[TaskView]:
        """The claimed tasks as their worker gets them; one whose secrets cannot be read fails instead, saying so."""
        views: list[TaskView] = []
        closed: list[tuple[Execution, Task, SecretUnreadable]] = []
        for execution, task in taken:
            try:
                views.append(handed_view(execution, task, self.now(), self.engine.tools.secret, self.engine.tools.environment))
            except SecretUnreadable as unreadable:
                closed.append((execution, task, unreadable))
        for execution, task, error in closed:
            await self.engine.fail_unreadable(execution, task, error)
        return views
