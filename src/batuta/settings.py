"""
Settings: everything an operator may set, in one frozen structure. Only app.py and the CLI read it; rooms receive plain values.

Each field: its unit in the name, its environment variable (BATUTA_ + the name in capitals), its default and the reason for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from batuta.errors import Invalid

ENVIRONMENT_PREFIX = "BATUTA_"
ENVIRONMENT_ONLY = frozenset({"secrets_key"})
"""Settings that are no options of the command line, which other programs can read."""
MIB = 1024 * 1024
SECRET = ("secrets_key", "webhook_secret", "webhook_url")
_PASSWORD = re.compile(r"(?<=://)[^@/,\s]*@")


class Settings(msgspec.Struct, frozen=True):
    """All settings of one server. `docs/reference/settings.md` is made from the docstrings below."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback, because a server without authentication belongs to one machine."""
    port: int = 8080
    """Port of the API; 0: any free one. Conductor's."""
    ui_port: int = 8127
    """Port of the console; 0: none, and it is still at / of the API. The one our users' runbooks open."""
    store: str = ""
    """Where state is kept: sqlite:///PATH or memory://. Empty: batuta.db in the data directory."""
    data: str = "var"
    """Directory for everything the server keeps. Relative to where it is started."""
    request_bytes_max: int = 16 * MIB
    """Largest request body; beyond it 413. Above the largest payload Conductor accepts (10 MiB)."""
    payload_bytes_warn: int = 1 * MIB
    """A payload larger than this is noted in the log: it is usually a file that should travel by reference."""
    file_bytes_max: int = 100 * MIB
    """Largest file of /api/files; beyond it 413; 0: no files are taken. Conductor's. Files are kept in the directory files of the data directory."""
    address_lifetime_s: float = 60.0
    """How long an address handed out for putting or getting a payload or a file is good for. Conductor's; asking for another one is cheap."""
    address_signed_only: str = "no"
    """Whether such an address is taken only with its signature: yes or no. No, as in Conductor: runbooks write these addresses by hand."""
    public_url: str = ""
    """Where clients find this server (https://HOST[:PORT]), for addresses handed out. Empty: where they asked."""
    allowed_hosts: str = ""
    """Names by which browsers may ask this server over plain http, separated by commas; .example.com with all below it; * any. Always known: addresses, names
    without a dot, localhost, the machine's own name, the host of public_url. A page whose name leads here on purpose (DNS rebinding) is refused so. Programs,
    and browsers on https, are not asked."""
    console_links: str = ""
    """Pages that the console links to besides its own, as TITLE=URL, separated by commas: Flow Builder=http://localhost:5111, Grafana=https://grafana.lan."""
    variables_bytes_max: int = 256 * 1024
    """Largest sum of workflow variables. Conductor's."""
    inbox_max: int = 1_000
    """How many messages pushed to an execution may wait in it; beyond it 429. Conductor's."""
    script_time_s: float = 2.0
    """How long a script may run. Far above what a condition needs, far below what a user waits."""
    script_memory_bytes_max: int = 64 * MIB
    """How much memory a script may take."""
    script_processes: int = 2
    """How many scripts may run at once; processes are started when a first script comes."""
    live_bytes_max: int = 32 * MIB
    """Stored JSON of executions kept in memory while they move. About a fifth of the process's memory when full."""
    retention_days: float = 0.0
    """Finished executions older than this are deleted in small batches; 0: never. Off, so that nothing is lost by default; doctor shows it."""
    http_concurrency: int = 64
    """HTTP tasks called at once."""
    http_per_host_max: int = 16
    """HTTP tasks called at once on one host, so that a slow one does not take all places."""
    http_response_bytes_max: int = 10 * MIB
    """Largest response an HTTP task reads. Conductor's largest task output."""
    http_private: str = "auto"
    """Whether HTTP tasks may call private addresses: yes, no, or auto: only while the server listens on loopback."""
    http_private_allow: str = ""
    """Hosts and networks (CIDR) that HTTP tasks may call though private, separated by commas."""
    nats_url: str = ""
    """NATS broker of the event queues nats: and jsm:, as nats://host:4222; several of one cluster separated by commas. Empty: no such queues. Needs
    batuta[nats]."""
    nats_credentials: str = ""
    """Credentials file (.creds) for NATS. Name and password may stand in the URL instead; keep that in the environment, not in an option."""
    nats_durable: str = "batuta"
    """Begins the names of durable consumers of jsm: queues. Servers of the same name share messages; give each its own that shall see all of them."""
    worker_types: str = ""
    """Types of Conductor's integrations (KAFKA_PUBLISH, JDBC, LLM_CHAT_COMPLETE …) that workers of yours serve, separated by commas. The server has none of
    these integrations: tasks of the types not named here fail at once and say so."""
    webhook_url: str = ""
    """Where changes of status are posted (howto/status-webhooks.md); empty: nowhere. Conductor's status-notifier.notification.url. The address is yours: the
    guard that keeps HTTP tasks from private addresses has no say in it."""
    webhook_workflow_path: str = ""
    """Below webhook_url, where changes of workflows go; empty: to the URL itself."""
    webhook_task_path: str = ""
    """Below webhook_url, where changes of tasks go; empty: to the URL itself."""
    webhook_workflows: str = "COMPLETED,TERMINATED"
    """Which changes of workflows are posted: STARTED (or RUNNING), PAUSED, RESUMED, RESTARTED, RETRIED, RERAN, COMPLETED, TERMINATED (any end without success),
    FINALIZED (any end). All but COMPLETED and TERMINATED only of definitions with workflowStatusListenerEnabled. Conductor's default."""
    webhook_tasks: str = ""
    """Which statuses of tasks are posted, SCHEDULED to CANCELED; none by default, as with Conductor."""
    webhook_secret: str = ""
    """Secrets that posts are signed with, separated by commas: whsec_ and the Base64 of 24 to 64 random bytes. Empty: not signed. Best set in the environment,
    where other users of the machine do not see it."""
    webhook_timeout_s: float = 10.0
    """How long a receiver has to answer."""
    webhook_concurrency: int = 4
    """Posts under way at once; those of one execution are made one after the other."""
    webhook_give_up_hours: float = 24.0
    """What could not be delivered for so long is set aside (GET /api/event/dead), and what comes after it from the same execution goes on."""
    active_poll_s: float = 10.0
    """A domain counts as served while a worker polled it within this time. Conductor's."""
    secrets_key: str = ""
    """The key that stored secrets are sealed with: 32 bytes in base64 or hex, as `openssl rand -base64 32` makes them. NEW,OLD replaces a key. Empty: the key
    file. Only as an environment variable, since other programs can read a command line."""
    secrets_key_file: str = ""
    """The file with that key. Empty: secrets.key in the data directory, made when the first secret is stored, readable by the server's user alone."""
    secrets_readable: bool = False
    """Whether GET /api/secrets/{key} tells a secret's value, as Conductor does. Off: secrets can be set, used and deleted, not read."""

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:///{Path(self.data) / 'batuta.db'}"

    @property
    def keeps_nothing(self) -> bool:
        """Whether the store is in memory, and gone when the server stops."""
        return self.store_url.startswith("memory:")

    @property
    def key_path(self) -> Path:
        """Where the key file is, or will be."""
        return Path(self.secrets_key_file or Path(self.data) / "secrets.key")

    @property
    def private_allowed(self) -> list[str]:
        """The entries of http_private_allow."""
        return [entry.strip() for entry in self.http_private_allow.split(",") if entry.strip()]

    @property
    def hosts_allowed(self) -> list[str]:
        """The entries of allowed_hosts, and the host of public_url."""
        entries = [entry.strip() for entry in self.allowed_hosts.split(",") if entry.strip()]
        public = urlsplit(self.public_url).hostname
        return [*entries, public] if public else entries

    @property
    def console_pages(self) -> dict[str, str]:
        """The entries of console_links: titles, and where they lead."""
        found = (entry.partition("=") for entry in self.console_links.split(",") if entry.strip())
        return {title.strip(): url.strip() for title, _, url in found}

    def shown(self) -> dict[str, str]:
        """
        All settings as texts, for people who operate the server; of secrets, and of an address that may hold one, only that they are there.

        Of any other address, all but the name and password in it.
        """
        texts = {name: _PASSWORD.sub("", str(value)) for name, value in msgspec.structs.asdict(self).items()}
        return texts | {name: "(set)" for name in SECRET if texts[name]}

    @property
    def guards_private(self) -> bool:
        """Whether HTTP tasks are kept from private addresses."""
        if self.http_private == "auto":
            return self.host not in ("127.0.0.1", "localhost", "::1")
        return self.http_private == "no"


def read_settings(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """
    Settings from what was given (None: not given), else from the environment, else the defaults.

    Raises:
        Invalid: names the setting, what was found and what was expected.
    """
    values: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        value = given.get(name)
        if value is None:
            value = environment.get(ENVIRONMENT_PREFIX + name.upper())
        if value is not None:
            values[name] = value
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"setting {str(error).rpartition('`$.')[2].rstrip('`') or '?'}: {error}") from None
    if settings.http_private not in ("yes", "no", "auto"):
        raise Invalid(f"setting http_private: found {settings.http_private!r}, expected 'yes', 'no' or 'auto'")
    for name in ("webhook_timeout_s", "webhook_concurrency"):
        if getattr(settings, name) <= 0:
            raise Invalid(f"setting {name}: found {getattr(settings, name)!r}, expected more than 0")
    if settings.address_signed_only not in ("yes", "no"):
        raise Invalid(f"setting address_signed_only: found {settings.address_signed_only!r}, expected 'yes' or 'no'")
    if settings.public_url and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?", settings.public_url):
        raise Invalid(f"setting public_url: found {settings.public_url!r}, expected https://HOST, with no slash at its end")
    for entry in settings.allowed_hosts.split(","):
        if entry.strip() and not re.fullmatch(r"\*|\.?[\w-]+(\.[\w-]+)*", entry.strip()):
            raise Invalid(f"setting allowed_hosts: found {entry.strip()!r}, expected names such as batuta.example.com, without scheme or port")
    for title, url in settings.console_pages.items():
        if not title or not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
            raise Invalid(f"setting console_links: found {f'{title}={url}'!r}, expected TITLE=https://HOST, several separated by commas")
    for name in ("port", "ui_port"):
        if not 0 <= getattr(settings, name) <= 65535:
            raise Invalid(f"setting {name}: found {getattr(settings, name)!r}, expected 0 to 65535")
    return settings
