"""The document: read, written, set right where the original's forms wrote wrongly, and nothing lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flowkit import film, node, ref, text

from batuta_flows.document.flow import FORMAT, read_flow, write_flow
from batuta_flows.document.original import is_original, read_original, write_original
from batuta_flows.document.values import Reference, filled, references_in, replaced, slot
from batuta_flows.errors import Malformed

ORIGINAL = {
    "workflowName": "Product film",
    "templateVersion": 5,
    "nodes": [
        {
            "id": "node-1", "type": "text_to_video", "title": "1. Clip", "provider": "Google", "status": "not_run", "estimatedTime": "5min",
            "config": {"prompt": "a shoe", "duration": "5 seconds", "resolution": "4k", "mine": {"a": [1]}},
            "execution": {"mode": "sequential", "waitForAll": True, "aggregateItems": False, "later": 1},
        },
        {"id": "node-2", "type": "clip_merger", "config": {"clips": [ref("node-1", "videoUrl"), "https://example.com/b.mp4"]}, "execution": {}},
    ],
}  # fmt: skip


def test_a_flow_that_is_written_reads_as_the_same_flow() -> None:
    flow = film()
    assert read_flow(json.loads(json.dumps(write_flow(flow)))) == flow


def test_a_file_of_the_original_loses_nothing() -> None:
    flow, _ = read_original(json.loads(json.dumps(ORIGINAL)))
    back = write_original(flow)
    assert is_original(back) and back["templateVersion"] == 5
    for before, after in zip(ORIGINAL["nodes"], back["nodes"], strict=True):  # type: ignore[arg-type]
        for key in before:
            if key == "config":
                assert set(before["config"]) == set(after["config"])
            elif key == "execution":
                assert before["execution"].items() <= after["execution"].items()
            else:
                assert after[key] == before[key]


def test_what_the_originals_forms_wrote_as_text_becomes_what_was_meant() -> None:
    flow, notes = read_original(json.loads(json.dumps(ORIGINAL)))
    assert flow.nodes[0].settings == {"prompt": "a shoe", "duration": 5, "resolution": "4K", "mine": {"a": [1]}}
    assert len(notes) == 2 and "'5 seconds' was read as 5" in notes[0]


#   document                                                              place            told
MALFORMED: list[tuple[Any, str, str]] = [
    ([],                                                                  "",              "expected an object"),
    ({},                                                                  "nodes",         "Nodes array is required"),
    ({"nodes": []},                                                       "nodes",         "Nodes array is required"),
    ({"nodes": {"a": 1}},                                                 "nodes",         "found an object"),
    ({"nodes": ["x"]},                                                    "nodes[0]",      "the text 'x'"),
    ({"nodes": [{"type": "text_to_text"}]},                               "nodes[0].id",   "found nothing"),
    ({"nodes": [{"id": "a", "type": 7}]},                                 "nodes[0].type", "the number 7"),
    ({"nodes": [{"id": "a", "type": "text_to_text", "config": [1]}]},     "nodes[0].config", "a list of 1"),
    ({"nodes": [{"id": "a", "type": "t", "execution": {"mode": "both"}}]}, "nodes[0]",     "both"),
    ({"nodes": [{"id": "a", "type": "t"}], "format": "batuta-flow/9"},    "format",        FORMAT),
]  # fmt: skip


@pytest.mark.parametrize(("document", "place", "told"), MALFORMED)
def test_what_is_no_flow_is_refused_by_place(document: Any, place: str, told: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_flow(document)
    assert refused.value.place == place
    assert told in str(refused.value)


def test_references_are_found_wherever_they_stand() -> None:
    value = {"a": [ref("x", "o"), {"b": text("see ", ref("y", "p"))}]}
    assert list(references_in(value)) == [Reference("x", "o"), Reference("y", "p")]


def test_slots_are_filled_and_texts_become_one_text() -> None:
    value = {"clips": [ref("x", "o"), "b.mp4"], "prompt": text("Paint ", ref("y", "p"), " and ", ref("z", "q"))}
    names = {Reference("x", "o"): "s0", Reference("y", "p"): "s1", Reference("z", "q"): "s2"}
    prepared = replaced(value, lambda found: slot(names[found]))
    assert filled(prepared, {"s0": "a.mp4", "s1": "${workflow.input.k}", "s2": {"n": 1}}) == {
        "clips": ["a.mp4", "b.mp4"],
        "prompt": 'Paint ${workflow.input.k} and {"n": 1}',
    }


def test_prompts_that_are_not_concatenated_have_no_say() -> None:
    quiet = read_flow({"nodes": [node("a", "text_to_image", prompt="x", prompt2=ref("b", "text"))]}).nodes[0]
    assert quiet.references == []
    spoken = read_flow({"nodes": [node("a", "text_to_image", prompt="x", concatPrompts=True, prompt2=ref("b", "text"))]}).nodes[0]
    assert spoken.references == [("prompt2", Reference("b", "text"))]
