"""Streams: items that go on to the next node by themselves. Which nodes do, and what it means when items are slow, fail, are tried again or cancelled."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from flowkit import flow, node, ref, text
from studio import Studio, broken, builder

from batuta_flows.compiler import compile_flow
from batuta_flows.compiler.streams import streams
from batuta_flows.document import graph
from batuta_flows.document.check import problems
from batuta_flows.document.flow import Flow
from batuta_flows.document.shape import shapes
from batuta_flows.workers.inputs import settings_of
from batuta_flows.workers.items import plan

Json = Any
GO_ON = {"waitForAll": False}


def pictures(run: Json | None = None, **more: Json) -> Json:
    return node("pic", "text_to_image", run=run, **{"prompt": ["x", "y", "z"], **more})


def clips(run: Json | None = None, after: list[str] | None = None, **more: Json) -> Json:
    return node("clip", "image_to_video", run=GO_ON if run is None else run, after=after, **{"imageUrl": ref("pic", "imageUrl"), **more})


def streams_of(found: Flow) -> list[list[str]]:
    assert not [problem for problem in problems(found) if problem.severity == "error"]
    return streams({one.id: one for one in found.nodes}, shapes(found), graph.needs(found))


MOVED = node("moved", "enhancer", run=GO_ON, sourceUrl=ref("clip", "videoUrl"))

#   what                                            nodes                                                               streams
WHICH: list[tuple[str, list[Json], list[list[str]]]] = [
    ("two maps",                                    [pictures(), clips()],                                              [["pic", "clip"]]),
    ("whatever the order of the list",              [clips(), pictures()],                                              [["pic", "clip"]]),
    ("a barrier",                                   [pictures(), clips({"waitForAll": True})],                          []),
    ("the default is a barrier",                    [pictures(), clips({"mode": "parallel"})],                          []),
    ("three maps",                                  [pictures(), clips(), MOVED],                                       [["pic", "clip", "moved"]]),
    ("two that begin with the same",                [pictures(), clips(), node("b", "enhancer", run=GO_ON, sourceUrl=ref("pic", "imageUrl"))], [["pic", "clip", "b"]]),
    ("two that meet",                               [pictures(), node("q", "text_to_text", prompt=["1", "2", "3"]), clips(prompt=text("go ", ref("q", "text")))], [["pic", "q", "clip"]]),
    ("another list in step",                        [pictures(), clips(prompt=["1", "2", "3"])],                        [["pic", "clip"]]),
    ("an order without a link is a barrier",        [pictures(), clips(after=["pic"])],                                 []),
    ("a list that is wanted whole is a barrier",    [pictures(), clips(), node("m", "clip_merger", run=GO_ON, clips=ref("clip", "videoUrl"))], [["pic", "clip"]]),
    ("taken one by one it is none",                 [pictures(), clips(), node("e", "edit_video", run=GO_ON, videoUrl=ref("clip", "videoUrl"))], [["pic", "clip", "e"]]),
    ("other ways of running",                       [pictures({"mode": "sequential"}), clips()],                        []),
    ("the same way of running",                     [pictures({"maxParallel": 2}), clips({**GO_ON, "maxParallel": 2})], [["pic", "clip"]]),
    ("other ways with failed items",                [pictures({"onItemError": "skip"}), clips()],                       []),
    ("one value is no list",                        [pictures(prompt="x"), clips()],                                    []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "nodes", "found"), WHICH)
def test_which_nodes_are_a_stream(what: str, nodes: list[Json], found: list[list[str]]) -> None:
    assert streams_of(flow(*nodes)) == found, what


def test_what_waits_outside_a_stream_cuts_it() -> None:
    """The pictures' count goes through a node of its own and back into the clips: item k cannot go on before all are there."""
    found = flow(pictures(), node("note", "text_to_text", prompt=text("all of ", ref("sum", "clipsMerged"))), node("sum", "clip_merger", clips=ref("v", "videoUrl")),
                 node("v", "image_to_video", imageUrl=ref("pic", "imageUrl")), clips(prompt=ref("note", "text")))  # fmt: skip
    assert streams_of(found) == []


def test_a_stream_is_the_same_definition_for_other_words() -> None:
    one, other = (compile_flow(flow(pictures(prompt=words), clips())) for words in (["x", "${y}"], ["1", "2", "3"]))
    assert one.definition == other.definition and one.items == other.items and len(one.items) == 1
    assert "${y}" not in str(one.definition) + str(one.items)


# -- running ----------------------------------------------------------------------------------------------------------------------------


def items_of(status: Json, id: str) -> list[str]:
    return [item["status"] for item in next(one for one in status["nodeStatuses"] if one["id"] == id).get("items", [])]


def keys(studio: Studio) -> list[str]:
    return sorted(job.key.partition("/")[2] for job in studio.submitted)


FILM = node("film", "clip_merger", clips=ref("clip", "videoUrl"))


def test_an_item_does_not_wait_for_its_siblings(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        studio.holds["pic/2"] = slow = threading.Event()
        run_id = flows.run([pictures(), clips(), FILM])
        flows.until(lambda: items_of(flows.status(run_id), "clip")[:2] == ["completed", "completed"])
        status = flows.status(run_id)
        assert items_of(status, "pic") == ["completed", "completed", "running"] and items_of(status, "clip") == ["completed", "completed", "pending"]
        assert [one["status"] for one in status["nodeStatuses"]] == ["running", "running", "pending"] and status["nodeStatuses"][0]["progress"] > 0.6
        slow.set()
        status = flows.ended(run_id)
    assert status["status"] == "completed" and [one["status"] for one in status["nodeStatuses"]] == ["completed"] * 3
    made = {result["nodeId"]: result["data"]["output"] for result in status["results"]}
    assert made["clip"]["itemsCount"] == 3 and len(set(made["clip"]["videoUrl"])) == 3
    (merged,) = [job for job in studio.submitted if job.type == "clip_merger"]
    assert [name.rpartition("/")[2] for name in merged.settings["clips"]] == [url.rpartition("/")[2] for url in made["clip"]["videoUrl"]]
    assert [job.settings["imageUrl"] for job in sorted(studio.submitted, key=lambda j: j.key) if job.type == "image_to_video"] == [
        "asset://" + url.rpartition("/")[2] for url in made["pic"]["imageUrl"]
    ]


def test_with_a_barrier_it_does(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        studio.holds["pic/2"] = slow = threading.Event()
        run_id = flows.run([pictures(), clips({})])
        flows.until(lambda: items_of(flows.status(run_id), "pic") == ["completed", "completed", "running"])
        assert items_of(flows.status(run_id), "clip") == []
        slow.set()
        assert flows.ended(run_id)["status"] == "completed"


#   which item fails    how often the jobs are begun, a retry included
FAILING = [
    ("pic/1",           ["clip/0", "clip/1", "clip/2", "pic/0", "pic/1", "pic/1", "pic/2"]),
    ("clip/1",          ["clip/0", "clip/1", "clip/1", "clip/2", "pic/0", "pic/1", "pic/2"]),
]  # fmt: skip


@pytest.mark.parametrize(("which", "begun"), FAILING)
def test_an_item_that_fails_is_retried_from_where_it_failed(tmp_path: Path, which: str, begun: list[str]) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        studio.faults = {which: [broken("no paint")]}
        run_id = flows.run([pictures(), clips()])
        status = flows.ended(run_id)
        id = which.partition("/")[0]
        red = next(one for one in status["nodeStatuses"] if one["id"] == id)
        assert (status["status"], red["status"], red["errorCode"]) == ("failed", "failed", "bad_input") and "no paint" in red["error"]
        assert items_of(status, id) == ["completed", "failed", "completed"] and "no paint" in red["items"][1]["error"]
        assert flows.ask("POST", f"/workflow/{run_id}/retry")[0] == 200
        status = flows.ended(run_id)
        assert status["status"] == "completed" and items_of(status, "clip") == ["completed"] * 3
        code, told = flows.ask("GET", f"/workflow/{run_id}/nodes/clip/log")
        assert code == 200 and sorted(attempt["item"] for attempt in told["attempts"]) == [0, 1, 2]
    assert keys(studio) == begun


def test_an_item_that_is_skipped_is_skipped_in_all_lists(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        studio.faults = {"clip/1": [broken()]}
        status = flows.ended(flows.run([pictures({"onItemError": "skip"}), clips({**GO_ON, "onItemError": "skip"}), FILM]))
        made = {result["nodeId"]: result["data"]["output"] for result in status["results"]}
        assert status["status"] == "completed"
        assert [(made[id]["itemsCount"], made[id]["itemsFailed"]) for id in ("pic", "clip")] == [(2, [1]), (2, [1])]


@pytest.mark.parametrize("run", [{"mode": "sequential"}, {"maxParallel": 2}])
def test_a_stream_keeps_to_how_many_run_at_once(tmp_path: Path, run: Json) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        status = flows.ended(flows.run([pictures(run), clips({**GO_ON, **run}), FILM]))
    assert status["status"] == "completed" and keys(studio) == ["clip/0", "clip/1", "clip/2", "film/", "pic/0", "pic/1", "pic/2"]
    order = [job.key.partition("/")[2] for job in studio.submitted]
    assert order.index("clip/0") < order.index("pic/2")


def test_a_stream_that_is_cancelled_is_cancelled_at_the_provider(tmp_path: Path) -> None:
    with builder(tmp_path, Studio(), fal := Studio("fal", waits=10_000)) as flows:
        run_id = flows.run([pictures(provider="local"), clips(provider="fal")])
        flows.until(lambda: len(fal.submitted) == 3 and len(flows.backend.runner._submissions.runs_with_open()) == 1)
        flows.until(lambda: all(item.get("note") for item in flows.status(run_id)["nodeStatuses"][1]["items"]))
        assert flows.ask("POST", f"/workflow/{run_id}/cancel")[0] == 200
        status = flows.status(run_id)
        assert status["status"] == "cancelled" and len(fal.cancelled) == 3
        flows.until(lambda: items_of(flows.status(run_id), "clip") == ["cancelled"] * 3)


def test_lists_of_other_lengths_are_named_in_a_stream(tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        status = flows.ended(flows.run([node("s", "split_text", text="x"), pictures(prompt=["x", "y"]), clips(prompt=ref("s", "items"))]))
        red = next(one for one in status["nodeStatuses"] if one["id"] == "pic")
        assert status["status"] == "failed" and "pic.prompt has 2, clip.prompt of s has 3" in red["error"]


def test_what_a_person_typed_arrives_letter_by_letter_in_a_stream(tmp_path: Path) -> None:
    with builder(tmp_path, studio := Studio()) as flows:
        words = node("words", "text_to_text", run=GO_ON, prompt=text("${workflow.input.x} of ", ref("pic", "prompt"), " $${y}"))
        assert flows.ended(flows.run([pictures(prompt=["${a}", "b"]), words]))["status"] == "completed"
    typed = {job.key.partition("/")[2]: job.settings["prompt"] for job in studio.submitted}
    assert typed["pic/0"] == "${a}" and typed["words/0"] == "${workflow.input.x} of text of text_to_image $${y}"


@pytest.mark.parametrize("typed", ["plain", "${workflow.input.x}", "$${y}", 'a "quoted" $ and \\u0024', "ünï ${ö}"])
def test_nothing_that_looks_like_an_expression_goes_through_a_fork(typed: str) -> None:
    """Conductor evaluates what a dynamic fork hands to its tasks, although it came through an expression itself."""
    made = plan({"nodeId": "a", "nodeType": "text_to_text", "ref": "n_a", "mapped": ["prompt"], "settings": {"prompt": [typed]}, "slots": {}, "runId": "r"})
    (given,) = made["inputs"].values()
    assert "$" not in json.dumps(given) and settings_of(json.loads(json.dumps(given))) == {"prompt": typed}
