"""
/api/tasks/queue and /api/queue: what waits, who polls.

Source: conductor-rest-api.md §1.2, §1.5, §6.4 (names of queues).
"""

from __future__ import annotations

from collections.abc import Sequence

from batuta.api.http import Response, json_response, text_response
from batuta.api.services import Services
from batuta.engine.claims import PollData as Polled
from batuta.wire.answers import PollData
from batuta.wire.codec import encode


def sizes(services: Services, *, task_type: list[str]) -> Response:
    """How many tasks of each type wait."""
    return json_response(encode({name: services.engine.queue_size(name) for name in task_type}))


def size(services: Services, *, task_type: str, domain: str = "", isolation_group_id: str = "", execution_namespace: str = "") -> Response:
    """How many tasks wait in one queue."""
    name = f"{domain}:{task_type}" if domain else task_type
    name += f"@{execution_namespace}" if execution_namespace else ""
    name += f"-{isolation_group_id}" if isolation_group_id else ""
    return json_response(encode(services.engine.queue_size(name)))


def all_sizes(services: Services) -> Response:
    """The size of every queue, by name."""
    return json_response(encode(dict(sorted(services.engine.queue_sizes().items()))))


def all_verbose(services: Services) -> Response:
    """The same with what is taken but not acknowledged, which is never anything here: one shard, no acknowledgements."""
    return json_response(encode({name: {"a": {"size": size, "uacked": 0}} for name, size in sorted(services.engine.queue_sizes().items())}))


def _shown(polled: Sequence[Polled]) -> Response:
    return json_response(encode([PollData(queue_name=p.queue_name, domain=p.domain, worker_id=p.worker_id, last_poll_at=p.last_poll_at) for p in polled]))


def poll_data(services: Services, *, task_type: str) -> Response:
    """Who polled a task type last, in each domain."""
    return _shown(services.engine.poll_data(task_type))


def all_poll_data(services: Services) -> Response:
    """The same for every task type."""
    return _shown(services.engine.poll_data())


async def requeue(services: Services, task_type: str) -> Response:
    """Offer every open task of a type again; how many, as text."""
    return text_response(str(await services.engine.requeue(task_type)))
