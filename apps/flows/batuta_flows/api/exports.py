"""
Media that leave the Flow Builder, with the flow that made them inside; and flows that come back out of media.

`GET /assets/{name}` gives the bytes as they are, so that one content has one address. Here the flow is laid into the file on its way out: a picture that was
mailed to somebody opens as the flow it came from. What is no medium, such as a text, lies beside the flow in the archive of a run.
Not here: how a note is laid into a file (assets/embed.py).
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from batuta_flows.api import assets
from batuta_flows.assets import embed
from batuta_flows.assets.store import SCHEME, AssetStore
from batuta_flows.backend import Backend
from batuta_flows.document.flow import Flow, Node, read_flow, write_flow
from batuta_flows.errors import FlowError
from batuta_flows.runs.view import Run

Json = Any
FORMAT: Final = "batuta-export/1"
_ACCOUNT: Final = ("provider", "model", "requestId", "seed", "costUsd", "cachedFrom")


class NoFlow(FlowError):
    """There is no flow in this file."""

    code = "no_flow"


async def download(request: Request) -> Response:
    """The asset as a file to keep, with the flow that made it inside: that of `?run=`, else of the newest run that has it among its results."""
    path, asset = assets.found(request)
    backend: Backend = request.app.state.backend
    run = await run_in_threadpool(_run_of, backend, asset.name, request.query_params.get("run", ""))
    if run is None or run.flow is None:
        return FileResponse(path, media_type=asset.mime, headers=_attached(asset.name))
    made = _maker(run, asset.name)
    name = f"{_file_name(run.name, made)}.{asset.name.rpartition('.')[2]}"
    parts = embed.with_note(path, asset.mime, _note(run.flow, made))
    return StreamingResponse(parts, media_type=asset.mime, headers=_attached(name))


async def flow_of_asset(request: Request) -> Response:
    """The flow inside a medium, and how the medium came about: `{document, made}`."""
    path, asset = assets.found(request)
    note = await run_in_threadpool(embed.note_in, path, asset.mime)
    try:
        found = json.loads(note or b"null")
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise NoFlow(f"{asset.name} has no flow in it; only files that were downloaded from a Flow Builder have")
    document = write_flow(read_flow(found.get("flow")))
    return Response(msgspec.json.encode({"document": document, "made": found.get("made") or {}}), media_type="application/json")


async def archive(request: Request) -> Response:
    """Everything a run made, as a ZIP: media with the flow inside, texts, and the flow beside them."""
    backend: Backend = request.app.state.backend
    run = await run_in_threadpool(backend.service.run, request.path_params["id"])
    file = tempfile.TemporaryFile(prefix="flow-")  # noqa: SIM115  # closed when it has been sent
    await run_in_threadpool(_packed, run, backend.assets, file)
    size = file.tell()
    file.seek(0)
    headers = {**_attached(f"{_word(run.name)}.zip"), "Content-Length": str(size)}
    return StreamingResponse(_sent(file), media_type="application/zip", headers=headers)


# -- whose flow ---------------------------------------------------------------------------------------------------------------------


def _run_of(backend: Backend, name: str, run_id: str) -> Run | None:
    run_id = run_id or backend.history.run_with(name)
    return backend.service.run(run_id) if run_id else None


def _maker(run: Run, name: str) -> dict[str, Json]:
    """What is known of how an asset came about in a run: its node, its item, its provider; little when no result has it."""
    made: dict[str, Json] = {"workflowId": run.id}
    for result in run.results:
        output = (result.get("data") or {}).get("output") or {}
        own = [item for item in output.get("items") or [] if isinstance(item, dict)]
        for index, one in enumerate(own or [output]):
            if SCHEME + name in json.dumps(one):
                item = {"itemIndex": index} if own else {}
                account = {word: one[word] for word in _ACCOUNT if word in one}
                return {**made, "nodeId": result["nodeId"], "nodeType": result["nodeType"], **item, **account}
    return made


def _note(flow: Flow, made: dict[str, Json]) -> bytes:
    return json.dumps({"format": FORMAT, "flow": write_flow(flow), "made": made}).encode()


# -- archives -----------------------------------------------------------------------------------------------------------------------


def _packed(run: Run, store: AssetStore, file: Any) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zipped:
        if run.flow is not None:
            zipped.writestr("flow.json", json.dumps(write_flow(run.flow), indent=2, ensure_ascii=False))
        zipped.writestr("results.json", json.dumps(run.results, indent=2, ensure_ascii=False))
        for name, content in _files(run, store):
            with zipped.open(_unused(name, zipped), "w", force_zip64=True) as entry:
                for part in content:
                    entry.write(part)


def _unused(name: str, zipped: zipfile.ZipFile) -> str:
    """The name, with a number behind it when nodes of one title have given it already."""
    base, _, kind = name.rpartition(".")
    names = itertools.chain((name,), (f"{base}-{i}.{kind}" for i in itertools.count(2)))
    return next(free for free in names if free not in zipped.NameToInfo)


def _files(run: Run, store: AssetStore) -> Iterator[tuple[str, Iterator[bytes]]]:
    seen: set[str] = set()
    for result in run.results:
        output = (result.get("data") or {}).get("output") or {}
        own = [item for item in output.get("items") or [] if isinstance(item, dict)]
        for index, one in enumerate(own or [output]):
            base = _file_name("", {"nodeId": result["nodeId"], **({"itemIndex": index} if own else {})}, run.flow)
            for port, value in one.items():
                for address in value if isinstance(value, list) else [value]:
                    path, asset = (store.path(address), store.find(address)) if isinstance(address, str) and address.startswith(SCHEME) else (None, None)
                    if path is not None and asset is not None and asset.name not in seen:
                        seen.add(asset.name)
                        note = _note(run.flow, _maker(run, asset.name)) if run.flow is not None else b"{}"
                        yield f"{base}-{_word(port)}-{asset.name[:8]}.{asset.name.rpartition('.')[2]}", embed.with_note(path, asset.mime, note)
            if isinstance(one.get("text"), str):
                yield f"{base}.txt", iter([one["text"].encode("utf-8", "replace")])


def _sent(file: Any) -> Iterator[bytes]:
    with file:
        while piece := file.read(1 << 20):
            yield piece


# -- names --------------------------------------------------------------------------------------------------------------------------


def _file_name(flow_name: str, made: dict[str, Json], flow: Flow | None = None) -> str:
    node: Node | None = flow.node(str(made.get("nodeId", ""))) if flow is not None else None
    words = [flow_name, (node.title if node is not None else "") or str(made.get("nodeId", "")), str(made["itemIndex"] + 1) if "itemIndex" in made else ""]
    return "-".join(_word(word) for word in words if word) or "file"


def _word(text: str) -> str:
    """A text as a part of a file's name: no path, no surprise."""
    return re.sub(r"[^\w-]+", "-", text, flags=re.UNICODE).strip("-_.").lower()[:60] or "flow"


def _attached(name: str) -> dict[str, str]:
    plain = name.encode("ascii", "ignore").decode() or "file"
    return {**assets.SAFE, "Cache-Control": "private, no-cache", "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"}
