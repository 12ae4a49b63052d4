"""
The content service: whoever answers `POST {CONTENT_SERVICE_URL}/face-swap` and the original's other endpoints with `{type, output}`.

Media go out as URLs of this backend, so the service has to reach FLOWS_PUBLIC_URL; what comes back is fetched into the asset store at once.
Source: flow-builder.md §3, "External contract".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from batuta_flows.assets.fetch import Fetcher
from batuta_flows.catalogue import MEDIA, NODE_TYPES
from batuta_flows.errors import NodeFailed
from batuta_flows.providers import web
from batuta_flows.providers.protocol import Desk, Done, Job, Waiting

Json = Any
WHO: Final = "the content service"
ANSWER_S: Final = 900.0


class ServiceAdapter:
    """The provider `service`. *link*: turns addresses of assets into URLs that the service can fetch."""

    id = "service"

    def __init__(self, url: str, fetcher: Fetcher, link: Callable[[Json], Json]) -> None:
        self._url, self._fetcher, self._link, self._http = url.rstrip("/"), fetcher, link, web.pool(ANSWER_S)

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        """Ask, and wait for the answer."""
        desk.submitting()
        endpoint = f"{self._url}/{job.type.replace('_', '-')}"
        body = {"config": self._link(job.settings), "previousResults": []}
        status, headers, found = web.ask(self._http, "POST", endpoint, who=WHO, headers={}, body=body, is_paid=True)
        if status != 200:
            raise web.fault(WHO, status, str(found.get("error") or found) if isinstance(found, dict) else str(found), headers=headers)
        output = found.get("output") if isinstance(found, dict) else None
        if not isinstance(output, dict):
            raise NodeFailed("unreadable_answer", f"{WHO} answered without an output: {found!r:.200}")
        ports = {port.name: port for port in NODE_TYPES[job.type].outputs_of(job.settings)}
        kept = {
            name: self._fetcher.asset(value, medium=str(ports[name].medium)).address if name in ports and ports[name].medium in MEDIA else value
            for name, value in output.items()
        }
        if missing := [name for name, port in ports.items() if port.medium in MEDIA and name not in kept]:
            raise NodeFailed("unreadable_answer", f"{WHO} answered without {', '.join(missing)}; found {', '.join(output) or 'nothing'}")
        return Done(kept)

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        """The service has no way to be told."""
