"""Keys go to the service they belong to, and nowhere else: a walk over all that is said, stored, logged and handed out, with keys that are looked for."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flowkit import node, ref
from provider_fake import Answer, Providers, providers
from studio import Builder, builder

from batuta_flows.errors import NodeFailed
from batuta_flows.providers import adapters
from batuta_flows.providers.discreet import Discreet
from batuta_flows.settings import Settings

Json = Any
OPENAI, FAL = "sk-canary-0123456789abcdef", "canary-id-77:canary-secret-4242"
CANARIES = (OPENAI, "canary-id-77", "canary-secret-4242", "sk-canary", "canary-password")
FLOW = [
    node("words", "text_to_text", prompt="a fox", provider="openai"),
    node("picture", "text_to_image", prompt=ref("words", "text"), provider="fal"),
    node("edited", "image_to_image", imageUrl=ref("picture", "imageUrl"), prompt="snow", provider="openai"),
    node("voice", "text_to_speech", text=ref("words", "text"), provider="fal"),
    node("here", "text_to_image", prompt="the sea", provider="local", size="64x64"),
    node("lips", "lip_sync", videoUrl=ref("clip", "videoUrl"), audioUrl=ref("voice", "audioUrl"), provider="local"),
    node("clip", "image_to_video", imageUrl=ref("here", "imageUrl"), duration=1, provider="local"),
]


@pytest.fixture
def world() -> Iterator[Providers]:
    with providers() as known:
        yield known


def test_no_key_is_anywhere_but_at_its_service(tmp_path: Path, world: Providers, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    caplog.set_level(logging.DEBUG)
    keys = {"openai_api_key": OPENAI, "openai_base_url": f"{world.url}/v1", "fal_key": FAL, "fal_queue_url": world.url}
    with builder(tmp_path / "data", real=True, **keys) as flows:
        good = flows.hurried(flows.run(FLOW))
        assert good["status"] == "completed", good["error"]
        # services that repeat the key in their errors
        world.faults = {
            "POST /v1/chat": [Answer(401, {"error": {"message": f"Incorrect API key provided: {OPENAI}. You can find it at …"}})] * 3,
            "POST /fal-ai": [Answer(401, {"detail": f"no such key: Key {FAL}"}), Answer(200, {"ok": f"for {FAL}"})] * 3,
        }
        bad = [
            flows.hurried(flows.run([{**FLOW[0], "config": {**FLOW[0]["config"], "fresh": True}}])),
            *(flows.hurried(flows.run([node("p", "text_to_image", prompt=f"again {i}", provider="fal")])) for i in range(2)),
        ]
        assert [run["status"] for run in bad] == ["failed"] * 3 and "***" in bad[0]["nodeStatuses"][0]["error"]
        flows.until(lambda: all(run["status"] != "running" for run in flows.ask("GET", "/workflow/history")[1]))
        said = dict(_said(flows, [good, *bad]))
    sent = {one.headers.get("authorization") for one in world.asked if one.method == "POST"}
    assert sent == {f"Bearer {OPENAI}", f"Key {FAL}"}  # they were really used
    said |= {str(path): path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    said |= {"log": caplog.text.encode(), "settings": repr(Settings(**keys, conductor_url="http://me:canary-password@127.0.0.1/api")).encode()}
    assert len(said) > 30 and len(caplog.text) > 100
    for where, content in said.items():
        for canary in CANARIES:
            assert canary.encode() not in content, f"{canary} is in {where}"


def _said(flows: Builder, runs: list[Json]) -> Iterator[tuple[str, bytes]]:
    """Everything the backend and the orchestrator answer about these runs, archives taken apart."""
    paths = ["/health", "/spend", "/node-types", "/workflow/history", "/workflow/history?limit=5", "/flows"]
    for run in runs:
        id = run["workflowId"]
        paths += [f"/workflow/{id}/{what}" for what in ("status", "results", "flow", "download")]
        paths += [f"/workflow/{id}/nodes/{one['id']}/log" for one in run["nodeStatuses"]]
        yield f"execution {id}", json.dumps(flows.server.client.get_workflow(id).json).encode()
    text = json.dumps(runs[0]["results"])
    names = {word.partition('"')[0] for word in text.split("/assets/")[1:]}
    paths += [f"/assets/{name}/{what}" for name in names for what in ("download", "thumbnail", "peaks", "flow")]
    for path in paths:
        _, answer = flows.ask("GET", path)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        yield path, content
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as zipped:
                yield from ((f"{path}:{name}", zipped.read(name)) for name in zipped.namelist())
    for kind in ("workflow", "taskdefs"):
        yield kind, json.dumps(flows.server.client.request("GET", f"/metadata/{kind}")).encode()


def test_media_travel_by_address(tmp_path: Path, world: Providers) -> None:
    """No picture is written into a task: what the orchestrator keeps of a flow with media is short."""
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    keys = {"openai_api_key": OPENAI, "openai_base_url": f"{world.url}/v1", "fal_key": FAL, "fal_queue_url": world.url}
    with builder(tmp_path, real=True, **keys) as flows:
        run_id = flows.run(FLOW[:4])
        assert flows.hurried(run_id)["status"] == "completed"
        for task in flows.server.client.get_workflow(run_id).json["tasks"]:
            text = json.dumps([task.get("inputData"), task.get("outputData")])
            assert "base64" not in text and max(map(len, text.split('"'))) < 500


def test_results_outlive_the_address_they_came_from(tmp_path: Path, world: Providers) -> None:
    keys = {"fal_key": FAL, "fal_queue_url": world.url}
    with builder(tmp_path, real=True, **keys) as flows:
        (result,) = flows.hurried(flows.run([FLOW[1] | {"config": {"prompt": "x", "provider": "fal"}}]))["results"]
        world.faults = {"GET /media": [Answer(404, b"expired")] * 9}
        address = result["data"]["output"]["imageUrl"]
        assert world.url not in json.dumps(result) and flows.ask("GET", "/assets/" + address.rpartition("/")[2])[0] == 200


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/steal", "https://fal.run.example.com/x", "https://example.com/.fal.run", "file:///etc/passwd"])
def test_a_key_of_fal_is_not_sent_where_an_answer_says(tmp_path: Path, world: Providers, url: str) -> None:
    urls = {"request_id": "job-1", "status_url": url, "response_url": url, "cancel_url": url}
    world.faults = {"POST /fal-ai": [Answer(200, urls)]}
    with builder(tmp_path, real=True, fal_key=FAL, fal_queue_url=world.url) as flows:
        status = flows.hurried(flows.run([node("p", "text_to_image", prompt="x", provider="fal")]))
        assert status["nodeStatuses"][0]["errorCode"] == "unreadable_answer"
    assert len(world.asked) == 1


def test_every_provider_with_a_key_is_discreet(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    from batuta_flows.assets.store import AssetStore

    found = adapters(Settings(openai_api_key=OPENAI, fal_key=FAL), AssetStore(tmp_path), lambda value: value)
    assert {id for id, adapter in found.items() if isinstance(adapter, Discreet)} == {"openai", "fal"}


def test_what_is_struck_out_leaves_the_rest_as_it_was() -> None:
    class Talks:
        id = "talks"

        def step(self, job: Any, state: Any, desk: Any) -> Any:
            raise NodeFailed("rate_limited", f"no {OPENAI}", fix=f"not {OPENAI}", may_retry=True, retry_after_s=3.0)

        def cancel(self, job: Any, state: Any) -> None: ...

    with pytest.raises(NodeFailed) as failure:
        Discreet(Talks(), OPENAI).step(None, None, None)  # type: ignore[arg-type]
    said = failure.value
    assert (said.code, said.message, said.fix, said.may_retry, said.retry_after_s) == ("rate_limited", "no ***", "not ***", True, 3.0)
