"""
The original's JSON, and what was added to it. Addresses of assets become URLs in it.

Source: flow-builder.md §1.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from batuta_flows.assets.links import Linked
from batuta_flows.document.flow import write_flow
from batuta_flows.runs.history import Kept
from batuta_flows.runs.view import Run

Json = Any


def status(run: Run, link: Linked) -> Json:
    """`GET /workflow/:id/status`."""
    return {
        "workflowId": run.id,
        "workflowName": run.name,
        "status": run.status,
        "currentNodeId": next((node.id for node in run.nodes if node.status == "running"), None),
        "nodeStatuses": [link(msgspec.to_builtins(node)) for node in run.nodes],
        "results": link(run.results),
        "error": run.error,
        "startTime": instant(run.started_at),
        "endTime": instant(run.ended_at),
    }


def results(run: Run, link: Linked) -> Json:
    """`GET /workflow/:id/results`."""
    return {"status": run.status, "results": link(run.results)}


def kept(found: Kept, link: Linked) -> Json:
    """One entry of `GET /workflow/history`."""
    return {
        "workflowId": found.run_id,
        "workflowName": found.name,
        "flowId": found.flow_id or None,
        "status": found.status,
        "startTime": instant(found.started_at),
        "endTime": instant(found.ended_at),
        "durationMs": max(0, found.ended_at - found.started_at) if found.ended_at else 0,
        "nodeCount": found.nodes,
        "results": link(found.results),
        "error": found.error or None,
    }


def document(run: Run) -> Json:
    """The flow as it ran; None when the run is none of ours."""
    return None if run.flow is None else write_flow(run.flow)


def instant(at_ms: int) -> str | None:
    """ISO 8601 in UTC; None for what has not happened."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at_ms else None
