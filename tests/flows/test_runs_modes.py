"""What can be done with a flow and its runs, end to end: all of it, a part, what is used again, cancel, retry, caps; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flowkit import node, ref, text
from studio import Builder, Studio, broken, builder

Json = Any
STORY = node("story", "text_to_text", prompt="a story")
PICTURE = node("picture", "text_to_image", prompt=ref("story", "text"))
CLIP = node("clip", "image_to_video", imageUrl=ref("picture", "imageUrl"))
SONG = node("song", "text_to_music", prompt="calm")
FILM = node("film", "edit_video", videoUrl=ref("clip", "videoUrl"), musicUrl=ref("song", "audioUrl"))
NODES = [STORY, PICTURE, CLIP, SONG, FILM]


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with builder(tmp_path_factory.mktemp("modes")) as running:
        yield running


def made(flows: Builder, run_id: str) -> list[str]:
    """The nodes whose work was done in this run, in the order they were begun."""
    return [job.key.split("/")[1] for job in flows.studio.submitted if job.key.startswith(run_id)]


def saved(flows: Builder, nodes: list[Json]) -> str:
    code, answer = flows.ask("POST", "/flows", {"workflowName": "Kept", "nodes": nodes})
    assert code == 201
    return str(answer["id"])


def apart(word: str) -> list[Json]:
    """The flow with prompts of its own, so that nothing is remembered of another test."""
    return json.loads(json.dumps(NODES).replace("a story", f"a story of {word}").replace("calm", f"calm {word}"))


# -- a part of a flow -------------------------------------------------------------------------------------------------------------------

#   scope      node         what runs, when all was run before
PARTS = [
    ("all",    "",          ["story", "picture", "clip", "song", "film"]),
    ("node",   "clip",      ["clip"]),
    ("upto",   "clip",      ["story", "picture", "clip"]),
    ("upto",   "story",     ["story"]),
    ("from",   "clip",      ["clip", "film"]),
    ("from",   "song",      ["song", "film"]),
    ("from",   "story",     ["story", "picture", "clip", "film"]),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "id", "ran"), PARTS)
def test_a_part_of_a_flow_runs_with_what_the_rest_gave_before(flows: Builder, scope: str, id: str, ran: list[str]) -> None:
    nodes = apart(f"{scope} {id}")
    flow_id = saved(flows, nodes)
    before = flows.ended(flows.run(nodes, flowId=flow_id))
    fresh = [{**one, "config": {**one["config"], "fresh": True}} for one in nodes]
    run_id = flows.run(fresh, flowId=flow_id, scope=scope, nodeId=id)
    status = flows.ended(run_id)
    assert status["status"] == "completed" and {one["id"] for one in status["nodeStatuses"]} == set(ran)
    assert sorted(made(flows, run_id)) == sorted(ran)
    if scope == "node":  # what it was given is what the run before had made
        (job,) = [job for job in flows.studio.submitted if job.key.startswith(run_id)]
        picture = next(result["data"]["output"]["imageUrl"] for result in before["results"] if result["nodeId"] == "picture")
        assert job.settings["imageUrl"].removeprefix("asset://") == picture.rpartition("/")[2]


def test_up_to_a_node_needs_no_run_before(flows: Builder) -> None:
    status = flows.ended(flows.run(apart("first time"), scope="upto", nodeId="picture"))
    assert status["status"] == "completed" and [one["id"] for one in status["nodeStatuses"]] == ["story", "picture"]


#   what is asked                                                          status  what it says
PARTS_REFUSED: list[tuple[Json, int, str]] = [
    ({"scope": "half", "nodeId": "clip"},                                  400,    "half"),
    ({"scope": "node"},                                                    422,    "no node of this flow"),
    ({"scope": "node", "nodeId": "gone"},                                  422,    "'gone' is no node of this flow"),
    ({"scope": "node", "nodeId": 7},                                       422,    "'7' is no node of this flow"),
    ({"scope": "node", "nodeId": "clip"},                                  422,    "run it first, or run up to here"),
    ({"scope": "from", "nodeId": "clip"},                                  422,    "run it first, or run up to here"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "code", "told"), PARTS_REFUSED)
def test_a_part_that_cannot_run_is_refused_before_anything_runs(flows: Builder, asked: Json, code: int, told: str) -> None:
    count = len(flows.ask("GET", "/workflow/history")[1])
    found, answer = flows.ask("POST", "/workflow/run", {"nodes": apart("refused"), **asked})
    assert found == code and told in json.dumps(answer), answer
    assert len(flows.ask("GET", "/workflow/history")[1]) == count


# -- what is used again -----------------------------------------------------------------------------------------------------------------


def test_only_what_has_changed_and_what_needs_it_is_made_again(flows: Builder) -> None:
    nodes = apart("changes")
    first = flows.run(nodes)
    flows.ended(first)
    nodes[3]["config"]["prompt"] = "loud"
    second = flows.run(nodes)
    status = flows.ended(second)
    assert sorted(made(flows, second)) == ["film", "song"]
    assert {one["id"] for one in status["nodeStatuses"] if one.get("cachedFrom")} == {"story", "picture", "clip"}
    assert status["nodeStatuses"][0]["cachedFrom"] == first


#   what is other than before               is it made again
KEYS: list[tuple[Json, bool]] = [
    ({},                                    False),
    ({"prompt": "another fox"},             True),
    ({"seed": 2},                           True),
    ({"aspectRatio": "1:1"},                True),
    ({"provider": "local"},                 False),  # the same provider, named
    ({"fresh": True},                       True),
]  # fmt: skip


@pytest.mark.parametrize(("more", "again"), KEYS)
def test_what_belongs_to_the_key_of_a_result(flows: Builder, more: Json, again: bool) -> None:
    config = {"prompt": f"a fox {more}", "seed": 1, "aspectRatio": "16:9"}
    flows.ended(flows.run([node("a", "text_to_image", **config)]))
    run_id = flows.run([node("a", "text_to_image", **{**config, **more})])
    assert flows.ended(run_id)["status"] == "completed" and bool(made(flows, run_id)) == again


def test_results_are_remembered_by_another_process_and_forgotten_with_their_files(tmp_path: Path) -> None:
    nodes = [node("a", "text_to_image", prompt="kept")]
    with builder(tmp_path) as one:
        first = one.run(nodes)
        url = one.ended(first)["results"][0]["data"]["output"]["imageUrl"]
    with builder(tmp_path) as other:
        second = other.run(nodes)
        assert other.ended(second)["nodeStatuses"][0]["cachedFrom"] == first and not other.studio.submitted
        found = other.backend.assets.path("asset://" + url.rpartition("/")[2])
        assert found is not None
        found.unlink()
        third = other.run(nodes)
        status = other.ended(third)
        assert status["status"] == "completed" and made(other, third) == ["a"] and "cachedFrom" not in status["nodeStatuses"][0]


# -- acting on runs ---------------------------------------------------------------------------------------------------------------------

#   what is asked of a run that has completed          status  code
REFUSED: list[tuple[str, Json, int, str]] = [
    ("cancel",                      {},                409,    "not_now"),
    ("retry",                       {},                409,    "not_now"),
    ("rerun",                       {},                400,    "malformed"),
    ("rerun",                       {"fromNodeId": "gone"}, 422, "invalid_flow"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "body", "status", "code"), REFUSED)
def test_what_a_completed_run_refuses(flows: Builder, verb: str, body: Json, status: int, code: str) -> None:
    run_id = flows.run([node("a", "text_to_text", prompt="done")])
    flows.ended(run_id)
    found, answer = flows.ask("POST", f"/workflow/{run_id}/{verb}", body)
    assert (found, answer["code"]) == (status, code), answer
    assert flows.status(run_id)["status"] == "completed"


@pytest.mark.parametrize(("verb", "body"), [("cancel", {}), ("retry", {}), ("rerun", {"fromNodeId": "a"})])
def test_a_run_that_nobody_knows_is_404(flows: Builder, verb: str, body: Json) -> None:
    found, answer = flows.ask("POST", f"/workflow/nobody/{verb}", body)
    assert (found, answer["code"]) == (404, "unknown_run")


def test_a_run_that_is_under_way_is_not_retried(tmp_path: Path) -> None:
    with builder(tmp_path, Studio("fal", waits=10_000)) as flows:
        run_id = flows.run([node("a", "text_to_image", prompt="x")])
        code, answer = flows.ask("POST", f"/workflow/{run_id}/retry")
        assert (code, answer["code"]) == (409, "not_now") and "running" in answer["detail"]
        flows.ask("POST", f"/workflow/{run_id}/cancel")


def test_a_cancelled_run_can_be_taken_up_again_and_sends_what_was_cancelled_anew(tmp_path: Path) -> None:
    with builder(tmp_path, fal := Studio("fal", waits=10_000)) as flows:
        run_id = flows.run([node("a", "text_to_image", prompt="x")])
        flows.until(lambda: flows.status(run_id)["nodeStatuses"][0].get("note") == "at work")
        flows.ask("POST", f"/workflow/{run_id}/cancel")
        fal.waits = 0
        assert flows.ask("POST", f"/workflow/{run_id}/retry")[0] == 200
        assert flows.ended(run_id)["status"] == "completed"
        assert (len(fal.submitted), len(fal.cancelled)) == (2, 1)
        flows.until(lambda: flows.ask("GET", "/workflow/history")[1][0]["status"] == "completed")


def test_of_several_failed_nodes_all_are_tried_again_and_no_other(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        studio.faults = {"p/1": [broken("no paint")], "p/2": [broken("no brush")]}
        run_id = flows.run([STORY, node("p", "text_to_image", prompt=[text(f"{i} ", ref("story", "text")) for i in range(4)]), node("end", "clip_merger", clips=[])])
        assert flows.ended(run_id)["status"] == "failed"
        flows.ask("POST", f"/workflow/{run_id}/retry")
        assert flows.ended(run_id)["status"] == "completed"
        begun = [job.key.partition("/")[2] for job in studio.submitted]
        assert sorted(one for one in begun if one.startswith(("p/", "story"))) == ["p/0", "p/1", "p/1", "p/2", "p/2", "p/3", "story/"]


# -- money ------------------------------------------------------------------------------------------------------------------------------


def test_a_days_cap_holds_for_all_runs_together(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio("fal"), day_usd_max=0.024) as flows:
        ends = [flows.ended(flows.run([node("a", "text_to_image", prompt=str(i))])) for i in range(4)]
        assert [end["status"] for end in ends] == ["completed", "completed", "failed", "failed"] and len(studio.submitted) == 2
        red = ends[2]["nodeStatuses"][0]
        assert (red["errorCode"], red["terminal"]) == ("budget", True) and "FLOWS_DAY_USD_MAX" in red["error"]


def test_many_at_once_do_not_pass_a_cap_together(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio("fal"), run_usd_max=0.045) as flows:
        status = flows.ended(flows.run([node("a", "text_to_image", prompt=[str(i) for i in range(12)])]))
        assert status["status"] == "failed" and 1 <= len(studio.submitted) <= 9  # an estimate of $0.005 is booked before each


def test_what_was_refused_is_not_on_the_books(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio("fal"), day_usd_max=0.012) as flows:
        studio.faults = {"a/": [broken("no such model")]}
        assert flows.ended(flows.run([node("a", "text_to_image", prompt="x")]))["status"] == "failed"
        assert flows.ended(flows.run([node("a", "text_to_image", prompt="y")]))["status"] == "completed"


def test_an_estimate_comes_before_the_run(tmp_path: Path) -> None:
    with builder(tmp_path, Studio("fal")) as flows:
        nodes = [node("a", "text_to_image", prompt=["x", "y"]), node("b", "text_to_text", prompt="z", provider="local")]
        code, answer = flows.ask("POST", "/workflow/validate", {"nodes": nodes})
        assert code == 200 and answer["valid"] and answer["estimateUsd"] == 0.01 and answer["estimate"]["nodes"][0]["items"] == 2, answer
