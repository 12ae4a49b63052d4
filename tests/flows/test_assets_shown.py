"""Assets over HTTP: small pictures, outlines of sounds, files that carry their flow, and nothing that runs in a browser."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canvaskit import until
from flowkit import node, ref
from PIL import Image
from studio import Builder, builder, picture

from batuta_flows import ffmpeg

Json = Any
SMALL = [
    node("words", "text_to_text", prompt="a fox"),
    node("scenes", "split_text", text="A fox. A hare.", splitMode="sentence"),
    node("pics", "text_to_image", prompt=ref("scenes", "items"), size="96x64"),
    node("voice", "text_to_speech", text="Hello there"),
    node("clip", "text_to_video", prompt="the sea", duration=1, resolution="480p"),
]


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    with builder(tmp_path_factory.mktemp("flows"), real=True) as running:
        yield running


@pytest.fixture(scope="module")
def run(flows: Builder) -> Json:
    """A run of every kind of medium, over."""
    status = flows.ended(flows.run(SMALL))
    assert status["status"] == "completed", status["error"]
    flows.until(lambda: flows.ask("GET", "/workflow/history")[1][0]["status"] == "completed")  # written down
    return status


def output(run: Json, node_id: str) -> Json:
    return next(result["data"]["output"] for result in run["results"] if result["nodeId"] == node_id)


def path_of(url: str) -> str:
    return "/assets/" + url.rpartition("/")[2]


def test_pictures_and_films_have_a_small_picture(flows: Builder, run: Json) -> None:
    for address in (output(run, "pics")["imageUrl"][0], output(run, "clip")["videoUrl"]):
        for _ in range(2):  # made, then kept
            code, small = flows.ask("GET", f"{path_of(address)}/thumbnail")
            with Image.open(io.BytesIO(small)) as shown:
                assert code == 200 and shown.format == "WEBP" and max(shown.size) <= 320 and len(set(shown.convert("L").get_flattened_data())) > 8
    assert flows.ask("GET", f"{path_of(output(run, 'voice')['audioUrl'])}/thumbnail")[1]["code"] == "nothing_to_show"


def test_a_sound_has_an_outline(flows: Builder, run: Json) -> None:
    code, found = flows.ask("GET", f"{path_of(output(run, 'voice')['audioUrl'])}/peaks")
    assert code == 200 and len(found["peaks"]) == 240 and abs(found["seconds"] - output(run, "voice")["duration"]) < 0.1
    assert 0.05 < max(found["peaks"]) <= 1 and min(found["peaks"]) >= 0
    for address in (output(run, "clip")["videoUrl"], output(run, "pics")["imageUrl"][0]):  # a film without sound, a picture
        assert flows.ask("GET", f"{path_of(address)}/peaks")[0] == 404


@pytest.mark.parametrize("where", [("pics", "imageUrl"), ("voice", "audioUrl"), ("clip", "videoUrl")])
def test_a_file_that_is_downloaded_carries_its_flow(flows: Builder, run: Json, where: tuple[str, str]) -> None:
    address = output(run, where[0])[where[1]]
    address = address[1] if isinstance(address, list) else address
    assert flows.ask("GET", f"{path_of(address)}/flow")[1]["code"] == "no_flow"  # as it lies here it has none: the same content, one address
    for question in (f"?run={run['workflowId']}", ""):
        code, content = flows.ask("GET", f"{path_of(address)}/download{question}")
        assert code == 200
        _, kept = flows.ask("POST", "/assets", content, {"Content-Type": "application/octet-stream"})
        code, found = flows.ask("GET", f"{path_of(kept['files'][0]['url'])}/flow")
        assert code == 200 and found["document"] == flows.ask("GET", f"/workflow/{run['workflowId']}/flow")[1]
        made = found["made"]
        assert (made["nodeId"], made["workflowId"], made["provider"]) == (where[0], run["workflowId"], "local") and made["seed"] >= 0
        assert made.get("itemIndex") == (1 if where[0] == "pics" else None)
    assert flows.ask("POST", "/workflow/validate", found["document"])[1]["valid"]


def test_a_run_is_downloaded_whole(flows: Builder, run: Json) -> None:
    code, content = flows.ask("GET", f"/workflow/{run['workflowId']}/download")
    assert code == 200
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        names = zipped.namelist()
        assert json.loads(zipped.read("flow.json")) == flows.ask("GET", f"/workflow/{run['workflowId']}/flow")[1]
        assert "words.txt" in names and zipped.read("words.txt").decode() == output(run, "words")["text"]
        assert sorted(name.rpartition(".")[2] for name in names) == ["json", "json", "mp4", "png", "png", "txt", "txt", "wav"]
        assert any(name.startswith("pics-1-imageurl-") for name in names)


def test_nodes_of_one_title_have_a_file_each(flows: Builder) -> None:
    run_id = flows.run([{**node(id, "text_to_text", prompt=id), "title": "Words"} for id in ("a", "b", "c")])
    made = {result["data"]["output"]["text"] for result in flows.ended(run_id)["results"]}
    with zipfile.ZipFile(io.BytesIO(flows.ask("GET", f"/workflow/{run_id}/download")[1])) as zipped:
        names = [name for name in zipped.namelist() if name.endswith(".txt")]
        assert names == ["words.txt", "words-2.txt", "words-3.txt"] and {zipped.read(name).decode() for name in names} == made


#   what is uploaded                                                       what it is called
HARMFUL = [
    (b"<html><script>alert(1)</script></html>",                            "text/html"),
    (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/svg+xml"),
    (b"GIF8 no gif <script>alert(1)</script>",                             "image/gif"),
    (b"%PDF-1.7 <</JS>>",                                                  "application/pdf"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "claimed"), HARMFUL)
def test_what_could_run_in_a_browser_is_a_download(flows: Builder, content: bytes, claimed: str) -> None:
    _, kept = flows.ask("POST", "/assets", content, {"Content-Type": claimed})
    assert kept["files"][0]["medium"] == "file"
    with urllib.request.urlopen(flows.url + path_of(kept["files"][0]["url"]), timeout=10) as answer:
        assert answer.headers["content-type"] == "application/octet-stream" and answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff" and "sandbox" in answer.headers["content-security-policy"]
    assert flows.ask("GET", f"{path_of(kept['files'][0]['url'])}/thumbnail")[0] == 404


def test_a_picture_that_is_broken_has_no_small_picture(flows: Builder) -> None:
    _, kept = flows.ask("POST", "/assets", picture(3)[:60], {"Content-Type": "image/png"})
    for kind in ("thumbnail", "peaks"):
        code, found = flows.ask("GET", f"{path_of(kept['files'][0]['url'])}/{kind}")
        assert (code, found["code"]) == (404, "nothing_to_show")


def test_a_part_of_a_file_is_given(flows: Builder, run: Json) -> None:
    url = flows.url + path_of(output(run, "clip")["videoUrl"])
    whole = urllib.request.urlopen(url, timeout=10).read()
    for asked, expected in (("bytes=0-3", whole[:4]), ("bytes=4-11", whole[4:12]), (f"bytes={len(whole) - 5}-", whole[-5:]), ("bytes=-5", whole[-5:])):
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": asked}), timeout=10) as answer:
            assert (answer.status, answer.read()) == (206, expected) and answer.headers["content-range"].endswith(f"/{len(whole)}")


def test_a_film_recorded_upright_stands_upright(flows: Builder, tmp_path: Path) -> None:
    lying, film = tmp_path / "lying.mp4", tmp_path / "film.mp4"
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc=s=160x90:d=0.4:r=10", *ffmpeg.MP4, lying])
    ffmpeg.run(["-display_rotation", "90", "-i", lying, "-c", "copy", film])
    shown = ffmpeg.probe(film)
    assert (shown.width, shown.height) == (90, 160)
    _, kept = flows.ask("POST", "/assets", film.read_bytes(), {"Content-Type": "video/mp4"})
    with Image.open(io.BytesIO(flows.ask("GET", f"{path_of(kept['files'][0]['url'])}/thumbnail")[1])) as small:
        assert small.size == (90, 160)


def test_an_upload_has_a_largest_size(tmp_path: Path) -> None:
    with builder(tmp_path, asset_bytes_max=20_000) as flows:
        large, head = b"x" * 30_000, {"Content-Type": "application/octet-stream"}
        form = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + b"x" * 25_000 + b"\r\n--b--\r\n"
        for body, headers in ((large, head), (form, {"Content-Type": "multipart/form-data; boundary=b"}), (form * 4, {"Content-Type": "multipart/form-data; boundary=b"})):
            code, answer = flows.ask("POST", "/assets", body, headers)
            assert (code, answer["code"]) == (413, "too_large")
        assert flows.ask("POST", "/assets", picture(1), head)[0] == 201
        kept = [path for path in (tmp_path / "assets").rglob("*") if path.is_file()]
        assert len(kept) == 1


def test_a_film_opened_by_its_address_plays(flows: Builder, run: Json, browser: Any) -> None:
    page = browser.new_page()
    page.goto(flows.url + path_of(output(run, "clip")["videoUrl"]))
    until(page, "document.querySelector('video')?.readyState >= 2")
    page.goto(flows.url + path_of(output(run, "voice")["audioUrl"]))
    until(page, "document.querySelector('video, audio')?.readyState >= 2")
    page.close()
