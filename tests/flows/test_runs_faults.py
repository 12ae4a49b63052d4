"""
What a provider can do wrong, on the wire, through the whole Flow Builder: the node's error, in a person's words, and whether it is tried again.

    terminal    the node fails at once; nothing is sent again
    retried     the orchestrator tries again, with its back-off, three times in all
    waited      the job is left alone for as long as the provider asks, and no attempt is used up
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flowkit import node, ref
from provider_fake import Answer, Providers, providers
from studio import Builder, builder

from batuta_flows.providers import web
from batuta_flows.providers.discreet import Discreet

Json = Any
ATTEMPTS = 3
HTML = Answer(200, b"<html><body>Sign in to the hotel's network</body></html>", {"Content-Type": "text/html"})
BROKEN_JSON = Answer(200, b'{"choices": [', {"Content-Type": "application/json"})
OF = {"openai": "POST /v1/chat", "images": "POST /v1/images", "fal": "POST /fal-ai", "service": "POST /service"}


def openai(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    return Answer(status, {"error": {"message": message, "type": "x", "code": code, "param": None}}, headers)


def fal(status: int, detail: Json, kind: str = "", **headers: str) -> Answer:
    body = {"detail": detail, **({"error_type": kind} if kind else {})}
    return Answer(status, body, {**headers, **({"X-Fal-Error-Type": kind} if kind else {})})


#   who         what it answers                                                        class       code                 what a person reads
FAULTS: list[tuple[str, Answer, str, str, str]] = [
    ("openai",  openai(400, "max_tokens is too large"),                                "terminal", "bad_input",         "max_tokens is too large"),
    ("openai",  openai(401, "Incorrect API key provided"),                             "terminal", "bad_key",           "Check the key"),
    ("openai",  openai(403, "Country not supported"),                                  "terminal", "bad_key",           "what the account is allowed"),
    ("openai",  openai(404, "The model x does not exist", "model_not_found"),          "terminal", "bad_input",         "models come and go"),
    ("openai",  openai(422, "temperature: not a number"),                              "terminal", "bad_input",         "temperature: not a number"),
    ("openai",  openai(429, "Rate limit reached"),                                     "retried",  "rate_limited",      "too many requests"),
    ("openai",  openai(429, "You exceeded your current quota", "insufficient_quota"),  "terminal", "quota",             "exceeded your current quota"),
    ("openai",  openai(400, "Your request was rejected", "content_policy_violation"),  "terminal", "refused_content",   "was rejected"),
    ("openai",  openai(500, "The server had an error"),                                "retried",  "provider_down",     "OpenAI had a fault"),
    ("openai",  Answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}), "retried", "provider_down",    "OpenAI had a fault"),
    ("openai",  HTML,                                                                  "terminal", "unreadable_answer", "cannot be read"),
    ("openai",  BROKEN_JSON,                                                           "terminal", "unreadable_answer", "cannot be read"),
    ("openai",  Answer(200, {"choices": "none"}),                                      "terminal", "unreadable_answer", "cannot be read"),
    ("openai",  Answer(200, {}, drops=True),                                           "terminal", "provider_down",     "may have been received, and paid for"),
    ("images",  Answer(200, {"created": 1, "data": []}),                               "terminal", "unreadable_answer", "without a picture"),
    ("images",  Answer(200, {"created": 1, "data": [{"b64_json": "%%%"}]}),            "terminal", "unreadable_answer", ""),
    ("fal",     fal(400, "Bad request"),                                               "terminal", "bad_input",         "Bad request"),
    ("fal",     fal(401, "Authentication is required"),                                "terminal", "bad_key",           "Check the key"),
    ("fal",     fal(402, "Exhausted balance"),                                         "terminal", "quota",             "no credit"),
    ("fal",     fal(422, [{"loc": ["body", "seed"], "msg": "must be positive", "type": "greater_than"}]), "terminal", "bad_input", "seed: must be positive"),
    ("fal",     fal(429, "Too many concurrent requests"),                              "retried",  "rate_limited",      "too many requests"),
    ("fal",     fal(500, "Internal error"),                                            "retried",  "provider_down",     "fal had a fault"),
    ("fal",     fal(503, "No runner", "runner_scheduling_failure"),                    "retried",  "provider_down",     "No runner"),
    ("fal",     fal(500, "Broken model", **{"X-Fal-Retryable": "false"}),              "terminal", "provider_down",     "Broken model"),
    ("fal",     HTML,                                                                  "terminal", "unreadable_answer", "cannot be read"),
    ("fal",     Answer(200, [1]),                                                      "terminal", "unreadable_answer", "cannot be read"),
    ("fal",     Answer(200, {}, drops=True),                                           "terminal", "provider_down",     "may have been received, and paid for"),
    ("service", Answer(401, {"error": "who are you"}),                                 "terminal", "bad_key",           "who are you"),
    ("service", Answer(422, {"error": "no face in it"}),                               "terminal", "bad_input",         "no face in it"),
    ("service", Answer(429, {"error": "slow down"}),                                   "retried",  "rate_limited",      "slow down"),
    ("service", Answer(500, b"oops"),                                                  "retried",  "provider_down",     "had a fault: oops"),
    ("service", HTML,                                                                  "terminal", "unreadable_answer", "without an output"),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Builder, Providers]]:
    """One Flow Builder and one world for the whole table."""
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    with providers() as world:
        keys = {
            "openai_api_key": "sk-very-secret", "openai_base_url": f"{world.url}/v1", "fal_key": "id:very-secret", "fal_queue_url": world.url,
            "content_service_url": f"{world.url}/service", "run_usd_max": 50.0, "day_usd_max": 500.0,
        }  # fmt: skip
        with builder(tmp_path_factory.mktemp("faults"), real=True, **keys) as flows:
            yield flows, world


@pytest.fixture
def flows(place: tuple[Builder, Providers]) -> Builder:
    return place[0]


@pytest.fixture
def world(place: tuple[Builder, Providers]) -> Providers:
    found = place[1]
    found.asked.clear()
    found.faults.clear()
    found.looks = 2
    return found


def nodes(who: str, word: str) -> list[Json]:
    """The node that this provider does last; *word*: makes it unlike any other."""
    if who == "service":
        picture = node("p", "text_to_image", prompt="x", provider="local", size="64x64")
        return [picture, node("a", "face_swap", targetImageUrl=ref("p", "imageUrl"), sourceImageUrl=ref("p", "imageUrl"), fresh=True)]
    kind = "text_to_text" if who == "openai" else "text_to_image"
    return [node("a", kind, prompt=f"a fox, {word}", provider="openai" if who == "images" else who, fresh=True)]


def red_one(status: Json) -> Json:
    return next(found for found in status["nodeStatuses"] if found["id"] == "a")


@pytest.mark.parametrize(("who", "fault", "kind", "code", "told"), FAULTS)
def test_a_fault_ends_in_an_error_a_person_understands(
    flows: Builder, world: Providers, who: str, fault: Answer, kind: str, code: str, told: str
) -> None:
    world.faults = {OF[who]: [fault] * 20}
    run_id = flows.run(nodes(who, "x"))
    for attempt in range(1, ATTEMPTS if kind == "retried" else 1):
        flows.until(lambda n=attempt: red_one(flows.status(run_id)).get("attempts") == n + 1)
        flows.server.clock.advance(seconds=30)
    status = flows.ended(run_id)
    red = red_one(status)
    assert (status["status"], red["status"], red["errorCode"], red.get("terminal", False)) == ("failed", "failed", code, kind == "terminal"), red
    assert told in red["error"] and red["error"] in [result.get("error") for result in status["results"]] and "secret" not in json.dumps(status)
    assert len(world.submitted()) == red["attempts"] == (ATTEMPTS if kind == "retried" else 1)


#   who         what it answers once                                                    how long it is left alone
PATIENCE: list[tuple[str, Answer, float]] = [
    ("openai",  openai(429, "Rate limit reached", **{"Retry-After": "7"}),              7),
    ("openai",  openai(503, "Overloaded", **{"retry-after-ms": "7500"}),                7.5),
    ("fal",     fal(429, "Too many", **{"Retry-After": "7"}),                           7),
    ("service", Answer(429, {"error": "slow down"}, {"Retry-After": "7"}),              7),
]  # fmt: skip


@pytest.mark.parametrize(("who", "fault", "seconds"), PATIENCE)
def test_a_provider_that_says_when_is_left_alone_until_then(flows: Builder, world: Providers, who: str, fault: Answer, seconds: float) -> None:
    world.faults = {OF[who]: [fault]}
    run_id = flows.run(nodes(who, "y"))
    flows.until(lambda: "asked to wait" in red_one(flows.status(run_id)).get("note", ""))
    (waiting,) = [task for task in flows.server.client.get_workflow(run_id).json["tasks"] if task["inputData"].get("nodeId") == "a"]
    assert int(seconds) <= waiting["callbackAfterSeconds"] <= seconds + 1 and len(world.submitted()) == 1
    flows.server.clock.advance(seconds=seconds + 1)
    status = flows.hurried(run_id)
    assert (status["status"], red_one(status)["attempts"], len(world.submitted())) == ("completed", 1, 2)


def test_a_provider_that_asks_for_hours_is_a_persons_to_wait_for(flows: Builder, world: Providers) -> None:
    world.faults = {OF["openai"]: [openai(429, "Daily limit reached", **{"Retry-After": "7200"})]}
    red = red_one(flows.ended(flows.run(nodes("openai", "z"))))
    assert red["terminal"] and "left alone for 2:00:00; retry the run then" in red["error"]


#   headers                                                     seconds
ASKS: list[tuple[dict[str, str], float | None]] = [
    ({},                                                        None),
    ({"retry-after": "12"},                                     12.0),
    ({"retry-after-ms": "250", "retry-after": "12"},            0.25),
    ({"retry-after": "soon"},                                   None),
    ({"retry-after": "-1"},                                     None),
    ({"retry-after": "inf"},                                    None),
    ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"},          0.0),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "seconds"), ASKS)
def test_how_long_a_provider_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert web.retry_after_s(headers) == seconds


# -- of jobs that the provider has ------------------------------------------------------------------------------------------------------

#   what is asked for     what it answers again and again
ASKING = [
    ("GET /fal-ai",       fal(500, "oops")),
    ("GET /fal-ai",       fal(429, "slow down")),
    ("GET /fal-ai",       Answer(200, b"<html>", {"Content-Type": "text/html"})),
    ("GET /fal-ai",       Answer(200, {"status": "WHATEVER"})),
    ("GET /fal-ai",       Answer(200, {}, drops=True)),
    ("GET /media",        Answer(503, b"")),
]  # fmt: skip


@pytest.mark.parametrize(("where", "fault"), ASKING)
def test_a_fault_while_a_job_is_asked_for_costs_neither_the_job_nor_an_attempt(flows: Builder, world: Providers, where: str, fault: Answer) -> None:
    """However often, within the task's time-out: the job is paid for."""
    world.faults = {where: [replace(fault) for _ in range(5)]}
    status = flows.hurried(flows.run(nodes("fal", f"{where} {fault.status} {fault.body!r} {fault.drops}")))
    assert (status["status"], red_one(status)["attempts"], len(world.submitted())) == ("completed", 1, 1), status
    assert not world.faults[where]


def test_a_provider_that_never_ends_runs_into_the_tasks_time_out_and_is_told(flows: Builder, world: Providers) -> None:
    world.looks = 10**6
    run_id = flows.run(nodes("fal", "for ever"))
    for _ in range(ATTEMPTS):
        flows.until(lambda: red_one(flows.status(run_id)).get("note", "").endswith("in the queue") or flows.status(run_id)["status"] != "running")
        flows.server.clock.advance(seconds=700)
    status = flows.ended(run_id)
    red = red_one(status)
    assert (status["status"], red["status"], red.get("timedOut")) == ("failed", "failed", True) and len(world.submitted()) == 1
    assert "timed out" in red["error"].lower() or "timeout" in red["error"].lower()
    flows.until(lambda: len(world.cancelled) > 0)


#   who         whose patience
TIMES = [("openai", "_client"), ("fal", "_http"), ("service", "_http")]


@pytest.mark.parametrize(("who", "name"), TIMES)
def test_a_request_without_an_answer_is_not_sent_again_by_itself(
    flows: Builder, world: Providers, monkeypatch: pytest.MonkeyPatch, who: str, name: str
) -> None:
    found = flows.backend.adapters[who]
    adapter = found.adapter if isinstance(found, Discreet) else found
    monkeypatch.setattr(adapter, name, adapter._client.with_options(timeout=0.3) if who == "openai" else web.pool(0.3))
    hold = world.hold(OF[who])
    run_id = flows.run(nodes(who, "slow"))
    red = red_one(flows.ended(run_id))
    hold.go.set()
    assert (red["errorCode"], red["terminal"]) == ("timed_out", True)
    assert "did not answer in time" in red["error"] and "may have been received, and paid for" in red["error"] and len(world.submitted()) == 1
