"""Compile: what runs beside what, names that survive, nothing a person typed in a definition; and whole flows on a real server."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from flowkit import film, flow, node, ref, text

from batuta.client import FailedForGood, TaskContext, Worker, worker
from batuta.testing import embedded
from batuta.testing.server import EmbeddedServer
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.compiler import COLLECT, PLAN, compile_flow, ref_of
from batuta_flows.compiler.layout import branches
from batuta_flows.document.flow import Flow
from batuta_flows.errors import FlowError, Refused
from batuta_flows.workers.inputs import complete, settings_of
from batuta_flows.workers.items import collect, plan

Json = Any


def test_a_chain_is_a_plain_sequence() -> None:
    found = compile_flow(flow(node("b", "text_to_image", prompt=ref("a", "text")), node("a", "text_to_text", prompt="x")))
    assert [task["taskReferenceName"] for task in found.definition["tasks"]] == [ref_of("a"), ref_of("b")]


def test_what_does_not_need_each_other_runs_beside_each_other() -> None:
    found = compile_flow(film())
    fork, join = found.definition["tasks"]
    assert fork["type"] == "FORK_JOIN" and join["type"] == "JOIN"
    assert sorted(branch[-1]["taskReferenceName"] for branch in fork["forkTasks"]) == sorted(join["joinOn"])


def test_links_survive_any_order_of_the_list() -> None:
    nodes = list(film().nodes)
    random.Random(7).shuffle(nodes)
    turned = compile_flow(Flow("Story film", tuple(nodes)))
    assert turned.refs == compile_flow(film()).refs
    assert _slots(turned.definition) == _slots(compile_flow(film()).definition)


def test_other_prompts_are_no_other_definition() -> None:
    one, other = (compile_flow(flow(node("a", "text_to_text", prompt=prompt))) for prompt in ("x", "y ${workflow.input.z}"))
    assert one.definition == other.definition
    assert one.input != other.input
    assert "y ${" not in json.dumps(other.definition)


def test_another_link_is_another_definition() -> None:
    first = flow(node("a", "text_to_text"), node("b", "text_to_text"), node("c", "text_to_image", prompt=ref("a", "text")))
    second = flow(node("a", "text_to_text"), node("b", "text_to_text"), node("c", "text_to_image", prompt=ref("b", "text")))
    assert compile_flow(first).name != compile_flow(second).name


def test_a_flow_with_problems_is_refused_whole() -> None:
    with pytest.raises(Refused, match=r"a\.imageUrl"):
        compile_flow(flow(node("a", "image_to_video")))


def test_a_part_uses_what_earlier_runs_gave() -> None:
    found = compile_flow(film(), only={"film"}, known={id: {"videoUrl": ["v"], "audioUrl": ["a"], "items": ["t"]} for id in ("clip", "say", "scenes", "music")})
    assert [task["taskReferenceName"] for task in found.definition["tasks"]] == [ref_of("film")]
    assert found.input["known"][ref_of("clip")]["videoUrl"] == ["v"]


def test_a_part_without_what_it_needs_is_refused() -> None:
    with pytest.raises(Refused, match="run it first"):
        compile_flow(film(), only={"film"})


def test_two_hundred_nodes_are_laid_out_with_few_branches() -> None:
    needed = {f"n{i}": [f"n{i - 1}"] if i % 20 else [] for i in range(200)}
    assert sorted(map(len, branches(needed))) == [20] * 10


@pytest.mark.parametrize("seed", range(40))
def test_every_node_stands_once_behind_all_it_needs(seed: int) -> None:
    chance = random.Random(seed)
    needed = {f"n{i}": sorted({f"n{chance.randrange(i)}" for _ in range(chance.randrange(3))}) if i else [] for i in range(chance.randrange(2, 30))}
    found = branches(needed)
    assert sorted(step.node for branch in found for step in branch) == sorted(needed)
    for branch in found:
        before: set[str] = set()
        for step in branch:
            assert set(needed[step.node]) <= before | set(step.waits)  # earlier in this branch, or waited for
            before.add(step.node)


def _slots(definition: Json) -> dict[str, Json]:
    """What stands behind the references of each node."""
    return {t["taskReferenceName"]: t["inputParameters"]["slots"] for t in _tasks(definition["tasks"]) if "slots" in t.get("inputParameters", {})}


def _tasks(tasks: list[Json]) -> Iterator[Json]:
    for task in tasks:
        yield task
        for inner in (*task.get("forkTasks", []), task.get("loopOver", [])):
            yield from _tasks(inner)


# -- on a server ------------------------------------------------------------------------------------------------------------------


class Told:
    """Workers that keep what they were given, and answer with the names of their outputs and the number of their item."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int | None, Json]] = []
        self.failing: set[tuple[str, int | None]] = set()

    def workers(self) -> list[Worker[..., Any]]:
        return [*(self._node(name) for name in NODE_TYPES), *(self._list(name, work) for name, work in ((PLAN, plan), (COLLECT, collect)))]

    def _node(self, name: str) -> Worker[..., Any]:
        @worker(name, concurrency=4)
        def run(task: TaskContext) -> Json:
            given = task.task.input
            item = given.get("itemIndex")
            settings = complete(name, settings_of(given))
            self.given.append((given["nodeId"], item, settings))
            if (given["nodeId"], item) in self.failing:
                raise FailedForGood("it broke", output={"error": {"code": "bad_input"}, "provider": "test"})
            made = {output.name: f"{given['nodeId']}.{output.name}" + ("" if item is None else f".{item}") for output in NODE_TYPES[name].outputs_of(settings)}
            return {**made, **({"items": ["one", "two", "three"]} if name == "split_text" else {}), "provider": "test"}

        return run

    @staticmethod
    def _list(name: str, work: Any) -> Worker[..., Any]:
        @worker(name)
        def run(task: TaskContext) -> Json:
            try:
                return work(task.task.input)
            except FlowError as error:
                raise FailedForGood(str(error)) from error

        return run

    def of(self, id: str) -> list[Json]:
        return [settings for node_id, _, settings in sorted(self.given, key=lambda g: g[1] or 0) if node_id == id]


def run(server: EmbeddedServer, told: Told, found: Flow, **options: Any) -> Any:
    compiled = compile_flow(found, **options)
    server.client.register_task_defs(compiled.task_definitions)
    server.client.register_workflow(compiled.definition)
    with server.run_workers(told.workers()):
        return server.wait(server.client.start_workflow(compiled.name, compiled.input))


def test_a_film_is_made_scene_by_scene() -> None:
    told = Told()
    with embedded() as server:
        ended = run(server, told, film())
    assert ended.status == "COMPLETED"
    assert [given["text"] for given in told.of("say")] == ["one", "two", "three"]
    assert [given["imageUrl"] for given in told.of("clip")] == ["pic.imageUrl.0", "pic.imageUrl.1", "pic.imageUrl.2"]
    (cut,) = told.of("film")
    assert cut["videoUrl"] == ["clip.videoUrl.0", "clip.videoUrl.1", "clip.videoUrl.2"]
    assert cut["speechUrl"] == ["say.audioUrl.0", "say.audioUrl.1", "say.audioUrl.2"]
    assert cut["musicUrl"] == "music.audioUrl"


def test_what_a_person_typed_arrives_letter_by_letter() -> None:
    told = Told()
    with embedded() as server:
        run(server, told, film())
    assert told.of("story")[0]["prompt"] == "A ${workflow.input.x} story $${y}"
    assert [given["prompt"] for given in told.of("pic")] == [f"Paint: {scene} ${{a}}" for scene in ("one", "two", "three")]


def test_an_empty_list_is_a_node_without_items() -> None:
    told = Told()
    with embedded() as server:
        ended = run(server, told, flow(node("a", "text_to_image", prompt=[]), node("b", "text_to_text", prompt="x")))
    assert ended.status == "COMPLETED"
    assert told.of("a") == []


def test_an_item_that_fails_fails_the_run_and_a_retry_runs_it_alone() -> None:
    told = Told()
    told.failing = {("a", 1)}
    with embedded() as server:
        found = flow(node("a", "text_to_image", prompt=["x", "y", "z"]))
        ended = run(server, told, found)
        assert ended.status == "FAILED" and "it broke" in (ended.reason or "")
        told.failing.clear()
        before = len(told.given)
        with server.run_workers(told.workers()):
            server.client.retry(ended.id)
            assert server.wait(ended.id).status == "COMPLETED"
    assert [(id, item) for id, item, _ in told.given[before:]] == [("a", 1)]


#   on an item's error  images                                              items
POLICIES = [
    ("skip",            ["a.imageUrl.0", "a.imageUrl.2"],                   2),
    ("placeholder",     ["a.imageUrl.0", None, "a.imageUrl.2"],             3),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "images", "count"), POLICIES)
def test_a_node_may_go_on_without_an_item(policy: str, images: list[Json], count: int) -> None:
    told = Told()
    told.failing = {("a", 1)}
    with embedded() as server:
        ended = run(server, told, flow(node("a", "text_to_image", run={"onItemError": policy}, prompt=["x", "y", "z"])))
    output = ended.output[ref_of("a")]
    assert (output["imageUrl"], output["itemsCount"], output["itemsFailed"]) == (images, count, [1])


def test_lists_of_other_lengths_are_named_when_they_meet() -> None:
    told = Told()
    found = flow(
        node("s", "split_text", text="x"),
        node("p", "text_to_image", prompt=["one", "two"]),
        node("v", "image_to_video", imageUrl=ref("p", "imageUrl"), prompt=ref("s", "items")),
    )
    with embedded() as server:
        ended = run(server, told, found)
    assert ended.status == "FAILED"
    assert "v: lists that go in step need one length: imageUrl of p has 2, prompt of s has 3" in (ended.reason or "")


def test_prompts_are_laid_behind_each_other_item_by_item() -> None:
    told = Told()
    with embedded() as server:
        run(server, told, flow(node("a", "text_to_image", concatPrompts=True, prompt=["x", "y"], prompt2="and", prompt3=["1", "2"])))
    assert [given["prompt"] for given in told.of("a")] == ["x\n\nand\n\n1", "y\n\nand\n\n2"]


def test_a_value_for_a_port_of_many_is_a_list_of_one() -> None:
    told = Told()
    with embedded() as server:
        run(server, told, flow(node("v", "text_to_video", prompt="x"), node("m", "clip_merger", clips=ref("v", "videoUrl"))))
    assert told.of("m")[0]["clips"] == ["v.videoUrl"]


def test_references_inside_a_list_reach_the_worker() -> None:
    told = Told()
    found = flow(
        node("v", "text_to_video", prompt="x"),
        node("w", "text_to_video", prompt="y"),
        node("m", "clip_merger", clips=[ref("v", "videoUrl"), "https://example.com/c.mp4", ref("w", "videoUrl")]),
        node("t", "text_to_text", prompt=text("about ", ref("v", "prompt"))),
    )
    with embedded() as server:
        run(server, told, found)
    assert told.of("m")[0]["clips"] == ["v.videoUrl", "https://example.com/c.mp4", "w.videoUrl"]
    assert told.of("t")[0]["prompt"] == "about v.prompt"


