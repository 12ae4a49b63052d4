"""
Settings of the Flow Builder's backend and workers, from the environment: the original's names, and ours beside them.

Only the entry points read the environment; everything else receives this structure.
"""

from __future__ import annotations

import math
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from batuta_flows.errors import FlowError


class BadSetting(FlowError):
    """A variable of the environment cannot be used."""

    code = "bad_setting"


class Settings(msgspec.Struct, frozen=True):
    """All settings. Keys are never shown: see `__repr__`."""

    port: int = 5111
    """PORT: where the backend listens; 0: any free port."""
    host: str = "127.0.0.1"
    """FLOWS_HOST: address to listen on; loopback, because the backend has no authentication of its own."""
    port_shared: bool = False
    """FLOWS_PORT_SHARED: whether several processes listen on the same port and share its connections, as the instances of `pm2 start -i 2` do."""
    conductor_url: str = ""
    """CONDUCTOR_URL: root of the orchestrator's API, such as http://localhost:8080/api. Empty: an engine of its own in the same process."""
    worker_id: str = ""
    """WORKER_ID: the name of this process among workers. Empty: host name and process id."""
    poll_interval_ms: int = 1000
    """POLL_INTERVAL_MS: how long a poll for tasks is held open, in milliseconds; no server holds one for more than 5,000."""
    lost_after_s: int = 30
    """FLOWS_LOST_AFTER_S: a worker of which nothing was heard for so many seconds is lost, and its task is given to another. Of runs started from now on."""
    openai_api_key: str = ""
    """OPENAI_API_KEY."""
    openai_base_url: str = ""
    """OPENAI_BASE_URL: any service that speaks OpenAI's API, such as http://localhost:11434/v1."""
    fal_key: str = ""
    """FAL_KEY."""
    fal_queue_url: str = "https://queue.fal.run"
    """FAL_QUEUE_URL: root of fal's queue, or of a proxy before it."""
    content_service_url: str = ""
    """CONTENT_SERVICE_URL: who does face swaps, lip sync and the other nodes of the original's content service."""
    data: str = "var/flows"
    """FLOWS_DATA: directory of assets, flows, history and remembered results; shared by all backends and workers of one machine."""
    public_url: str = ""
    """FLOWS_PUBLIC_URL: how browsers reach this backend, for the addresses of assets. Empty: http://localhost:PORT."""
    origins: str = ""
    """FLOWS_ORIGINS: origins of pages, separated by commas, that may use this backend besides its own and those of this machine."""
    run_usd_max: float = 5.0
    """FLOWS_RUN_USD_MAX: most that one run may spend at paid providers."""
    day_usd_max: float = 25.0
    """FLOWS_DAY_USD_MAX: most that all runs of a day may spend."""
    provider_jobs_max: int = 20
    """FLOWS_PROVIDER_JOBS_MAX: most requests that one outside provider has at a time, of all runs; others wait their turn."""
    asset_bytes_max: int = 512 << 20
    """FLOWS_ASSET_BYTES_MAX: largest file that is uploaded, fetched or made."""
    fetch_private: bool = False
    """FLOWS_FETCH_PRIVATE: whether files may be fetched from private addresses."""

    def __repr__(self) -> str:
        shown = {name: "***" if name.endswith("_key") and value else shown_url(value) for name, value in msgspec.structs.asdict(self).items()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def name(self) -> str:
        """The worker's name."""
        return self.worker_id or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def directory(self) -> Path:
        return Path(self.data)

    @property
    def trusted_origins(self) -> tuple[str, ...]:
        """Origins of pages that may use the backend: the operator's, and that of the address under which browsers reach it."""
        public = urlsplit(self.public_url)
        return (*filter(None, (one.strip() for one in self.origins.split(","))), *([f"{public.scheme}://{public.netloc}"] if public.netloc else ()))

    @property
    def configured(self) -> frozenset[str]:
        """Ids of the providers whose key or address is set."""
        keys = {"openai": self.openai_api_key or self.openai_base_url, "fal": self.fal_key, "service": self.content_service_url}
        return frozenset(id for id, value in keys.items() if value)


VARIABLES: Final = {
    "port": "PORT",
    "host": "FLOWS_HOST",
    "port_shared": "FLOWS_PORT_SHARED",
    "conductor_url": "CONDUCTOR_URL",
    "worker_id": "WORKER_ID",
    "poll_interval_ms": "POLL_INTERVAL_MS",
    "lost_after_s": "FLOWS_LOST_AFTER_S",
    "openai_api_key": "OPENAI_API_KEY",
    "openai_base_url": "OPENAI_BASE_URL",
    "fal_key": "FAL_KEY",
    "fal_queue_url": "FAL_QUEUE_URL",
    "content_service_url": "CONTENT_SERVICE_URL",
    "data": "FLOWS_DATA",
    "public_url": "FLOWS_PUBLIC_URL",
    "origins": "FLOWS_ORIGINS",
    "run_usd_max": "FLOWS_RUN_USD_MAX",
    "day_usd_max": "FLOWS_DAY_USD_MAX",
    "provider_jobs_max": "FLOWS_PROVIDER_JOBS_MAX",
    "asset_bytes_max": "FLOWS_ASSET_BYTES_MAX",
    "fetch_private": "FLOWS_FETCH_PRIVATE",
}


def shown_url(value: Any) -> Any:
    """An address without the name and the password in it; anything else as it is."""
    return re.sub(r"(?<=://)[^/@\s]*@", "***@", value) if isinstance(value, str) else value


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """
    The settings in the environment; an empty variable is one that is not set.

    Raises:
        BadSetting: names the variable, what was found and what was expected.
    """
    given = {field: environment[name] for field, name in VARIABLES.items() if environment.get(name)}
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("`$.")[2].rstrip("`")
        raise BadSetting(f"{VARIABLES.get(field, field)}: {error}") from None
    if not 0 <= settings.port <= 65535:
        raise BadSetting(f"PORT: found {settings.port}, expected 0 to 65535")
    if not 10 <= settings.poll_interval_ms <= 60_000:
        raise BadSetting(f"POLL_INTERVAL_MS: found {settings.poll_interval_ms}, expected 10 to 60000")
    if not 1 <= settings.lost_after_s <= 3600:
        raise BadSetting(f"FLOWS_LOST_AFTER_S: found {settings.lost_after_s}, expected 1 to 3600")
    for field in ("provider_jobs_max", "asset_bytes_max"):
        if getattr(settings, field) < 1:
            raise BadSetting(f"{VARIABLES[field]}: found {getattr(settings, field)}, expected at least 1")
    for field in ("run_usd_max", "day_usd_max"):
        if not 0 <= (cap := getattr(settings, field)) < math.inf:  # nan would let everything through
            raise BadSetting(f"{VARIABLES[field]}: found {cap}, expected dollars, 0 or more")
    for field in ("conductor_url", "openai_base_url", "fal_queue_url", "content_service_url", "public_url"):
        value = getattr(settings, field)
        if value and not re.match(r"https?://[^/\s]+", value):
            raise BadSetting(f"{VARIABLES[field]}: found {value!r}, expected an address such as http://localhost:8080/api")
    for origin in filter(None, (one.strip() for one in settings.origins.split(","))):
        if not re.fullmatch(r"https?://[^/\s*]+/?", origin):
            raise BadSetting(f"FLOWS_ORIGINS: found {origin!r}, expected origins such as https://studio.example.com, separated by commas")
    return settings
