"""Check: each problem by node, field and code, before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from flowkit import film, flow, node, ref, text

from batuta_flows.document.check import problems
from batuta_flows.document.flow import Flow

STORY = node("story", "text_to_text", prompt="x")
SCENES = node("scenes", "split_text", text=ref("story", "text"))
PICS = node("pics", "text_to_image", prompt=ref("scenes", "items"))


def told(found: Flow, configured: frozenset[str] | None = None, severity: str = "error") -> list[tuple[str, str, str]]:
    return [(p.node_id, p.field, p.code) for p in problems(found, configured) if p.severity == severity]


#   what                                nodes                                                                       problem
CASES: list[tuple[str, list[Any], tuple[str, str, str]]] = [
    ("an unknown type",                 [node("a", "text_to_smell")],                                              ("a", "type", "unknown_type")),
    ("an id twice",                     [STORY, STORY],                                                            ("story", "id", "duplicate_id")),
    ("a deleted node",                  [node("a", "image_to_video", imageUrl=ref("gone", "imageUrl"))],           ("a", "imageUrl", "unknown_node")),
    ("itself",                          [node("a", "text_to_text", prompt=ref("a", "text"))],                      ("a", "prompt", "self_reference")),
    ("a circle",                        [node("a", "text_to_text", prompt=ref("b", "text")), node("b", "text_to_text", prompt=ref("a", "text"))], ("a", "", "cycle")),
    ("a circle by order",               [node("a", "text_to_text", after=["b"]), node("b", "text_to_text", prompt=ref("a", "text"))], ("a", "", "cycle")),
    ("an unknown output",               [STORY, node("a", "text_to_image", prompt=ref("story", "words"))],         ("a", "prompt", "unknown_output")),
    ("an empty output",                 [STORY, node("a", "text_to_image", prompt=ref("story", ""))],              ("a", "prompt", "unknown_output")),
    ("a text as a picture",             [STORY, node("a", "image_to_video", imageUrl=ref("story", "text"))],       ("a", "imageUrl", "type_mismatch")),
    ("a picture inside a text",         [STORY, node("p", "text_to_image", prompt="x"), node("a", "text_to_text", prompt=text("like ", ref("p", "imageUrl")))], ("a", "prompt", "type_mismatch")),
    ("a link where none goes",          [STORY, node("a", "text_to_image", prompt="x", aspectRatio=ref("story", "text"))], ("a", "aspectRatio", "not_linkable")),
    ("a node that is off",              [node("s", "text_to_text", enabled=False, prompt="x"), node("a", "text_to_image", prompt=ref("s", "text"))], ("a", "prompt", "disabled_node")),
    ("nothing where something must be", [node("a", "image_to_video")],                                             ("a", "imageUrl", "required")),
    ("a text as a number",              [node("a", "text_to_video", duration="long")],                             ("a", "duration", "wrong_value")),
    ("a number out of bounds",          [node("a", "text_to_text", temperature=3)],                                ("a", "temperature", "wrong_value")),
    ("a yes that is a text",            [node("a", "text_to_text", concatPrompts="yes")],                          ("a", "concatPrompts", "wrong_value")),
    ("no such choice",                  [node("a", "text_to_image", aspectRatio="2:1")],                           ("a", "aspectRatio", "wrong_value")),
    ("unequal lists",                   [node("a", "image_to_video", imageUrl=["x", "y"], prompt=["a"])],          ("a", "imageUrl", "unequal_lists")),
    ("a list of lists",                 [STORY, SCENES, PICS, node("m", "clip_merger", clips=[ref("v", "videoUrl")]), node("v", "image_to_video", imageUrl=ref("pics", "imageUrl"))], ("m", "clips", "nested_list")),
    ("aggregation without a port",      [node("a", "text_to_text", run={"waitForAll": True, "aggregateItems": True})], ("a", "execution", "cannot_aggregate")),
    ("no such provider",                [node("a", "text_to_text", provider="acme")],                              ("a", "provider", "unknown_provider")),
    ("no size",                         [node("a", "text_to_image", prompt="x", size="large")],                    ("a", "size", "wrong_value")),
    ("no colour",                       [node("a", "ai_avatar", backgroundColor="reddish")],                       ("a", "backgroundColor", "wrong_value")),
    ("a number nobody means",           [node("a", "edit_video", videoUrl="x.mp4", startTime=10**400)],            ("a", "startTime", "wrong_value")),
    ("order after nobody",              [node("a", "text_to_text", after=["b"])],                                  ("a", "after", "unknown_node")),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "problem"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_problem_is_named_by_node_and_field(nodes: list[Any], problem: tuple[str, str, str]) -> None:
    assert problem in told(flow(*nodes))


def test_a_good_flow_has_none() -> None:
    assert told(film()) == []
    assert told(film(), frozenset()) == []


def test_the_order_of_the_list_does_not_matter() -> None:
    assert told(flow(PICS, SCENES, STORY)) == []


def test_a_provider_without_its_key_is_a_problem_and_auto_takes_this_machine() -> None:
    picky = flow(node("a", "text_to_text", prompt="x", provider="openai"))
    assert told(picky, frozenset()) == [("a", "provider", "not_configured")]
    assert told(picky, frozenset({"openai"})) == []
    assert told(flow(node("a", "text_to_text", prompt="x")), frozenset()) == []
    alone = flow(node("a", "face_swap", targetImageUrl="a.png", sourceImageUrl="b.png", provider="service"))
    assert told(alone, frozenset()) == [("a", "provider", "not_configured")]


def test_what_a_provider_does_not_heed_is_a_warning() -> None:
    quiet = flow(node("a", "text_to_text", prompt="x", provider="local", temperature=0.2))
    assert told(quiet, frozenset(), "warning") == [("a", "temperature", "ignored_field")]


def test_the_message_of_unequal_lists_tells_their_lengths() -> None:
    found = problems(flow(node("a", "image_to_video", imageUrl=["x", "y"], prompt=["a"])))
    assert "imageUrl has 2, prompt has 1" in found[0].message


def test_volume_zero_is_a_volume() -> None:
    assert told(flow(node("a", "edit_video", videoUrl="x.mp4", speechVolume=0, musicVolume=0))) == []
