"""
What `batuta doctor` asks of a running server: does it answer, does somebody take its tasks, how much has failed.

Here: checks through the API, on any Conductor server as far as it answers. Not here: this machine (checks.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from batuta.cli import ports, queue, words
from batuta.cli.checks import LOOPBACK, Finding

if TYPE_CHECKING:
    from batuta.client import SyncClient

WAITING_MS_WARN: Final = 10 * 60_000
QUEUES_MAX: Final = 200  # asked for their oldest task
QUEUES_SHOWN: Final = 5


def server(client: SyncClient, now_ms: float) -> Iterator[Finding]:
    """All that can be said of the server at the client's URL; only that it is not there, when it is not."""
    from batuta.client import ClientError, Unavailable

    began = time.perf_counter()
    try:
        version = client.version()
    except Unavailable:
        yield _nobody(client.url)
        return
    except ClientError as error:
        yield Finding("Server", "fail", f"what answers at {client.url} is no Conductor API: {error.message}", "Give the right address with --url.")
        return
    yield Finding("Server", "ok", f"{client.url}  version {version.strip()}, answered in {words.duration((time.perf_counter() - began) * 1000)}")
    try:
        yield from _queues(client, now_ms)
        yield from _executions(client)
        yield from _messages(client)
    except ClientError as error:
        yield Finding("Server", "fail", f"it answered, but then: {error}", "Look into its log.")


def _nobody(url: str) -> Finding:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.hostname not in LOOPBACK:
        return Finding("Server", "fail", f"nobody answers at {url}", "Is it running, and may this machine reach it?")
    if who := ports.listener(port):
        found = f"port {port} is taken by {who}, which does not answer as a server"
        return Finding("Server", "fail", found, "Stop that program, or start the server with another --port.")
    return Finding("Server", "note", f"none is running at {url}; port {port} is free", "Start it with `batuta server`.")


def _queues(client: SyncClient, now: float) -> Iterator[Finding]:
    found = queue.queues(client)
    waiting = [one for one in found if one["waiting"]]
    unserved = [one for one in waiting if queue.is_unserved(one, now)]
    if unserved:
        shown = ", ".join(f"{one['queue']} ({one['waiting']:,} waiting, {_polled(one, now)})" for one in unserved[:QUEUES_SHOWN])
        more = f" and {len(unserved) - QUEUES_SHOWN} more" if len(unserved) > QUEUES_SHOWN else ""
        yield Finding("Workers", "warn", f"nobody takes {shown}{more}", "Start their workers: `batuta worker MODULE`.")
    else:
        served = sum(now - one["lastPollTime"] <= queue.POLLED_LATELY_MS for one in found)
        total = sum(one["waiting"] for one in waiting)
        yield Finding("Workers", "ok", f"{words.count(served, 'queue')} served, {words.count(total, 'task')} waiting")
    yield from _oldest(client, waiting, now)


def _polled(one: dict[str, Any], now: float) -> str:
    return f"last polled {words.ago(one['lastPollTime'], now)}" if one["lastPollTime"] else "never polled"


def _oldest(client: SyncClient, waiting: list[dict[str, Any]], now: float) -> Iterator[Finding]:
    """The task that has waited longest to be taken; of what is planned for later nothing is said."""
    oldest: dict[str, Any] | None = None
    for name in sorted({one["queue"].rpartition(":")[2] for one in waiting})[:QUEUES_MAX]:
        tasks = client.request("GET", f"/admin/task/{quote(name, safe='')}", query={"start": 0, "count": 100})
        for task in tasks if isinstance(tasks, list) else ():
            delayed = task.get("callbackAfterSeconds") or task.get("startDelayInSeconds")
            if task.get("status") == "SCHEDULED" and not delayed and (oldest is None or task["scheduledTime"] < oldest["scheduledTime"]):
                oldest = task
    if oldest is None:
        return
    waited = now - oldest["scheduledTime"]
    found = f"{oldest['referenceTaskName']} ({oldest['taskType']}) of execution {oldest['workflowInstanceId']}, for {words.duration(waited)}"
    if waited > WAITING_MS_WARN:
        yield Finding("Oldest wait", "warn", found, "Are there enough workers for it? `batuta queue list` shows who polls.")
    else:
        yield Finding("Oldest wait", "ok", found)


def _executions(client: SyncClient) -> Iterator[Finding]:
    """Counts by status, from a server that keeps them."""
    from batuta.client import NotFound

    try:
        stats = client.request("GET", "/admin/stats")
    except NotFound:
        return
    if not isinstance(stats, dict):
        return
    counts = {key.partition(".")[2]: value for key, value in stats.items() if key.startswith("executions.")}
    lost = sum(counts.get(status, 0) for status in ("FAILED", "TIMED_OUT"))
    shown = ", ".join(f"{number:,} {words.spoken(status)}" for status, number in sorted(counts.items()) if number)
    found = f"{stats.get('executions', 0):,}" + (f": {shown}" if shown else "")
    advice = "See which and why: `batuta workflow list --status FAILED --status TIMED_OUT`." if lost else ""
    yield Finding("Executions", "note" if lost else "ok", found, advice)


def _messages(client: SyncClient) -> Iterator[Finding]:
    """Messages that wait for a broker, or were set aside; nothing when all is well, or the server does not say."""
    from batuta.client import NotFound

    for path, what, advice in (
        ("/event/outgoing", "not published yet", "Does the broker answer? `GET /actuator/health` tells."),
        ("/event/dead", "set aside", "See why, then deliver them again: `GET /api/event/dead`."),
    ):
        try:
            found = client.request("GET", path, query={"size": 1})
        except NotFound:
            return
        if not isinstance(found, dict) or not found.get("totalHits"):
            continue
        first = found["results"][0]
        reason = first.get("reason") or "; ".join(failure["reason"] for failure in first.get("failures", ()))
        if reason:  # else it is only on its way
            yield Finding("Messages", "warn", f"{words.count(found['totalHits'], 'message')} {what}; of {first['event']}: {reason}", advice)
