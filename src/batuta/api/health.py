"""
/api/console/health: what runs, where it keeps its state, and what an operator should look into.

What `batuta doctor` finds of a running server, without asking through the API; of the machine only the disk. Not here: the queues (console.py).
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from batuta.api.console import POLLED_LATELY_MS, queues_of
from batuta.api.http import Request, Response, json_response
from batuta.api.services import Services
from batuta.wire import console as shown
from batuta.wire.codec import encode

WAITING_MS_WARN: Final = 10 * 60_000
NAMED_MAX: Final = 5
STORE_BYTES_WARN: Final = 1024**3
FREE_BYTES_WARN: Final = 2 * 1000**3
FREE_BYTES_FAIL: Final = 200 * 1000**2


async def health(services: Services, request: Request) -> Response:
    """Findings, versions, settings in force, and how much is stored."""
    now, stored = services.now(), await services.engine.statistics()
    findings = [
        *_workers(queues_of(services.engine, now), now), *_executions(stored), *await _messages(services), *_store(services, stored), *_disk(services),
    ]  # fmt: skip
    pulse = services.pulse
    told = shown.Health(
        at=now, began_at=pulse.began_at if pulse else now, version=services.version, python=platform.python_version(), config=dict(services.config),
        stored=stored, findings=findings,
    )  # fmt: skip
    return json_response(encode(told))


def _workers(queues: Sequence[shown.QueueState], now: int) -> Iterator[shown.Finding]:
    unserved = [q for q in queues if q.due and not q.is_ours and not q.workers]
    late = [q for q in queues if q.due and now - q.oldest_due_at > WAITING_MS_WARN and q not in unserved]
    if unserved:
        named = _named([f"{q.queue} ({q.due:,} due)" for q in sorted(unserved, key=lambda q: q.oldest_due_at)])
        advice = f"Nobody asked for them within {POLLED_LATELY_MS // 1000} s. Start their workers: `batuta worker MODULE`."
        yield shown.Finding(check="Workers", level="warn", found=f"nobody takes {named}", advice=advice)
    else:
        served = sum(1 for q in queues if q.workers)
        yield shown.Finding(check="Workers", level="ok", found=f"{served:,} queues served, {sum(q.waiting for q in queues):,} tasks waiting")
    if late:
        named = _named([f"{q.queue} for {(now - q.oldest_due_at) // 60_000:,} min" for q in sorted(late, key=lambda q: q.oldest_due_at)])
        yield shown.Finding(check="Oldest wait", level="warn", found=f"tasks have been due: {named}", advice="Are there enough workers for them?")


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED_MAX]) + (f" and {len(names) - NAMED_MAX:,} more" if len(names) > NAMED_MAX else "")


def _executions(stored: dict[str, int]) -> Iterator[shown.Finding]:
    counts = {name.partition(".")[2]: number for name, number in stored.items() if name.startswith("executions.") and number}
    lost = counts.get("FAILED", 0) + counts.get("TIMED_OUT", 0)
    spoken = ", ".join(f"{number:,} {status.lower().replace('_', ' ')}" for status, number in sorted(counts.items()))
    text = f"{stored.get('executions', 0):,}" + (f": {spoken}" if spoken else "")
    yield shown.Finding(check="Executions", level="note" if lost else "ok", found=text, advice="See why under Failures." if lost else "")


async def _messages(services: Services) -> list[shown.Finding]:
    dead, outgoing = await services.events.journal.dead(), await services.events.outgoing()
    stuck = [message for message in outgoing if message.reason]
    found = []
    if dead:
        why = dead[0].failures[0].reason if dead[0].failures else "no reason was given"
        text = f"{_messages_of(len(dead))} set aside; of {dead[0].event}: {why}"
        found.append(shown.Finding(check="Set aside", level="warn", found=text, advice="See why, mend it, then redeliver them."))
    if stuck:
        text = f"{_messages_of(len(stuck))} not published yet; of {stuck[0].event}: {stuck[0].reason}"
        found.append(shown.Finding(check="Outgoing", level="warn", found=text, advice="Does the broker answer? They go out by themselves when it does."))
    return found or [shown.Finding(check="Messages", level="ok", found="none is set aside, and none waits for a broker")]


def _messages_of(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _store(services: Services, stored: dict[str, int]) -> Iterator[shown.Finding]:
    days = float(services.config.get("retention_days") or 0)
    size = stored.get("bytes", 0)
    is_large = size > STORE_BYTES_WARN and not days
    yield shown.Finding(
        check="Store", level="warn" if is_large else "ok", found=f"{size / 1024**2:,.1f} MiB, {stored.get('tasks', 0):,} tasks",
        advice="Nothing is ever deleted: set --retention-days." if is_large else "",
    )  # fmt: skip
    yield shown.Finding(
        check="Retention", level="ok" if days else "note",
        found=f"ended executions are deleted after {days:g} days" if days else "off: ended executions are kept for ever",
        advice="" if days else "To keep the store small: --retention-days 90, or BATUTA_RETENTION_DAYS=90.",
    )  # fmt: skip


def _disk(services: Services) -> Iterator[shown.Finding]:
    """Room where the data directory is; nothing when there is none, or the machine does not say."""
    data = services.config.get("data")
    if not data:
        return
    try:
        usage = shutil.disk_usage(Path(data))
    except OSError:
        return
    found = f"{usage.free / 1000**3:,.1f} GB free of {usage.total / 1000**3:,.1f} GB"
    if usage.free < FREE_BYTES_FAIL:
        yield shown.Finding(check="Disk", level="fail", found=found, advice="The server will soon be unable to write: free some space now.")
    elif usage.free < FREE_BYTES_WARN:
        yield shown.Finding(check="Disk", level="warn", found=found, advice="Free some space, or have old executions deleted with --retention-days.")
    else:
        yield shown.Finding(check="Disk", level="ok", found=found)
