"""
Whole flows in the original's file format (originals/*.json, ten to fourteen nodes, all eighteen types among them): read without loss, found good, run to their
end with no provider but this machine, and their media served and shown.

The files' photos come from a site beside it.
"""

from __future__ import annotations

import io
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canvaskit import until
from PIL import Image, ImageDraw
from provider_fake import Answer, Asked, Providers, providers
from studio import Builder, builder

from batuta_flows import ffmpeg
from batuta_flows.catalogue import MEDIA, NODE_TYPES
from batuta_flows.document.check import problems
from batuta_flows.document.original import is_original, read_original, write_original

Json = Any
FILES = {path.stem: path for path in sorted((Path(__file__).parent / "originals").glob("*.json"))}
RUN_S = 240.0  # films, on a machine that does other things as well
MIMES = {"image": ("image/png", "image/jpeg", "image/webp"), "audio": ("audio/wav", "audio/mpeg"), "video": ("video/mp4",)}


def file(name: str) -> Json:
    return json.loads(FILES[name].read_text())


class Site(Providers):
    """A site with photos."""

    def _answer(self, asked: Asked) -> Answer:
        if asked.path.endswith("/mask.png"):
            return Answer(200, drawn("black", "white"), {"Content-Type": "image/png"})
        return Answer(200, drawn("white", "firebrick" if asked.path.endswith("front.png") else "navy"), {"Content-Type": "image/png"})


def drawn(ground: str, thing: str) -> bytes:
    """A disc on a ground."""
    picture, made = Image.new("RGB", (320, 320), ground), io.BytesIO()
    ImageDraw.Draw(picture).ellipse((80, 80, 240, 240), fill=thing)
    picture.save(made, "PNG")
    return made.getvalue()


@pytest.fixture(scope="module")
def site() -> Iterator[Providers]:
    with providers(Site()) as known:
        yield known


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """This machine, nobody else; all files share it, as they share a user's machine."""
    with builder(tmp_path_factory.mktemp("flows"), real=True, fetch_private=True) as running:
        yield running


def test_all_types_are_among_them() -> None:
    assert {node["type"] for name in FILES for node in file(name)["nodes"]} == set(NODE_TYPES) and len(NODE_TYPES) == 18
    assert all(10 <= len(file(name)["nodes"]) <= 14 for name in FILES)


@pytest.mark.parametrize("name", FILES)
def test_it_is_read_and_written_without_loss(name: str) -> None:
    document = file(name)
    assert is_original(document)
    flow, notes = read_original(document)
    back = json.loads(json.dumps(write_original(flow)))
    set_right = {tuple(note.partition(":")[0].rpartition(".")[::2]) for note in notes}
    assert back.items() >= {key: value for key, value in document.items() if key not in ("nodes", "name")}.items()
    assert back["workflowName"] == document.get("workflowName", document.get("name"))
    for before, after in zip(document["nodes"], back["nodes"], strict=True):
        assert after.keys() == before.keys() and after["config"].keys() == before["config"].keys()
        assert {**after, "config": None} == {**before, "config": None}
        assert {key for key in before["config"] if after["config"][key] != before["config"][key]} == {field for id, field in set_right if id == before["id"]}
    again, nothing = read_original(back)
    assert again.nodes == flow.nodes and nothing == []


@pytest.mark.parametrize("name", FILES)
def test_it_has_no_problem(name: str) -> None:
    flow, _ = read_original(file(name))
    found = problems(flow, frozenset())
    assert [str(problem) for problem in found if problem.severity == "error"] == []
    assert {problem.code for problem in found} <= {"ignored_field"}


def imported(flows: Builder, site: Providers, name: str) -> str:
    """The file as the canvas imports it, with the address of the photos; its id."""
    document = json.loads(FILES[name].read_text().replace("http://media.example", f"{site.url}/media"))
    code, kept = flows.ask("POST", "/flows", document)
    assert code == 201
    return str(kept["id"])


def made(flows: Builder, flow_id: str) -> tuple[str, Json]:
    """The flow is run to its end; the id of the run, and its status."""
    _, kept = flows.ask("GET", f"/flows/{flow_id}")
    _, found = flows.ask("POST", "/workflow/validate", {"document": kept["document"]})
    assert found["valid"], found["problems"]
    code, answer = flows.ask("POST", "/workflow/run", {"document": kept["document"], "flowId": flow_id})
    assert code == 200, answer
    flows.server.until(lambda: flows.status(answer["workflowId"])["status"] not in ("running", "pending"), timeout_s=RUN_S)
    return answer["workflowId"], flows.status(answer["workflowId"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FILES)
def test_it_runs_to_its_end_and_its_media_play(name: str, flows: Builder, site: Providers, tmp_path: Path) -> None:
    _, status = made(flows, imported(flows, site, name))
    assert status["status"] == "completed", [node for node in status["nodeStatuses"] if node["status"] != "completed"]
    results = {result["nodeId"]: result for result in status["results"]}
    assert set(results) == {node["id"] for node in file(name)["nodes"]} and all(result["success"] for result in results.values())
    for result in results.values():
        output = result["data"]["output"]
        settings = next(node["config"] for node in file(name)["nodes"] if node["id"] == result["nodeId"])
        for port in NODE_TYPES[result["nodeType"]].outputs_of({**settings}):
            assert output.get(port.name) not in (None, "", []), f"{result['nodeType']} gave no {port.name}"
            values = output[port.name] if isinstance(output[port.name], list) else [output[port.name]]
            for value in values if port.medium in MEDIA else ():
                _plays(value, str(port.medium), tmp_path / "medium")


def _plays(url: str, medium: str, target: Path) -> None:
    """The medium is served as what it is, whole or in part, and can be decoded from its beginning to its end."""
    with urllib.request.urlopen(url.replace("//localhost", "//127.0.0.1"), timeout=30) as answer:
        assert answer.headers["content-type"] in MIMES[medium], f"{url} is {answer.headers['content-type']}"
        target.write_bytes(answer.read())
    part = urllib.request.Request(url.replace("//localhost", "//127.0.0.1"), headers={"Range": "bytes=0-9"})
    with urllib.request.urlopen(part, timeout=30) as answer:
        assert answer.status == 206 and answer.read() == target.read_bytes()[:10]
    if medium == "image":
        with Image.open(target) as picture:
            picture.load()
            assert min(picture.size) >= 64
        return
    ffmpeg.run(["-xerror", "-i", target, "-f", "null", "-"])
    probed = ffmpeg.probe(target)
    assert probed.seconds > 0.4 and (probed.width > 0) == (medium == "video")


SHOWN_BY = {"video": "video", "image": "img"}  # on a card; what is heard has a player of its own


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FILES)
def test_its_media_are_shown(name: str, flows: Builder, site: Providers, browser: Any) -> None:
    """In a browser, every picture and film on the canvas is one that the browser can show."""
    flow_id = imported(flows, site, name)
    run_id, status = made(flows, flow_id)  # what was made before is not made again
    assert status["status"] == "completed"
    page = browser.new_page(viewport={"width": 2400, "height": 1400})
    page.set_default_timeout(30_000)
    page.goto(f"{flows.url}/?flow={flow_id}&run={run_id}")
    for node in file(name)["nodes"]:
        card = page.get_by_role("article", name=re.compile(re.escape(node["title"]))).and_(page.locator("[data-status=completed]"))
        card.wait_for()
        media = [str(port.medium) for port in NODE_TYPES[node["type"]].outputs_of(node["config"]) if port.medium in MEDIA]
        if media and media[0] in SHOWN_BY:
            card.locator(SHOWN_BY[media[0]]).first.wait_for()
    until(
        page,
        "[...document.querySelectorAll('article img')].every(one => one.complete && one.naturalWidth > 0)"
        " && [...document.querySelectorAll('article video')].every(one => (one.preload = 'metadata') && one.readyState >= 1 && one.videoWidth > 0)",
    )
    page.close()
