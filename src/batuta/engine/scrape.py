"""
Scrape: what is looked up at the moment somebody asks for the metrics. Between two scrapes it costs nothing.

Here: gauges of the store, the queues, the process; and the whole page. Not here: what is counted as it happens (metrics.py).
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, cast

from batuta.core.model.definition import INTEGRATIONS
from batuta.core.query import All, Compare
from batuta.engine.engine import Engine
from batuta.engine.events import Events
from batuta.engine.family import NAMES_MAX, OTHER, Family, Labels
from batuta.engine.listeners import WEBHOOK
from batuta.engine.metrics import COUNTED, Durations, Metrics
from batuta.engine.providers import INTERNAL
from batuta.engine.tally import TALLIED
from batuta.store.protocol import Commit, Store

# fmt: off
ACTIVE = Family("conductor_workflow_active_count", "gauge", "Executions that are RUNNING or PAUSED.", ("workflow_name",))
OLDEST = Family("conductor_workflow_oldest_running_seconds", "gauge", "Age of the oldest RUNNING execution; 0: none runs.", ("workflow_name",))
DEPTH = Family("conductor_task_queue_depth", "gauge", "Tasks that wait for a worker, due or not.", ("task_name", "domain"))
RUNNING = Family("workflow_running", "gauge", "Executions that are RUNNING or PAUSED. Conductor's name.", ("workflowName",))
QUEUE_DEPTH = Family("task_queue_depth", "gauge", "Tasks that wait for a worker, by queue. Conductor's name.", ("taskType",))
IN_PROGRESS = Family("task_in_progress", "gauge", "Tasks that are with a worker. Conductor's name.", ("taskType",))
EVENTS = Family("event_queue_depth", "gauge", "Messages that are being handled, or wait for it. Conductor's name.", ("queueType",))
WEBHOOK_DEPTH = Family("webhook_queue_depth", "gauge", "Changes of status that the webhook's receiver has not taken yet. Conductor's name.",
                       ("notificationType",))
STORED = Family("batuta_store_executions", "gauge", "Executions that are stored.", ("status",))
ROWS = Family("batuta_store_rows", "gauge", "Other rows that are stored: tasks, logs, outbox, documents.", ("table",))
BYTES = Family("batuta_store_bytes", "gauge", "Size of the store.")
BROKERS = Family("batuta_event_queue_up", "gauge", "Whether the broker of a provider answers: 1, or 0; absent without providers.", ("queueType",))
LIVE = Family("batuta_live_executions", "gauge", "Executions in memory.")
LIVE_BYTES = Family("batuta_live_bytes", "gauge", "Stored JSON of the executions in memory.")
BUILD = Family("batuta_build_info", "gauge", "Always 1; the labels say what runs.", ("version", "python"))
MEMORY = Family("process_resident_memory_bytes", "gauge", "Resident memory.")
CPU = Family("process_cpu_seconds_total", "counter", "User and system CPU time spent.")
STARTED = Family("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.")
FILES = Family("process_open_fds", "gauge", "Open file descriptors; absent where they cannot be counted.")
# fmt: on
LOOKED_UP = (
    ACTIVE, OLDEST, RUNNING, DEPTH, QUEUE_DEPTH, IN_PROGRESS, EVENTS, WEBHOOK_DEPTH, BROKERS, STORED, ROWS, BYTES, LIVE, LIVE_BYTES,
    BUILD, MEMORY, CPU, STARTED, FILES,
)  # fmt: skip
FAMILIES: Final = (*COUNTED, *TALLIED, *LOOKED_UP)
"""Every metric of the server, in the order of the page."""

_BEGAN: Final = time.time()
_ACTIVE: Final = ("RUNNING", "PAUSED")


LINES_AT_ONCE: Final = 500  # about a millisecond
IN_PROGRESS_MAX: Final = 10_000
"""Tasks with workers that are looked at; of more, task_in_progress tells of so many."""


async def page(metrics: Metrics, engine: Engine, version: str, events: Events | None = None) -> str:
    """All metrics in Prometheus' text format. Raises Unavailable when the store does not answer."""
    metrics.prepare(engine.catalog.names(), _registered(engine))
    stored = await engine.store.statistics()
    active, oldest = await _by_workflow(metrics, engine, stored)
    depths = _depths(engine)
    taken = Counter(_parted(task.queue)[0] for task in await engine.store.in_progress(None, limit=IN_PROGRESS_MAX))
    waiting = Counter({INTERNAL: 0})
    for event, count in (events.waiting() if events is not None else {}).items():
        waiting[event.partition(":")[0]] += count
    rows: dict[Family, Sequence[tuple[Labels, float]]] = {
        ACTIVE: [((("workflow_name", name),), n) for name, n in active.items()],
        OLDEST: [((("workflow_name", name),), s) for name, s in oldest.items()],
        RUNNING: [((("workflowName", name),), n) for name, n in active.items()],
        DEPTH: [((("task_name", name), ("domain", domain)), n) for (name, domain), n in depths.items()],
        QUEUE_DEPTH: [((("taskType", f"{domain}:{name}" if domain else name),), n) for (name, domain), n in depths.items()],
        IN_PROGRESS: [((("taskType", name),), n) for name, n in _few(taken, (name for name, _ in depths)).items()],
        EVENTS: [((("queueType", name),), n) for name, n in sorted(waiting.items())],
        WEBHOOK_DEPTH: [((("notificationType", kind.upper()),), stored.get(f"outbox.{row}", 0)) for kind, row in WEBHOOK.items()],
        STORED: [((("status", name.partition(".")[2]),), n) for name, n in sorted(stored.items()) if name.startswith("executions.")],
        ROWS: [((("table", name),), stored.get(name, 0)) for name in ("tasks", "logs", "outbox", "documents")],
        BYTES: [((), stored.get("bytes", 0))],
        BROKERS: [((("queueType", name),), int(health.is_up)) for name, health in (events.health().items() if events is not None else ())],
        LIVE: [((), len(engine.lives))],
        LIVE_BYTES: [((), engine.lives.bytes)],
        BUILD: [((("version", version), ("python", sys.version.partition(" ")[0])), 1)],
        **_process(),
    }
    lines = []
    for line in chain(metrics.text(), engine.tally.text(), _text(rows)):
        lines.append(line)
        if len(lines) % LINES_AT_ONCE == 0:
            await asyncio.sleep(0)  # with hundreds of names the page has a megabyte: nobody waits for all of it
    return "".join(lines)


def _text(rows: dict[Family, Sequence[tuple[Labels, float]]]) -> Iterator[str]:
    for family in LOOKED_UP:
        yield from family.text(("", labels, number) for labels, number in rows.get(family, ()))


def _few(counts: Counter[str], names: Iterable[str]) -> dict[str, int]:
    """What was counted of these names, 0 where nothing was, and of all others together."""
    found = {name: counts.pop(name, 0) for name in dict.fromkeys(names) if name != OTHER}
    return {**found, OTHER: counts.total()} if counts else found


def _registered(engine: Engine) -> list[str]:
    """The names of all task definitions."""
    return [str(entry.value["name"]) for entry in engine.catalog.tasks()]


async def _by_workflow(metrics: Metrics, engine: Engine, stored: dict[str, int]) -> tuple[dict[str, float], dict[str, float]]:
    """
    Active executions and the age in seconds of the oldest running one, of each workflow name.

    Asked of the store, which has an index for both: counting along would cost memory for every execution that only waits.
    """
    active: dict[str, float] = dict.fromkeys(metrics.workflows, 0)
    oldest: dict[str, float] = dict.fromkeys(metrics.workflows, 0)
    left = sum(stored.get(f"executions.{status}", 0) for status in _ACTIVE)
    now = engine.clock.now()
    for name in sorted(metrics.workflows):
        if left <= 0:
            break
        query = All((Compare("workflowType", "IN", (name,)), Compare("status", "IN", _ACTIVE)))
        active[name] = (await engine.store.search("executions", query, size=0))[0]
        left -= int(active[name])
        first = await engine.store.find(name=name, statuses=("RUNNING",), limit=1) if active[name] else []
        if first:
            oldest[name] = max(now - first[0].head.created_at, 0) / 1000
    if left > 0:  # of names that are not told apart, or not registered any more
        active[OTHER] = active.get(OTHER, 0) + left
        first = await engine.store.find(statuses=("RUNNING",), limit=1)
        oldest[OTHER] = max(now - first[0].head.created_at, 0) / 1000 if first and first[0].head.name not in metrics.workflows else 0
    return active, oldest


def _depths(engine: Engine) -> dict[tuple[str, str], float]:
    """Tasks that wait, by type and domain. A type that is registered or polled is there even when nothing waits."""
    depths: dict[tuple[str, str], float] = {(name, ""): 0 for name in _registered(engine)[:NAMES_MAX]}
    for queue in engine.polls:
        place = _parted(queue)
        if place[0] not in INTEGRATIONS and len(depths) < NAMES_MAX:
            depths.setdefault(place, 0)
    for queue, size in engine.queue_sizes().items():
        place = _parted(queue)
        if place not in depths and len(depths) >= NAMES_MAX:
            place = (OTHER, "")
        depths[place] = depths.get(place, 0) + size
    return dict(sorted(depths.items()))


def _parted(queue: str) -> tuple[str, str]:
    """A queue's task type and domain."""
    domain, colon, name = queue.partition(":")
    return (name, domain) if colon else (queue, "")


def _process() -> dict[Family, Sequence[tuple[Labels, float]]]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    rows: dict[Family, Sequence[tuple[Labels, float]]] = {
        CPU: [((), used.ru_utime + used.ru_stime)],
        STARTED: [((), round(_BEGAN, 3))],
        MEMORY: [((), used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))],  # the most it ever was; better than nothing
    }
    try:
        with open("/proc/self/statm", "rb") as statm:
            rows[MEMORY] = [((), int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))]
        rows[FILES] = [((), len(os.listdir("/proc/self/fd")))]
    except OSError:
        pass  # not Linux
    return rows


class TimedStore:
    """A store whose `submit` is timed, one at a time: a sample under load, and every commit when there are few. All else is the store's own."""

    def __init__(self, store: Store, seconds: Durations, clock: Callable[[], float] = time.perf_counter) -> None:
        self._store, self._seconds, self._clock = store, seconds, clock
        self._submit = store.submit
        self._began: float | None = None  # None: nothing is being timed

    def submit(self, commits: Sequence[Commit]) -> asyncio.Future[None]:
        """See store.protocol.Store."""
        durable = self._submit(commits)
        if self._began is None and commits:
            self._began = self._clock()
            durable.add_done_callback(self._done)
        return durable

    def _done(self, durable: asyncio.Future[None]) -> None:
        if self._began is not None and not durable.cancelled() and durable.exception() is None:
            self._seconds.add(self._clock() - self._began)
        self._began = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def timed(store: Store, seconds: Durations) -> Store:
    """The same store, its commits timed."""
    return cast(Store, TimedStore(store, seconds))
