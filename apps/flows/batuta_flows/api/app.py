"""
The routes on one screen, and their handlers.

Here: what a request says and what it is answered. Not here: what is done (runs/service.py), the shapes of answers (shapes.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from batuta.client import ClientError
from batuta_flows import templates as shipped
from batuta_flows.api import assets, exports, problems, shapes, site
from batuta_flows.api.events import Live
from batuta_flows.api.guard import Guard
from batuta_flows.backend import Backend
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.document.flow import Flow, read_flow, write_flow
from batuta_flows.document.original import is_original, read_original, write_original
from batuta_flows.errors import Malformed, NodeFailed
from batuta_flows.records.flows import Flows
from batuta_flows.records.spend import Books
from batuta_flows.runs.history import PAGE_MAX, History, Kept
from batuta_flows.runs.log import node_log
from batuta_flows.runs.service import Scope, Service
from batuta_flows.runs.view import RUN_WORDS

Json = Any
log = logging.getLogger("batuta.flows")
BODY_BYTES_MAX: Final = 16 << 20
SWEEP_S: Final = 2.0
HISTORY: Final = 50  # the original's
SCOPES: Final = ("all", "node", "upto", "from")
VERSION_MAX: Final = 10**9


def application(backend: Backend) -> Starlette:
    """The application over a backend that is ready."""
    routes = [
        Route("/workflow/run", run, methods=["POST"]),
        Route("/workflow/validate", validate, methods=["POST"]),
        Route("/workflow/history", history, methods=["GET"]),
        Route("/workflow/{id}/status", status, methods=["GET"]),
        Route("/workflow/{id}/results", results, methods=["GET"]),
        Route("/workflow/{id}/events", events, methods=["GET"]),
        Route("/workflow/{id}/flow", flow_of_run, methods=["GET"]),
        Route("/workflow/{id}/download", exports.archive, methods=["GET"]),
        Route("/workflow/{id}/nodes/{node}/log", log_of_node, methods=["GET"]),
        Route("/workflow/{id}/cancel", cancel, methods=["POST"]),
        Route("/workflow/{id}/retry", retry, methods=["POST"]),
        Route("/workflow/{id}/rerun", rerun, methods=["POST"]),
        Route("/node-types", node_types, methods=["GET"]),
        Route("/templates", templates, methods=["GET"]),
        Route("/flows", flows, methods=["GET"]),
        Route("/flows", create_flow, methods=["POST"]),
        Route("/flows/{id}", flow, methods=["GET"]),
        Route("/flows/{id}", save_flow, methods=["PUT"]),
        Route("/flows/{id}", delete_flow, methods=["DELETE"]),
        Route("/flows/{id}/versions", flow_versions, methods=["GET"]),
        Route("/assets", assets.upload, methods=["POST"]),
        Route("/assets/{name}", site.file_or_asset, methods=["GET", "HEAD"]),
        Route("/assets/{name}/thumbnail", assets.thumbnail, methods=["GET"]),
        Route("/assets/{name}/peaks", assets.peaks, methods=["GET"]),
        Route("/assets/{name}/download", exports.download, methods=["GET"]),
        Route("/assets/{name}/flow", exports.flow_of_asset, methods=["GET"]),
        Route("/spend", spend, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route("/", site.page, methods=["GET"]),
        Route("/favicon.svg", site.icon, methods=["GET"]),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, origins=backend.settings.trusted_origins)],
        exception_handlers=problems.HANDLERS,
        lifespan=_lifespan,
    )
    app.state.backend, app.state.assets, app.state.link = backend, backend.assets, backend.link
    app.state.live = Live(lambda run_id: _look(backend, run_id))
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    sweeping = asyncio.create_task(_sweep(app.state.backend.service))
    try:
        yield
    finally:
        sweeping.cancel()
        await asyncio.wait({sweeping})


async def _sweep(service: Service) -> None:
    """Runs that end are written down whether or not anybody looks."""
    while True:
        try:
            await run_in_threadpool(service.sweep)
        except ClientError as error:
            log.warning("runs could not be looked at: %s", error)
        except Exception:
            log.exception("the sweep over runs failed")
        await asyncio.sleep(SWEEP_S)


def _look(backend: Backend, run_id: str) -> tuple[Json, bool]:
    found = backend.service.run(run_id)
    return {**shapes.status(found, backend.link), "spentUsd": backend.spend.of_runs([run_id]).get(run_id, 0)}, found.is_over


# -- runs -------------------------------------------------------------------------------------------------------------------------


async def run(request: Request) -> Response:
    """Start a flow, or a part of it (`scope` node, upto or from, with `nodeId`)."""
    body = await _object(request)
    found, notes = _flow(body)
    scope = body.get("scope", "all")
    if scope not in SCOPES:
        raise Malformed("scope", f"found {scope!r}, expected one of {', '.join(SCOPES)}")
    run_id = await run_in_threadpool(
        _service(request).start, found, scope=_scope(scope), node=str(body.get("nodeId") or ""), flow_id=str(body.get("flowId") or "")
    )
    return _json({"success": True, "workflowId": run_id, "message": "Workflow queued for execution", **({"notes": notes} if notes else {})})


async def validate(request: Request) -> Response:
    """Every problem of a flow, by node and field, what one run will cost, about, and whether the caps allow it."""
    found, notes = _flow(await _object(request))
    problems_found = [msgspec.to_builtins(problem) for problem in _service(request).check(found)]
    is_valid = not any(problem["severity"] == "error" for problem in problems_found)
    price, books = _service(request).estimate(found), await run_in_threadpool(_books, request)
    exceeds = "run" if price.usd > books.run_usd_max else "day" if price.usd + books.day_usd > books.day_usd_max else None
    estimate = {**msgspec.to_builtins(price), **msgspec.to_builtins(books), "exceeds": exceeds}
    return _json({"valid": is_valid, "problems": problems_found, "notes": notes, "estimateUsd": price.usd, "estimate": estimate})


async def status(request: Request) -> Response:
    found, _ = await run_in_threadpool(_look, request.app.state.backend, request.path_params["id"])
    return _json(found)


async def results(request: Request) -> Response:
    found = await run_in_threadpool(_service(request).run, request.path_params["id"])
    return _json(shapes.results(found, request.app.state.link))


async def events(request: Request) -> Response:
    live: Live = request.app.state.live
    return await live.events(request, request.path_params["id"])


async def flow_of_run(request: Request) -> Response:
    """The flow as it ran, to look at or to go on from."""
    found = await run_in_threadpool(_service(request).run, request.path_params["id"])
    return _json(shapes.document(found))


async def log_of_node(request: Request) -> Response:
    """What the workers of a node wrote down, the tasks it is made of, and their names in the orchestrator."""
    path = request.path_params
    return _json(await run_in_threadpool(node_log, request.app.state.backend.client, path["id"], path["node"]))


async def cancel(request: Request) -> Response:
    body = await _object(request, may_be_empty=True)
    await run_in_threadpool(_service(request).cancel, request.path_params["id"], str(body.get("reason") or ""))
    return _json({"success": True})


async def retry(request: Request) -> Response:
    await run_in_threadpool(_service(request).retry, request.path_params["id"])
    return _json({"success": True, "workflowId": request.path_params["id"]})


async def rerun(request: Request) -> Response:
    body = await _object(request)
    if not isinstance(body.get("fromNodeId"), str):
        raise Malformed("fromNodeId", "expected the id of the node to begin with")
    return _json({"success": True, "workflowId": await run_in_threadpool(_service(request).rerun, request.path_params["id"], body["fromNodeId"])})


async def history(request: Request) -> Response:
    """The original's list of the last 50; with `cursor`, `flowId`, `status`, `q` or `limit` a page: `{runs, next}`."""
    kept: History = request.app.state.backend.history
    query = request.query_params
    if not query:
        return _json(await run_in_threadpool(lambda: _kept_runs(request, kept.page(limit=HISTORY))))
    limit = _number("limit", query.get("limit", str(HISTORY)), 1, PAGE_MAX)
    before = _cursor(query.get("cursor", ""))
    sought = {"status": query.get("status", ""), "words": query.get("q", ""), "flow_id": query.get("flowId", "")}
    if sought["status"] not in ("", *RUN_WORDS.values()):
        raise Malformed("status", f"found {sought['status']!r}, expected one of {', '.join(dict.fromkeys(RUN_WORDS.values()))}")
    found = await run_in_threadpool(lambda: kept.page(before=before, limit=limit + 1, **sought))
    page = found[:limit]
    ahead = f"{page[-1].started_at}~{page[-1].run_id}" if len(found) > limit else None
    return _json({"runs": await run_in_threadpool(_kept_runs, request, page), "next": ahead})


def _kept_runs(request: Request, page: list[Kept]) -> list[Json]:
    backend: Backend = request.app.state.backend
    spent = backend.spend.of_runs([entry.run_id for entry in page])
    return [{**shapes.kept(entry, backend.link), "spentUsd": spent.get(entry.run_id, 0)} for entry in page]


def _cursor(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    at, tilde, id = text.partition("~")
    if not tilde or not at.isdecimal() or len(at) > 15:
        raise Malformed("cursor", f"found {text!r}, expected the `next` of an earlier page")
    return int(at), id


# -- flows and their parts --------------------------------------------------------------------------------------------------------


async def node_types(request: Request) -> Response:
    configured = request.app.state.backend.settings.configured
    found = [node_type.schema() for node_type in NODE_TYPES.values()]
    for shown in found:
        for provider in shown["providers"]:
            provider["configured"] = not provider["needs"] or provider["id"] in configured
    return _json({"nodeTypes": found})


async def templates(request: Request) -> Response:
    """Flows to begin with."""
    return _json({"templates": await run_in_threadpool(shipped.all)})


async def flows(request: Request) -> Response:
    return _json({"flows": [msgspec.to_builtins(saved) for saved in await run_in_threadpool(_kept_flows(request).all)]})


async def create_flow(request: Request) -> Response:
    return await _save(request, f"flow_{secrets.token_hex(8)}", 0, 201)


async def save_flow(request: Request) -> Response:
    """A new version; `If-Match` or `basedOn` is the version it was made from."""
    told = request.headers.get("if-match", "").strip('"') or request.query_params.get("basedOn", "")
    return await _save(request, request.path_params["id"], _number("If-Match", told, 0, VERSION_MAX, "the version this was made from"), 200)


async def _save(request: Request, flow_id: str, based_on: int, code: int) -> Response:
    found, _ = _flow(await _object(request))
    document = {**write_flow(found), "id": flow_id}
    now_ms = time.time_ns() // 1_000_000
    saved = await run_in_threadpool(lambda: _kept_flows(request).save(flow_id, found.name, document, based_on=based_on, now_ms=now_ms))
    return _json(msgspec.to_builtins(saved), code, {"ETag": f'"{saved.version}"'})


async def flow(request: Request) -> Response:
    """A flow; `?version=` an older one, `?format=original` as the original's file."""
    query = request.query_params
    wanted = _number("version", query["version"], 1, VERSION_MAX) if "version" in query else None
    if query.get("format", "original") != "original":
        raise Malformed("format", f"found {query['format']!r}, expected original, or nothing for our own")
    saved, document = await run_in_threadpool(_kept_flows(request).load, request.path_params["id"], wanted)
    if query.get("format") == "original":
        return _json(write_original(read_flow(document)))
    return _json({**msgspec.to_builtins(saved), "document": document}, 200, {"ETag": f'"{saved.version}"'})


async def delete_flow(request: Request) -> Response:
    await run_in_threadpool(_kept_flows(request).delete, request.path_params["id"])
    return Response(status_code=204)


async def flow_versions(request: Request) -> Response:
    return _json({"versions": await run_in_threadpool(_kept_flows(request).versions, request.path_params["id"])})


async def spend(request: Request) -> Response:
    """What paid providers have cost in the last 24 hours, and the caps."""
    return _json(msgspec.to_builtins(await run_in_threadpool(_books, request)))


def _books(request: Request) -> Books:
    backend: Backend = request.app.state.backend
    return backend.spend.books(time.time_ns() // 1_000_000)


# -- health -----------------------------------------------------------------------------------------------------------------------


async def health(request: Request) -> Response:
    """What the original promised: whether the backend serves, and whether the orchestrator does. 503 when it does not, or nothing can be kept."""
    backend: Backend = request.app.state.backend
    found = await run_in_threadpool(backend.health)
    is_ok = found.pop("ok")
    body = {"status": "ok" if is_ok else "degraded", "service": "workflow-backend", "version": version("batuta"), **found}
    return _json(body, 200 if is_ok else 503)


# -- what they share --------------------------------------------------------------------------------------------------------------


def _service(request: Request) -> Service:
    service: Service = request.app.state.backend.service
    return service


def _kept_flows(request: Request) -> Flows:
    kept: Flows = request.app.state.backend.flows
    return kept


def _scope(text: str) -> Scope:
    return text  # type: ignore[return-value]  # one of SCOPES, as the caller has seen


def _number(name: str, text: str, low: int, high: int, what: str = "") -> int:
    """A number of a query or a header. Raises Malformed."""
    if not text.isdecimal() or len(text) > 15 or not low <= int(text) <= high:
        raise Malformed(name, f"found {text!r}, expected {what or 'a number'}, {low} to {high}")
    return int(text)


async def _object(request: Request, *, may_be_empty: bool = False) -> dict[str, Json]:
    """The body, a JSON object. Raises Malformed."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise NodeFailed("too_large", f"the body has more than {BODY_BYTES_MAX} bytes, expected at most that many")
        chunks.append(chunk)
    text = b"".join(chunks)
    if not text and may_be_empty:
        return {}
    try:
        found = msgspec.json.decode(text)  # no NaN, no half of a character, no number that cannot be written again
    except ValueError as error:
        raise Malformed("", f"the body is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed("", "expected a JSON object")
    return found


def _flow(body: dict[str, Json]) -> tuple[Flow, list[str]]:
    """The flow in a request, in our format or the original's, and what was set right in it."""
    document = body if body.get("document") is None else body["document"]
    return read_original(document) if is_original(document) else (read_flow(document), [])


def _json(body: Json, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), code, headers, media_type="application/json")
