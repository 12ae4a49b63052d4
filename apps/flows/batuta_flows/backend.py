"""
The backend: everything the Flow Builder is made of, put together over one orchestrator.

The only place where settings become parts. Not here: the HTTP server and the process (main.py).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from batuta.client import ClientError, SyncClient
from batuta_flows import ffmpeg
from batuta_flows.assets.links import linked
from batuta_flows.assets.store import AssetStore
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.errors import NodeFailed
from batuta_flows.providers import adapters as make_adapters
from batuta_flows.providers.local import voice
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
        configured = settings.configured & frozenset(self.adapters)
        self.history, self.flows = History(database, shown_url(client.url)), Flows(database)
        self.spend = Spend(database, run_usd_max=settings.run_usd_max, day_usd_max=settings.day_usd_max)
        self.runner = Runner(
            self.adapters,
            self.assets,
            Submissions(database, self.alive, jobs_max=settings.provider_jobs_max),
            Results(database, self.assets),
            self.spend,
            configured=configured,
        )
        self.service = Service(client, self.history, self.runner, configured=configured, lost_after_s=settings.lost_after_s)

    def close(self) -> None:
        """This process works no more: what it was about to send is in doubt."""
        self.alive.close()
        self.client.close()

    def health(self) -> dict[str, Json]:
        """
        `ok`: whether the orchestrator answers and the data directory can be written; how fast, how much room is left, and what each provider, ffmpeg and
        espeak-ng need to work. Asks the orchestrator, and no provider.
        """
        began = time.perf_counter()
        try:
            self.client.health()
            conductor: dict[str, Json] = {"ok": True, "latencyMs": round((time.perf_counter() - began) * 1000, 1)}
        except ClientError as error:
            conductor = {"ok": False, "error": str(error)}
        programs = {"ffmpeg": _version(ffmpeg.version), "espeak": _version(voice.version)}
        data = self._data()
        told = {"conductorUrl": shown_url(self.client.url), "conductor": conductor, "data": data, "providers": self._providers(), **programs}
        return {"ok": conductor["ok"] and data["ok"], **told}

    def _data(self) -> dict[str, Json]:
        """Whether the data directory can be written, and how much more goes into it."""
        try:
            with tempfile.TemporaryFile(dir=self.settings.directory) as file:
                file.write(b"room for this")
            return {"ok": True, "freeBytes": shutil.disk_usage(self.settings.directory).free}
        except OSError as error:
            return {"ok": False, "error": f"FLOWS_DATA cannot be written: {error.strerror}"}

    def _providers(self) -> dict[str, Json]:
        """Each provider of the catalogue: whether it is configured, whether it can be used, and if not, what it needs."""
        needs = {provider.id: provider.needs for node_type in NODE_TYPES.values() for provider in node_type.providers}
        found: dict[str, Json] = {}
        for id in sorted(needs):
            is_configured = id == "local" or id in self.settings.configured
            missing = f"set {' or '.join(needs[id])}" if not is_configured else "" if id in self.adapters else f"pip install 'batuta[{id}]'"
            found[id] = {"configured": is_configured, "ready": not missing, **({"missing": missing} if missing else {})}
        return found


def _version(ask: Callable[[], str]) -> dict[str, Json]:
    """The version of a program that nodes on this machine use, or why there is none."""
    try:
        return {"version": ask()}
    except ImportError as error:
        return {"version": None, "missing": f"{error.name} is not installed: pip install 'batuta[flows]'"}
    except NodeFailed as error:
        return {"version": None, "missing": str(error)}
