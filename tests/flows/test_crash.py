"""
kill -9 at every node boundary and while a provider is asked: the run goes on and completes, and each request that is paid for was sent once.

The providers are a process that lives on (this one); what is killed is the real `batuta flows`, with its own engine or beside a `batuta server`. Every blow
waits for its moment: a request is held at the provider, or the run paused at the orchestrator between two nodes. The modes go side by side, each with
providers of its own: most of the time is waiting until a worker counts as lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flowkit import node, ref, text
from processes import Process, Site, engine, flow_builder, free_port, until
from provider_fake import Providers, providers

from batuta.client import SyncClient

PICTURES = 3
pytestmark = pytest.mark.timeout(900)  # a dozen starts of whole processes, beside whatever else runs


class Stage:
    """A Flow Builder in the mode of a test. `kill` ends what the mode says, `revive` starts it again."""

    def __init__(self, mode: str, world: Providers, directory: Path) -> None:
        port, engine_port = free_port(), free_port()
        keys = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{world.url}/v1", "FAL_KEY": "k", "FAL_QUEUE_URL": world.url}
        self.mode = mode
        self.world, self.site, self.engine_url = world, Site(port), f"http://127.0.0.1:{engine_port}/api"
        if mode == "everything":
            self._all = [flow_builder(port, directory, keys, engine_port=engine_port)]
        else:
            self._all = [engine(engine_port, directory / "e"), flow_builder(port, directory / "f", {**keys, "CONDUCTOR_URL": self.engine_url})]
        self._mortal: Process = self._all[-1 if mode == "backend and workers" else 0]
        for process in self._all:
            process.start()

    def kill(self) -> None:
        self._mortal.kill()

    def revive(self) -> None:
        self._mortal.start()

    def end(self) -> None:
        for process in reversed(self._all):
            process.kill()


MODES = ("everything", "backend and workers", "engine")


def in_all_modes(play: Callable[[Stage], None], directory: Path) -> None:
    """The play on a stage of each mode. Raises what went wrong in one of them, when all have ended."""
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    with ThreadPoolExecutor(len(MODES)) as pool:
        played = {mode: pool.submit(_on_stage, play, mode, directory / mode.replace(" ", "-")) for mode in MODES}
    for mode, one in played.items():
        if (error := one.exception()) is not None:
            error.add_note(f"killed: {mode}")
            raise error


def _on_stage(play: Callable[[Stage], None], mode: str, directory: Path) -> None:
    with providers() as world:
        stage = Stage(mode, world, directory)
        try:
            play(stage)
        finally:
            world.let_go()
            stage.end()


def film(world: Providers) -> list[object]:
    """A node of every kind: this machine's, one that answers at once, and two with a queue, one of them over a list."""
    return [
        node("source", "upload_files", files=[f"{world.url}/media/source.png"], assetType="Image"),
        node("words", "text_to_text", prompt="a fox", provider="openai", after=["source"]),
        node("pictures", "text_to_image", prompt=[text(f"{i}: ", ref("words", "text")) for i in range(PICTURES)], provider="fal"),
        node("voice", "text_to_speech", text=ref("words", "text"), provider="fal", after=["pictures"]),
        node("title", "text_to_text", prompt=ref("voice", "text"), provider="local"),
    ]


#   in the middle of                held at the provider
WITHIN = [
    ("source is fetched",           "GET /media/source.png"),
    ("pictures are asked for",      "GET /fal-ai/z-image/requests"),
    ("pictures are brought home",   "GET /media/a.png"),
    ("voice is asked for",          "GET /fal-ai/playai/requests"),
    ("voice is brought home",       "GET /media/a.wav"),
]  # fmt: skip

#   between         and             held at the provider until the run is paused
BOUNDARIES = [
    ("source",      "words",        "GET /media/source.png",        1),
    ("words",       "pictures",     "POST /v1/chat",                1),
    ("pictures",    "voice",        "GET /media/a.png",             PICTURES),
    ("voice",       "title",        "GET /media/a.wav",             1),
]  # fmt: skip
SENT = {"/v1/chat/completions": 1, "/fal-ai/z-image/turbo": PICTURES, "/fal-ai/playai/tts/v3": 1}


def test_a_run_that_is_struck_within_each_of_its_nodes_completes_and_pays_once(tmp_path: Path) -> None:
    in_all_modes(struck_within_each_node, tmp_path)


def struck_within_each_node(stage: Stage) -> None:
    world, site = stage.world, stage.site
    held = [world.hold(beginning) for _, beginning in WITHIN]
    run_id = site.run(film(world))
    for hold in held:
        hold.reached()
        stage.kill()
        hold.go.set()
        stage.revive()
    all_is_well(stage, run_id)


def test_a_run_that_is_struck_between_all_of_its_nodes_completes_and_pays_once(tmp_path: Path) -> None:
    in_all_modes(struck_between_nodes, tmp_path)


def struck_between_nodes(stage: Stage) -> None:
    """The run is paused when a node is about to end, so that nothing behind it begins before the blow."""
    world, site = stage.world, stage.site
    held = [world.hold(beginning) for _, _, beginning, _ in BOUNDARIES]
    run_id = site.run(film(world))
    with SyncClient(stage.engine_url) as client:
        for (node_id, _, _, times), hold in zip(BOUNDARIES, held, strict=True):
            hold.reached(times)
            client.pause(run_id)
            hold.go.set()
            until(lambda id=node_id: worked(site.node(run_id, id)), f"{node_id} has done its work")
            stage.kill()
            stage.revive()
            client.resume(run_id)
    all_is_well(stage, run_id)


def all_is_well(stage: Stage, run_id: str) -> None:
    world, site = stage.world, stage.site
    found = site.ended(run_id)
    assert found["status"] == "completed", found
    assert [one["status"] for one in found["nodeStatuses"]] == ["completed"] * 5
    assert Counter(one.path for one in world.submitted()) == SENT and world.cancelled == []
    until(lambda: site.get("/workflow/history")[0]["status"] == "completed", "the run is in the history")
    assert len(site.get("/workflow/history")) == 1


def worked(found: Any) -> bool:
    items = found.get("items") or []
    return found["status"] == "completed" or (len(items) == PICTURES and all(item["status"] == "completed" for item in items))


def test_a_request_that_was_being_sent_when_its_worker_died_is_a_persons_to_send_again(tmp_path: Path) -> None:
    in_all_modes(struck_while_sending, tmp_path)


def struck_while_sending(stage: Stage) -> None:
    world, site = stage.world, stage.site
    hold = world.hold("POST /fal-ai/z-image")
    run_id = site.run([node("a", "text_to_image", prompt="a fox", provider="fal")])
    hold.reached()
    stage.kill()
    hold.go.set()
    stage.revive()
    found = site.ended(run_id)
    if stage.mode == "engine":  # whoever was sending it lives, and is waited for
        assert found["status"] == "completed" and len(world.submitted()) == 1, found
        return
    (red,) = found["nodeStatuses"]
    assert (found["status"], red["errorCode"], red["terminal"]) == ("failed", "unknown_submission", True)
    assert "may have been received, and paid for" in red["error"] and "retry" in red["error"]
    assert len(world.submitted()) == 1
    site.post(f"/workflow/{run_id}/retry")
    assert site.ended(run_id)["status"] == "completed" and len(world.submitted()) == 2


def test_a_run_that_was_cancelled_while_nobody_worked_is_cancelled_at_the_provider(tmp_path: Path) -> None:
    in_all_modes(cancelled_meanwhile, tmp_path)


def cancelled_meanwhile(stage: Stage) -> None:
    world, site = stage.world, stage.site
    world.looks = 10**6
    run_id = site.run([node("a", "text_to_image", prompt="a fox", provider="fal")])
    until(lambda: world.jobs.get("job-1"), "the job is asked for")
    stage.kill()
    if stage.mode != "backend and workers":
        stage.revive()
    with SyncClient(stage.engine_url) as client:
        client.terminate(run_id, "by another hand")
    if stage.mode == "backend and workers":
        stage.revive()
    until(lambda: world.cancelled == ["job-1"], "the provider is told")
    assert site.status(run_id)["status"] == "cancelled"
