"""Flows in few words, for the tests: nodes by type and settings, references, a server that runs them with workers that only say what they were given."""

from __future__ import annotations

import json
from typing import Any

from batuta_flows.document.flow import Flow, read_flow

Json = Any


def ref(node: str, output: str) -> Json:
    return {"_type": "reference", "nodeId": node, "outputKey": output}


def text(*parts: Json) -> Json:
    return {"_type": "text", "parts": list(parts)}


def node(id: str, type: str, after: list[str] | None = None, run: Json | None = None, enabled: bool = True, **config: Json) -> Json:
    found: Json = {"id": id, "type": type, "config": config, "execution": run or {}}
    return found | ({"after": after} if after else {}) | ({} if enabled else {"enabled": False})


def flow(*nodes: Json, name: str = "Test") -> Flow:
    # through text, as from a file: nothing may hang on identity
    return read_flow(json.loads(json.dumps({"workflowName": name, "nodes": list(nodes)})))


def film() -> Flow:
    """A story of three scenes, spoken, painted one by one, brought to life two at a time, and cut together with music."""
    return flow(
        node("story", "text_to_text", prompt="A ${workflow.input.x} story $${y}"),
        node("scenes", "split_text", text=ref("story", "text"), splitMode="sentence"),
        node("music", "text_to_music", prompt="calm", duration=10),
        node("say", "text_to_speech", text=ref("scenes", "items")),
        node("pic", "text_to_image", run={"mode": "sequential"}, prompt=text("Paint: ", ref("scenes", "items"), " ${a}")),
        node("clip", "image_to_video", run={"maxParallel": 2}, imageUrl=ref("pic", "imageUrl")),
        node(
            "film", "edit_video", run={"waitForAll": True, "aggregateItems": True},
            videoUrl=ref("clip", "videoUrl"), speechUrl=ref("say", "audioUrl"), subtitleText=ref("scenes", "items"), musicUrl=ref("music", "audioUrl"),
        ),
        name="Story film",
    )  # fmt: skip


def small(one: Json) -> Json:
    """The same with short clips and small pictures; few words, so that what is spoken is short."""
    config = dict(one["config"])
    if "duration" in config:
        config["duration"] = 1
    if one["type"] == "text_to_image":
        config["size"] = "256x144"
    if one["type"] == "split_text":
        config["numSegments"] = 2
    if one["type"] == "text_to_text":
        config["prompt"] = "Two spoken sentences about the sea"
    return {**one, "config": config}
