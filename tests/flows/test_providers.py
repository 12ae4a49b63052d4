"""OpenAI and fal through the whole Flow Builder, against a server that speaks as they do: results, every kind of fault, and nothing paid for twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flowkit import node, ref
from provider_fake import Answer, Providers, providers
from studio import Builder, builder

Json = Any
PICTURE = node("a", "text_to_image", prompt="a fox", provider="fal")
WORDS = node("a", "text_to_text", prompt="a fox", provider="openai")


@pytest.fixture
def world() -> Iterator[Providers]:
    with providers() as known:
        yield known


@pytest.fixture
def flows(tmp_path: Path, world: Providers) -> Iterator[Builder]:
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    with builder(tmp_path, real=True, **keys(world)) as running:
        yield running


def keys(world: Providers) -> dict[str, Any]:
    return {
        "openai_api_key": "sk-very-secret", "openai_base_url": f"{world.url}/v1", "fal_key": "id:very-secret", "fal_queue_url": world.url,
        "content_service_url": f"{world.url}/service",
    }  # fmt: skip


def test_a_picture_comes_from_fal_through_its_queue(flows: Builder, world: Providers) -> None:
    status = flows.hurried(flows.run([{**PICTURE, "config": {**PICTURE["config"], "seed": 5, "aspectRatio": "1:1"}}]))
    (result,) = status["results"]
    output = result["data"]["output"]
    assert status["status"] == "completed" and output["provider"] == "fal" and output["requestId"] == "job-1" and output["seed"] == 5
    (sent,) = world.submitted()
    assert (sent.path, sent.headers["authorization"]) == ("/fal-ai/z-image/turbo", "Key id:very-secret")
    assert sent.body == {"prompt": "a fox", "image_size": "square_hd", "seed": 5}
    assert flows.ask("GET", "/assets/" + output["imageUrl"].rpartition("/")[2])[0] == 200


def test_texts_pictures_and_voices_come_from_openai(flows: Builder, world: Providers) -> None:
    status = flows.hurried(flows.run([
        {**WORDS, "config": {**WORDS["config"], "systemPrompt": "be brief"}},
        node("p", "text_to_image", prompt=ref("a", "text"), provider="openai", aspectRatio="9:16"),
        node("e", "image_to_image", imageUrl=ref("p", "imageUrl"), prompt="more snow", provider="openai"),
        node("s", "text_to_speech", text=ref("a", "text"), provider="openai"),
    ]))  # fmt: skip
    assert status["status"] == "completed", status
    by_path = {one.path: one for one in world.submitted()}
    chat = by_path["/v1/chat/completions"].body
    assert (chat["model"], chat["messages"][0]["content"], chat["reasoning_effort"]) == ("gpt-6-luna", "be brief", "none")
    assert by_path["/v1/images/generations"].body["size"] == "864x1536"
    assert b"more snow" in by_path["/v1/images/edits"].body
    assert by_path["/v1/audio/speech"].body["input"] == world.said


def test_fal_moves_lips_and_is_sent_what_it_cannot_fetch(flows: Builder, world: Providers) -> None:
    nodes = [
        node("p", "text_to_image", prompt="x", provider="local", size="64x64"),
        node("v", "image_to_video", imageUrl=ref("p", "imageUrl"), duration=1, provider="local"),
        node("s", "text_to_speech", text="Hello", provider="local"),
        node("l", "lip_sync", videoUrl=ref("v", "videoUrl"), audioUrl=ref("s", "audioUrl"), provider="fal"),
    ]
    status = flows.hurried(flows.run(nodes))
    output = next(result["data"]["output"] for result in status["results"] if result["nodeId"] == "l")
    assert (output["model"], output["costUsd"]) == ("fal-ai/sync-lipsync", 0.7) and output["videoUrl"].endswith(".mp4")
    (sent,) = world.submitted()
    assert sent.path == "/fal-ai/sync-lipsync" and sent.body["video_url"].startswith("data:video/mp4;base64,")
    assert sent.body["audio_url"].startswith("data:audio/wav;base64,")


def test_a_model_of_somebody_else_is_refused_before_anything_is_sent(flows: Builder, world: Providers) -> None:
    code, answer = flows.ask("POST", "/workflow/run", {"nodes": [node("a", "text_to_image", prompt="x", provider="fal", model="dall-e-3")]})
    assert (code, answer["problems"][0]["code"]) == (422, "unknown_model") and world.asked == []


def test_a_model_splits_a_text(flows: Builder, world: Providers) -> None:
    world.said = 'Here you are:\n```json\n[{"index": 0, "text": "One.", "duration": 3}, {"index": 1, "text": "Two."}]\n```'
    status = flows.hurried(flows.run([node("a", "split_text", text="One. Two.", provider="openai", numSegments=2)]))
    assert status["results"][0]["data"]["output"]["items"] == ["One.", "Two."]


def test_the_content_service_swaps_faces(flows: Builder, world: Providers) -> None:
    status = flows.hurried(flows.run([
        node("p", "text_to_image", prompt="x", provider="local", size="64x64"),
        node("a", "face_swap", targetImageUrl=ref("p", "imageUrl"), sourceImageUrl=ref("p", "imageUrl")),
    ]))  # fmt: skip
    assert status["status"] == "completed", status
    sent = next(one for one in world.submitted() if one.path == "/service/face-swap")
    assert sent.body["config"]["targetImageUrl"].startswith("http://localhost:") and sent.body["previousResults"] == []


# -- faults -----------------------------------------------------------------------------------------------------------------------

OPENAI_QUOTA = Answer(429, {"error": {"message": "no credit", "code": "insufficient_quota"}}, {"x-should-retry": "false"})
FAL_POLICY = Answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": "refused", "type": "content_policy_violation"}]}, {"X-Fal-Retryable": "false"})
FAL_INPUT = Answer(422, {"detail": [{"loc": ["body", "seed"], "msg": "must be positive", "type": "greater_than"}]})

#   who           what it answers                                                     code                 what a person reads
FAULTS: list[tuple[Json, str, Answer, str, str]] = [
    (WORDS,        "POST /v1/chat", Answer(401, {"error": {"message": "Incorrect API key"}}),  "bad_key",           "Check the key"),
    (WORDS,        "POST /v1/chat", Answer(404, {"error": {"message": "no such model"}}),      "bad_input",         "Check the model"),
    (WORDS,        "POST /v1/chat", OPENAI_QUOTA,                                              "quota",             "no credit"),
    (WORDS,        "POST /v1/chat", Answer(200, {"choices": [], "id": "", "created": 1, "model": "m", "object": "chat.completion"}), "unreadable_answer", "wrote nothing"),
    (PICTURE,      "POST /fal-ai",  Answer(401, {"detail": "no such key"}),                    "bad_key",           "Check the key"),
    (PICTURE,      "POST /fal-ai",  FAL_INPUT,                                                 "bad_input",         "seed: must be positive"),
    (PICTURE,      "POST /fal-ai",  FAL_POLICY,                                                "refused_content",   "refused"),
    (PICTURE,      "POST /fal-ai",  Answer(200, {"ok": True}),                                 "unreadable_answer", "cannot be read"),
    (PICTURE,      "POST /fal-ai",  Answer(200, {}, drops=True),                               "provider_down",     "may have been received"),
    (PICTURE,      "GET /media",    Answer(200, b"<html>gone</html>", {"Content-Type": "text/html"}), "unreadable_answer", "page of HTML"),
    (PICTURE,      "GET /media",    Answer(200, b"", {"Content-Type": "image/png"}),           "unreadable_answer", "empty"),
    (PICTURE,      "GET /media",    Answer(404, b"gone"),                                      "bad_input",         "answered 404"),
    (PICTURE,      "GET /fal-ai",   Answer(200, {"status": "COMPLETED", "error": "it crashed", "error_type": "runner_error"}), "bad_input", "it crashed"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "where", "fault", "code", "told"), FAULTS)
def test_a_fault_of_a_provider_is_an_error_a_person_understands(flows: Builder, world: Providers, what: Json, where: str, fault: Answer, code: str, told: str) -> None:
    world.faults = {where: [fault] * 10}
    status = flows.hurried(flows.run([what]))
    (red,) = status["nodeStatuses"]
    assert (status["status"], red["status"], red["errorCode"], red["terminal"]) == ("failed", "failed", code, True)
    assert told in red["error"] and "secret" not in json.dumps(status)
    assert len(world.submitted()) == 1


#   who           what it answers once
PASSING: list[tuple[Json, str, Answer]] = [
    (WORDS,        "POST /v1/chat", Answer(429, {"error": {"message": "slow down"}})),
    (WORDS,        "POST /v1/chat", Answer(500, {"error": {"message": "oops"}})),
    (PICTURE,      "POST /fal-ai",  Answer(429, {"detail": "slow down"})),
    (PICTURE,      "POST /fal-ai",  Answer(503, {"detail": "no runner", "error_type": "runner_scheduling_failure"}, {"X-Fal-Error-Type": "runner_scheduling_failure"})),
    (PICTURE,      "GET /fal-ai",   Answer(500, {"detail": "oops"})),
    (PICTURE,      "GET /fal-ai",   Answer(200, {"status": "WHATEVER"})),
    (PICTURE,      "GET /media",    Answer(503, b"")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "where", "fault"), PASSING)
def test_a_fault_that_passes_is_tried_again(flows: Builder, world: Providers, what: Json, where: str, fault: Answer) -> None:
    world.faults = {where: [fault]}
    run_id = flows.run([what])
    assert flows.hurried(run_id)["status"] == "completed"
    assert len(world.submitted()) == (2 if where.startswith("POST") else 1)  # what the provider has is asked for again, never sent again


# -- paid for once ------------------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_lost_while_the_provider_works_does_not_submit_again(tmp_path: Path, world: Providers) -> None:
    world.looks = 10**6
    with builder(tmp_path, real=True, **keys(world)) as first:
        server = first.server
        run_id = first.run([PICTURE])
        first.until(lambda: world.jobs.get("job-1", 0) >= 1)
        # another process takes over; the first one's workers are gone when its block ends, but the engine is not
        with builder(tmp_path, server=server, real=True, workers=False, **keys(world)) as second:
            assert second.status(run_id)["nodeStatuses"][0]["note"] in ("submitted", "3. in the queue")
        world.looks = 1
        assert first.hurried(run_id)["status"] == "completed"
    assert len(world.submitted()) == 1


def test_a_cancelled_run_cancels_the_request(flows: Builder, world: Providers) -> None:
    world.looks = 10**6
    run_id = flows.run([PICTURE])
    flows.until(lambda: world.jobs.get("job-1", 0) >= 1)
    flows.ask("POST", f"/workflow/{run_id}/cancel")
    assert world.cancelled == ["job-1"]


def test_no_key_is_in_what_anybody_can_see(flows: Builder) -> None:
    run_id = flows.run([PICTURE, WORDS | {"id": "b"}])
    flows.hurried(run_id)
    seen = json.dumps([flows.ask("GET", path)[1] for path in (f"/workflow/{run_id}/status", "/workflow/history", "/health", "/node-types")])
    seen += json.dumps(flows.server.client.get_workflow(run_id).json) + repr(flows.backend.settings)
    assert "very-secret" not in seen
