"""
Composition root: settings -> store -> catalog -> engine -> built-in workers -> HTTP edge. The only place that knows them all.

`Server` is one server; the CLI runs it, the testing kit embeds it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import socket
from importlib import metadata
from pathlib import Path

from batuta.api.addresses import Addresses
from batuta.api.browsers import Browsers
from batuta.api.server import Edge, listening
from batuta.api.services import Services
from batuta.api.site import Site
from batuta.builtin.absent import AbsentWorker, read_worker_types
from batuta.builtin.guard import AddressGuard
from batuta.builtin.http import HttpWorker
from batuta.builtin.runner import Runner
from batuta.builtin.webhook import Receiver, read_secrets
from batuta.core.model.definition import INTEGRATIONS
from batuta.engine.catalog import Catalog
from batuta.engine.clock import Clock, SystemClock
from batuta.engine.contents import Contents
from batuta.engine.engine import Engine
from batuta.engine.environment import Environment
from batuta.engine.events import Events
from batuta.engine.files import Files
from batuta.engine.keyring import Keyring, read_keys
from batuta.engine.listeners import CHANGES, TASK_CHANGES, Listeners, read_changes
from batuta.engine.metrics import Metrics
from batuta.engine.payloads import Payloads
from batuta.engine.providers import Provider
from batuta.engine.pulse import Pulse
from batuta.engine.retention import Retention
from batuta.engine.schedules import Schedules
from batuta.engine.scrape import timed
from batuta.engine.secrets import Secrets
from batuta.engine.signing import Signer
from batuta.engine.tidying import Tidying
from batuta.engine.webhooks import Webhooks
from batuta.errors import Invalid, Unavailable
from batuta.sandbox import Sandbox
from batuta.settings import Settings
from batuta.store import open_store
from batuta.store.protocol import Store

log = logging.getLogger("batuta")


def keyring(settings: Settings) -> Keyring:
    """The keys that secrets are sealed with. Raises Invalid when the setting holds none."""
    keys = read_keys(settings.secrets_key, "setting secrets_key")
    return Keyring(keys, path=None if settings.keeps_nothing else settings.key_path)


def providers(settings: Settings) -> tuple[Provider, ...]:
    """The brokers of the settings. Raises Invalid when one is named whose client is not installed."""
    if not settings.nats_url:
        return ()
    if importlib.util.find_spec("nats") is None:
        raise Invalid("setting nats_url: the client for NATS is not installed; expected after `pip install 'batuta[nats]'`")
    from batuta.brokers.jetstream import JetStream
    from batuta.brokers.nats import Connection, CoreNats

    connection = Connection(settings.nats_url, credentials=settings.nats_credentials)
    return CoreNats(connection), JetStream(connection, durable=settings.nats_durable)


def _make_directory(path: str) -> None:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"setting data: the directory {path!r} cannot be made ({error.strerror}); expected one that this user may write to") from None


class Server:
    """One server: `await start()`, `await stop()`. Between them `port` is the API's port and `engine` may be used directly."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, store: Store | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        if store is None and settings.store_url.startswith("sqlite:"):
            _make_directory(settings.data)
        self.metrics = Metrics()
        self.store = timed(store or open_store(settings.store_url), self.metrics.commit_seconds)
        self.scripts = Sandbox(time_limit_s=settings.script_time_s, memory_bytes_max=settings.script_memory_bytes_max, children=settings.script_processes)
        self.catalog = Catalog(self.store, self.clock, scripts=self.scripts, environment=os.environ.keys())
        self.secrets = Secrets(self.store, self.clock, keyring(settings))
        self.environment = Environment(self.store)
        self.engine = Engine(
            self.store, self.catalog, self.scripts, self.clock,
            live_bytes_max=settings.live_bytes_max, active_poll_ms=int(settings.active_poll_s * 1000), variables_bytes_max=settings.variables_bytes_max,
            payload_bytes_warn=settings.payload_bytes_warn, inbox_max=settings.inbox_max, environment=self.environment, secrets=self.secrets,
        )  # fmt: skip
        self.payloads = Payloads(Path(settings.data) / "payloads")
        self.engine.payloads = self.payloads
        self.engine.observe = self.metrics.observe
        self.events = Events(self.engine, self.scripts, providers(settings))
        self.engine.publish, self.engine.tools.refusal = self.events.publish, self.events.refusal
        self.webhooks = self._webhooks(settings) if settings.webhook_url else None
        self.schedules = Schedules(self.engine)
        guard = AddressGuard(settings.private_allowed, setting="BATUTA_HTTP_PRIVATE_ALLOW") if settings.guards_private else None
        self.http = HttpWorker(
            guard=guard, per_host_max=settings.http_per_host_max, connections_max=settings.http_concurrency,
            response_bytes_max=settings.http_response_bytes_max,
        )  # fmt: skip
        self.absent = INTEGRATIONS - read_worker_types(settings.worker_types)
        self.retention = Retention(self.engine, settings.retention_days)
        self.files = Files(self.engine, Contents(Path(settings.data) / "files", settings.file_bytes_max))
        self.tidying = Tidying(self.engine, [self.payloads.sweep, self.files.sweep])
        self.addresses = Addresses(
            Signer(Path(settings.data) / "address-keys.json"), settings.address_lifetime_s, settings.address_signed_only == "yes", settings.public_url,
        )  # fmt: skip
        self.pulse = Pulse(self.metrics, self.clock)
        self.port = self.ui_port = 0
        self.ui_refused = ""  # why there is no door for the console

    def _webhooks(self, settings: Settings) -> Webhooks:
        """The webhook's sender, and whoever listens on its behalf. Raises Invalid naming the setting."""
        self.receiver = Receiver(
            settings.webhook_url, paths={"workflow": settings.webhook_workflow_path, "task": settings.webhook_task_path},
            secrets=read_secrets(settings.webhook_secret), timeout_s=settings.webhook_timeout_s, concurrency=settings.webhook_concurrency,
            agent=f"batuta/{metadata.version('batuta')}",
        )  # fmt: skip
        self.engine.listeners = Listeners(
            workflows=read_changes(settings.webhook_workflows, CHANGES, "webhook_workflows"),
            tasks=read_changes(settings.webhook_tasks, TASK_CHANGES, "webhook_tasks"),
        )
        webhooks = Webhooks(
            self.engine, self.events.journal, self.receiver.post, concurrency=settings.webhook_concurrency,
            give_up_ms=int(settings.webhook_give_up_hours * 3_600_000),
        )  # fmt: skip
        self.events.provide(webhooks)
        return webhooks

    async def start(self) -> None:
        """Answering requests when this returns. Raises a BatutaError that says what stands in the way, and leaves nothing running."""
        async with contextlib.AsyncExitStack() as started:
            started.callback(self.scripts.close)
            started.callback(self.http.close)
            await self.store.open()
            started.push_async_callback(self.store.close)
            await self.catalog.load()
            await self.environment.load()
            await self.secrets.load()
            await self.events.load()
            await self.engine.open()
            started.push_async_callback(self.engine.close)
            if self.webhooks is not None:
                self.webhooks.start()
                started.callback(self.receiver.close)
                started.callback(self.webhooks.stop)
            await self.events.open()
            started.push_async_callback(self.events.close)
            await self.schedules.open()
            started.push_async_callback(self.schedules.close)
            name = f"batuta@{socket.gethostname()}"
            runner = Runner(self.engine, "HTTP", self.http.call, concurrency=self.settings.http_concurrency, name=name)
            runner.start()
            started.push_async_callback(runner.stop)
            absent = AbsentWorker(self.engine, self.absent, name=name)
            absent.start()
            started.push_async_callback(absent.stop)
            self.retention.start()
            started.callback(self.retention.stop)
            self.tidying.start()
            started.callback(self.tidying.stop)
            self.pulse.start()
            started.callback(self.pulse.stop)
            services = Services(
                self.engine, self.catalog, self.scripts, events=self.events, schedules=self.schedules, metrics=self.metrics, webhooks=self.webhooks,
                addresses=self.addresses, files=self.files, config=self.settings.shown(), secrets_readable=self.settings.secrets_readable, pulse=self.pulse,
            )  # fmt: skip
            edge = Edge(
                services, body_bytes_max=self.settings.request_bytes_max, browsers=Browsers(self.settings.hosts_allowed),
                site=Site(links=self.settings.console_pages),
            )  # fmt: skip
            door = self._ui_door()
            self.port = await edge.start(self.settings.host, self.settings.port, also=door)
            started.push_async_callback(edge.stop)
            if self.ui_refused:
                log.warning("no console on port %d: %s", self.settings.ui_port, self.ui_refused)
            self.ui_port = door.getsockname()[1] if door is not None else 0
            self._started = started.pop_all()

    def _ui_door(self) -> socket.socket | None:
        """The console's own port, a second door to the same rooms; a server without it is a server all the same."""
        if not self.settings.ui_port:
            return None
        try:
            return listening(self.settings.host, self.settings.ui_port)
        except Unavailable as error:
            self.ui_refused = str(error)
            return None

    async def stop(self) -> None:
        """No new requests, then no new work, then everything durable: the reverse of how it started."""
        await self._started.aclose()
