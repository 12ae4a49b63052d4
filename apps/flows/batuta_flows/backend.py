"""
The backend: everything the Flow Builder is made of, put together over one orchestrator.

The only place where settings become parts. Not here: the HTTP server and the process (main.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from batuta.client import ClientError, SyncClient
from batuta_flows import ffmpeg
from batuta_flows.assets.links import linked
from batuta_flows.assets.store import AssetStore
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.errors import NodeFailed
from batuta_flows.providers import adapters as make_adapters
from batuta_flows.providers.protocol import Adapter
from batuta_flows.records.alive import Alive
from batuta_flows.records.database import Database
from batuta_flows.records.flows import Flows
from batuta_flows.records.results import Results
from batuta_flows.records.spend import Spend
from batuta_flows.records.submissions import Submissions
from batuta_flows.runs.history import History
from batuta_flows.runs.service import Service
from batuta_flows.settings import Settings, shown_url
from batuta_flows.workers.run import Runner

Json = Any


class Backend:
    """One process's parts. Making it makes the data directory; nothing is sent yet."""

    def __init__(self, settings: Settings, client: SyncClient, adapters: Mapping[str, Adapter] | None = None) -> None:
        self.settings, self.client = settings, client
        self.public_url = (settings.public_url or f"http://localhost:{settings.port}").rstrip("/")
        self.link = linked(self.public_url)
        database = Database(settings.directory / "flows.db")
        self.alive = Alive(settings.directory / "alive")
        self.assets = AssetStore(settings.directory / "assets", bytes_max=settings.asset_bytes_max)
        self.adapters = adapters if adapters is not None else make_adapters(settings, self.assets, self.link)
        self.history, self.flows = History(database), Flows(database)
        self.spend = Spend(database, run_usd_max=settings.run_usd_max, day_usd_max=settings.day_usd_max)
        self.runner = Runner(
            self.adapters,
            self.assets,
            Submissions(database, self.alive),
            Results(database, self.assets),
            self.spend,
            configured=settings.configured & frozenset(self.adapters),
        )
        configured = settings.configured & frozenset(self.adapters)
        self.service = Service(client, self.history, self.runner, configured=configured, lost_after_s=settings.lost_after_s)

    def close(self) -> None:
        """This process works no more: what it was about to send is in doubt."""
        self.alive.close()

    def health(self) -> dict[str, Json]:
        """Whether the orchestrator answers and how fast, and what each provider needs to work. Asks the orchestrator, and no provider."""
        began = time.perf_counter()
        try:
            self.client.health()
            conductor: dict[str, Json] = {"ok": True, "latencyMs": round((time.perf_counter() - began) * 1000, 1)}
        except ClientError as error:
            conductor = {"ok": False, "error": str(error)}
        return {"conductorUrl": shown_url(self.client.url), "conductor": conductor, "providers": self._providers(), "ffmpeg": _ffmpeg()}

    def _providers(self) -> dict[str, Json]:
        """Each provider of the catalogue: whether it is configured, whether it can be used, and if not, what it needs."""
        needs = {provider.id: provider.needs for node_type in NODE_TYPES.values() for provider in node_type.providers}
        found: dict[str, Json] = {}
        for id in sorted(needs):
            is_configured = id == "local" or id in self.settings.configured
            missing = f"set {' or '.join(needs[id])}" if not is_configured else "" if id in self.adapters else f"pip install 'batuta[{id}]'"
            found[id] = {"configured": is_configured, "ready": not missing, **({"missing": missing} if missing else {})}
        return found


def _ffmpeg() -> dict[str, Json]:
    """ffmpeg and its version, or why there is none."""
    try:
        return {"version": ffmpeg.version()}
    except NodeFailed as error:
        return {"version": None, "missing": str(error)}
