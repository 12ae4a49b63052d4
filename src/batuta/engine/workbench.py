"""
Workbench: what a decision may look up or use (core.turn.Tools), given by this server.

Definitions come from the catalog's memory, scripts from the sandbox, recent polls from the dispatcher. Nothing here waits for the store.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Collection, Mapping
from typing import Any

from batuta.core.expr.masks import Mask
from batuta.core.expr.script import ScriptEngine
from batuta.core.expr.template import MISSING
from batuta.core.model.execution import Execution
from batuta.core.model.task import Json
from batuta.engine.catalog import Catalog
from batuta.engine.environment import Environment
from batuta.engine.outputs import Outputs
from batuta.engine.secrets import Secrets
from batuta.wire.execution import workflow_json

_KNOWN_UNSET = frozenset({"NETFLIX_ENV", "NETFLIX_STACK"})


class Workbench:
    """core.turn.Tools for one server."""

    def __init__(
        self,
        catalog: Catalog,
        scripts: ScriptEngine,
        polled_lately: Callable[[str], bool],
        environment: Environment,
        secrets: Secrets,
        outputs: Outputs,
        *,
        variables_bytes_max: int = 256 * 1024,
        process: Mapping[str, str] = os.environ,
    ) -> None:
        self._secrets, self._environment, self._process = secrets, environment, process
        self.refusal: Callable[[str], str | None] = lambda queue: None  # who takes messages out of the process says which it takes
        self._outputs = outputs
        self.scripts = scripts
        self.variables_bytes_max = variables_bytes_max
        self._catalog = catalog
        self.polled_lately = polled_lately

    def definition(self, name: str, version: int) -> Json | None:
        return self._catalog.workflow(name, version or None)

    def task_definition(self, name: str) -> Json | None:
        return self._catalog.task(name)

    def schema(self, name: str, version: int) -> Json | None:
        return self._catalog.schema(name, version)

    def environment(self, name: str) -> str | None:
        return self._environment.get(name)

    def secret(self, name: str) -> str | None:
        return self._secrets.get(name)

    def mask(self, names: Collection[str]) -> Mask:
        return self._secrets.mask(names)

    def constant(self, name: str) -> Any:
        found = self._process.get(name)
        return found if found is not None else None if name in _KNOWN_UNSET else MISSING

    def shown(self, x: Execution) -> Json:
        return workflow_json(x)

    def cached_output(self, key: str, now: int) -> Json | None:
        return self._outputs.get(key, now)

    def jitter_ms(self, most: int) -> int:
        return random.randint(0, most)
