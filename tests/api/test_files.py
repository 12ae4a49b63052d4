"""/api/files: from a handle to a content and back; who may do what, in which state; ranges, parts, sizes; what is left when something goes away."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from edgework import Answer, Edge

from batuta.engine.files import KEPT_MS

ROOT = "http://batuta.example"
HOST = ((b"host", b"batuta.example"),)
FILES = "/api/files"


def made(edge: Edge, owner: str = "wf-docs-demo", **fields: Any) -> dict[str, Any]:
    answer = edge.raw("POST", "/api/files", json.dumps({"workflowId": owner, **fields}).encode(), headers=HOST)
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json
    return {**found, "id": found["fileHandleId"].removeprefix("conductor://file/"), "url": found["uploadUrl"].removeprefix(ROOT)}


def uploaded(edge: Edge, content: bytes, owner: str = "wf-docs-demo", **fields: Any) -> dict[str, Any]:
    file = made(edge, owner, **fields)
    assert edge.raw("PUT", file["url"], content).status == 204
    done = edge.call("POST", f"/api/files/{owner}/{file['id']}/upload-complete")
    assert done.json == {"fileHandleId": file["fileHandleId"], "uploadStatus": "UPLOADED", "contentHash": hashlib.sha256(content).hexdigest()}
    return file


def got(edge: Edge, file: dict[str, Any], reader: str = "wf-docs-demo", **headers: str) -> Answer:
    asked = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return edge.raw("GET", f"/api/files/content/{reader}/{file['id']}", headers=asked)


def on_disk(edge: Edge) -> list[str]:
    return sorted(path.name for path in (edge.directory / "files").rglob("*") if path.is_file())


def test_a_file_is_made_put_completed_and_got(edge: Edge) -> None:
    file = made(edge, fileName="report.pdf", contentType="application/pdf", taskId="t1")
    assert {k: v for k, v in file.items() if k in ("fileName", "contentType", "storageType", "uploadStatus")} == {
        "fileName": "report.pdf", "contentType": "application/pdf", "storageType": "CONDUCTOR", "uploadStatus": "UPLOADING",
    }  # fmt: skip
    assert file["uploadUrlExpiresAt"] == edge.clock.now() // 1000 * 1000 + 60_000 and file["createdAt"] == edge.clock.now()
    assert edge.raw("PUT", file["url"], b"%PDF ", b"content").status == 204
    early = edge.call("GET", f"/api/files/wf-docs-demo/{file['id']}/download-url")
    assert early.status == 400 and "not yet uploaded" in early.json["message"]
    edge.clock.advance(5)
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/upload-complete").json["uploadStatus"] == "UPLOADED"
    handle = edge.call("GET", f"/api/files/wf-docs-demo/{file['id']}").json
    assert handle == {
        "fileHandleId": file["fileHandleId"], "fileName": "report.pdf", "contentType": "application/pdf", "fileSize": 12,
        "contentHash": hashlib.sha256(b"%PDF content").hexdigest(), "storageType": "CONDUCTOR", "uploadStatus": "UPLOADED",
        "workflowId": "wf-docs-demo", "taskId": "t1", "createdAt": file["createdAt"], "updatedAt": edge.clock.now(),
    }  # fmt: skip
    place = edge.raw("GET", f"/api/files/wf-docs-demo/{file['id']}/download-url", headers=HOST).json
    content = edge.call("GET", place["downloadUrl"].removeprefix(ROOT))
    assert (content.status, content.body, content.headers["content-type"], content.headers["content-length"]) == (200, b"%PDF content", "application/pdf", "12")


def test_a_file_without_content_is_shown_with_its_size(edge: Edge) -> None:
    file = made(edge)
    assert edge.call("GET", f"/api/files/wf-docs-demo/{file['id']}").json["fileSize"] == 0
    again = edge.raw("GET", f"/api/files/wf-docs-demo/{file['id']}/upload-url", headers=HOST).json
    assert set(again) == {"fileHandleId", "uploadUrl", "expiresAt"} and edge.raw("PUT", again["uploadUrl"].removeprefix(ROOT), b"").status == 204
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/upload-complete").status == 200
    assert (got(edge, file).body, got(edge, file, range="bytes=0-").status) == (b"", 416)


def test_a_content_may_be_put_again_until_it_is_complete(edge: Edge) -> None:
    file = made(edge)
    empty = edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/upload-complete")
    assert empty.status == 409 and "no content has been uploaded" in empty.json["message"]
    for content in (b"first", b"second"):
        assert edge.raw("PUT", file["url"], content).status == 204
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/upload-complete").status == 200
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/upload-complete").status == 409
    assert edge.raw("PUT", file["url"], b"third").status == 409
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart").status == 409
    assert got(edge, file).body == b"second"


# -- who may ------------------------------------------------------------------------------------------------------------------------


def test_the_owner_changes_a_file_and_its_family_reads_it(edge: Edge) -> None:
    edge.register("grandchild", edge.task("job"))
    edge.register("child", edge.task("sub", type="SUB_WORKFLOW", subWorkflowParam={"name": "grandchild"}))
    edge.register("flow", edge.task("one", type="SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
    root = edge.start("flow")
    child = edge.call("GET", f"/api/workflow/{root}").json["tasks"][0]["subWorkflowId"]
    grandchild = edge.call("GET", f"/api/workflow/{child}").json["tasks"][0]["subWorkflowId"]
    stranger = edge.start("flow")
    file = uploaded(edge, b"kept", child)
    for reader, status in ((child, 200), (root, 200), (grandchild, 200), (stranger, 403), ("wf-docs-demo", 403)):
        for path in (f"/api/files/{reader}/{file['id']}", f"/api/files/{reader}/{file['id']}/download-url", f"/api/files/content/{reader}/{file['id']}"):
            assert edge.call("GET", path).status == status, (path, reader)
    other = made(edge, child)
    for path in ("upload-complete", "multipart"):
        assert edge.call("POST", f"/api/files/{root}/{other['id']}/{path}").status == 403
    assert edge.raw("PUT", f"/api/files/content/{root}/{other['id']}", b"x").status == 403
    assert edge.call("DELETE", f"/api/files/{grandchild}/{other['id']}").status == 403
    assert edge.call("DELETE", f"/api/files/{child}/{other['id']}").status == 204
    assert edge.call("GET", f"/api/files/{child}/{other['id']}").status == 404


@pytest.mark.parametrize("file_id", ["none", "..", "..%2f..%2f..%2fetc%2fpasswd", "%00", "conductor:%2f%2ffile%2fnone", "0"])
def test_an_id_of_nothing_is_not_found_and_touches_no_disk(edge: Edge, file_id: str) -> None:
    uploaded(edge, b"kept")
    before = on_disk(edge)
    for method, path in (
        ("GET", f"/api/files/w/{file_id}"), ("GET", f"/api/files/content/w/{file_id}"), ("PUT", f"/api/files/content/w/{file_id}"),
        ("POST", f"/api/files/w/{file_id}/upload-complete"), ("DELETE", f"/api/files/w/{file_id}"),
    ):  # fmt: skip
        assert edge.raw(method, path, b"" if method != "PUT" else b"x").status == 404, (method, path)
    assert on_disk(edge) == before


def test_a_handle_stands_for_its_id(edge: Edge) -> None:
    file = uploaded(edge, b"kept")
    assert edge.call("GET", f"/api/files/wf-docs-demo/conductor:%2F%2Ffile%2F{file['id']}").json["fileHandleId"] == file["fileHandleId"]


def test_a_signed_address_is_for_one_file_and_one_operation(edge: Edge) -> None:
    file, other = made(edge), made(edge)
    query = file["url"].partition("?")[2]
    assert edge.raw("PUT", f"/api/files/content/wf-docs-demo/{other['id']}?{query}", b"x").status == 403
    assert edge.raw("GET", file["url"]).status == 405
    part = edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart").json["uploadId"]
    url = edge.raw("GET", f"/api/files/wf-docs-demo/{file['id']}/multipart/{part}/part/1", headers=HOST).json["uploadUrl"].removeprefix(ROOT)
    assert edge.raw("PUT", url.replace("partNumber=1", "partNumber=2"), b"x").status == 403
    edge.clock.advance(61_000)
    assert edge.raw("PUT", file["url"], b"x").status == 403


# -- what a browser makes of it -------------------------------------------------------------------------------------------------------

#    named                       given                           type served                     saved as
SERVED = [
    ("page.html",                "text/html",                    "text/html",                    ("page.html", "page.html")),
    ('a"b\r\nX: y.txt',          "text/plain; charset=utf-8",    "text/plain; charset=utf-8",    ("a_b__X_ y.txt", "a%22b%0D%0AX%3A%20y.txt")),
    ("žluť.png",                 "image/png\r\nX: y",            "application/octet-stream",     ("_lu_.png", "%C5%BElu%C5%A5.png")),
    ("../../etc/passwd",         "",                             "application/octet-stream",     (".._.._etc_passwd", "..%2F..%2Fetc%2Fpasswd")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "served", "saved"), SERVED)
def test_a_content_is_never_shown_by_a_browser(edge: Edge, name: str, kind: str, served: str, saved: tuple[str, str]) -> None:
    headers = got(edge, uploaded(edge, b"<script>", fileName=name, contentType=kind)).headers
    assert (headers["content-type"], headers["content-disposition"]) == (served, "attachment; filename=\"{}\"; filename*=UTF-8''{}".format(*saved))
    assert headers["x-content-type-options"] == "nosniff" and headers["content-security-policy"].startswith("sandbox")


#    asked for        status  content-range      body
RANGES = [
    ("bytes=0-3",     206,    "bytes 0-3/10",    b"0123"),
    ("bytes=4-",      206,    "bytes 4-9/10",    b"456789"),
    ("bytes=-3",      206,    "bytes 7-9/10",    b"789"),
    ("bytes=-30",     206,    "bytes 0-9/10",    b"0123456789"),
    ("bytes=8-30",    206,    "bytes 8-9/10",    b"89"),
    ("bytes=10-",     416,    "bytes */10",      b""),
    ("bytes=-0",      416,    "bytes */10",      b""),
    ("bytes=5-2",     200,    None,              b"0123456789"),
    ("bytes=0-1,4-5", 200,    None,              b"0123456789"),
    ("lines=1-2",     200,    None,              b"0123456789"),
    ("bytes=-",       200,    None,              b"0123456789"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "span", "body"), RANGES)
def test_a_part_of_a_content_is_got_by_its_range(edge: Edge, asked: str, status: int, span: str | None, body: bytes) -> None:
    answer = got(edge, uploaded(edge, b"0123456789"), range=asked)
    assert (answer.status, answer.headers.get("content-range"), answer.body) == (status, span, body)
    assert answer.headers["content-length"] == str(len(body))


def test_a_range_of_another_content_is_not_given(edge: Edge) -> None:
    file = uploaded(edge, b"0123456789")
    tag = got(edge, file).headers["etag"]
    assert got(edge, file, range="bytes=0-1", if_range=tag).status == 206
    assert got(edge, file, range="bytes=0-1", if_range='"other"').status == 200


def test_a_head_tells_the_size_and_sends_nothing(edge: Edge) -> None:
    file = uploaded(edge, b"0123456789")
    answer = edge.raw("HEAD", f"/api/files/content/wf-docs-demo/{file['id']}")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "10", b"")


# -- sizes ----------------------------------------------------------------------------------------------------------------------------


def test_more_than_a_file_may_have_is_refused_and_leaves_nothing(edge: Edge) -> None:
    file = made(edge)
    edge.raw("PUT", file["url"], b"there before")
    said = edge.raw("PUT", file["url"], b"", headers=((b"content-length", b"100001"),))
    came = edge.raw("PUT", file["url"], *[b"x" * 10_000] * 11)
    assert (said.status, came.status, came.headers["connection"]) == (413, 413, "close")
    assert on_disk(edge) == ["content"]
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/upload-complete").json["contentHash"] == hashlib.sha256(b"there before").hexdigest()


def test_a_client_that_leaves_leaves_nothing(edge: Edge) -> None:
    file = made(edge)
    received = [{"type": "http.request", "body": b"x" * 100, "more_body": True}, {"type": "http.disconnect"}]

    async def leave() -> None:
        async def receive() -> Any:
            return received.pop(0)

        async def send(message: Any) -> None:
            raise AssertionError(f"nobody is there to read {message}")

        path, _, query = file["url"].partition("?")
        scope = {"type": "http", "method": "PUT", "raw_path": path.encode(), "query_string": query.encode(), "headers": []}
        await edge.application(scope, receive, send)

    edge.run(leave())
    assert on_disk(edge) == []


# -- in parts -------------------------------------------------------------------------------------------------------------------------


def part(edge: Edge, file: dict[str, Any], upload: str, number: int, content: bytes) -> str:
    url = edge.raw("GET", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/part/{number}", headers=HOST).json["uploadUrl"].removeprefix(ROOT)
    answer = edge.raw("PUT", url, content)
    assert answer.status == 204, answer.text
    tag: str = answer.headers["etag"]
    return tag


def begun(edge: Edge) -> tuple[dict[str, Any], str]:
    file = made(edge)
    found = edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart").json
    assert found["fileHandleId"] == file["fileHandleId"]
    return file, found["uploadId"]


def test_a_content_comes_in_parts_in_any_order(edge: Edge) -> None:
    file, upload = begun(edge)
    tags = {n: part(edge, file, upload, n, bytes([n]) * n) for n in (3, 1, 2)}
    tags[2] = part(edge, file, upload, 2, b"again")
    done = edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/complete", {"partETags": [tags[1], tags[2].strip('"'), tags[3]]})
    assert done.json["contentHash"] == hashlib.sha256(b"\x01again\x03\x03\x03").hexdigest()
    assert got(edge, file).body == b"\x01again\x03\x03\x03" and on_disk(edge) == ["content"]
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/complete", {"partETags": []}).status == 409


def test_parts_that_come_at_once_do_not_disturb_each_other(edge: Edge) -> None:
    file, upload = begun(edge)
    contents = {n: os.urandom(3_000 + n) for n in range(1, 21)}

    async def one(n: int) -> str:
        async def chunks() -> Any:
            for start in range(0, len(contents[n]), 500):
                await asyncio.sleep(0)
                yield contents[n][start : start + 500]

        return await edge.services.files.write_part("wf-docs-demo", file["id"], upload, n, chunks())

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(one(n) for n in contents))

    tags = edge.run(all_at_once())
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/complete", {"partETags": tags}).status == 200
    assert got(edge, file).body == b"".join(contents.values())


def test_of_two_who_complete_at_once_one_does(edge: Edge) -> None:
    file = made(edge)
    edge.raw("PUT", file["url"], b"kept")

    async def twice() -> list[Any]:
        files = edge.services.files
        return await asyncio.gather(*(files.complete("wf-docs-demo", file["id"]) for _ in range(2)), return_exceptions=True)

    assert sorted(type(end).__name__ for end in edge.run(twice())) == ["Conflict", "FileHandle"]


#    tags                          status  said
UNJOINED = [
    ([],                           400,    "has the parts 1, 3; expected as many as there are tags, 0"),
    (["", "", ""],                 400,    "has the parts 1, 3"),
    (["x", "", ""],                400,    "has the parts 1, 3"),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "status", "said"), UNJOINED)
def test_parts_that_do_not_belong_together_are_not_joined(edge: Edge, tags: list[str], status: int, said: str) -> None:
    file, upload = begun(edge)
    for n in (1, 3):
        part(edge, file, upload, n, b"part")
    answer = edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/complete", {"partETags": tags})
    assert answer.status == status and said in answer.json["message"]
    part(edge, file, upload, 2, b"part")
    wrong = edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/complete", {"partETags": ["", "wrong", ""]})
    assert wrong.status == 400 and "part 2 has the tag" in wrong.json["message"]
    assert edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/complete", {"partETags": ["", "", ""]}).status == 200


def test_an_upload_in_parts_is_given_up_and_bounded(edge: Edge) -> None:
    file, upload = begun(edge)
    part(edge, file, upload, 1, b"x" * 90_000)
    over = edge.raw("PUT", f"/api/files/content/wf-docs-demo/{file['id']}?uploadId={upload}&partNumber=2", b"x" * 10_001)
    assert over.status == 413
    for number in ("0", "10001"):
        assert edge.call("GET", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/part/{number}").status == 400
        assert edge.raw("PUT", f"/api/files/content/wf-docs-demo/{file['id']}?uploadId={upload}&partNumber={number}", b"x").status == 400
    assert edge.call("DELETE", f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}").status == 204
    for method, path in (("GET", "part/1"), ("POST", "complete")):
        answer = edge.call(method, f"/api/files/wf-docs-demo/{file['id']}/multipart/{upload}/{path}", {"partETags": []} if method == "POST" else None)
        assert answer.status == 404
    assert edge.raw("PUT", f"/api/files/content/wf-docs-demo/{file['id']}?uploadId=..%2F..&partNumber=1", b"x").status == 404
    assert on_disk(edge) == []
    uploads = [edge.call("POST", f"/api/files/wf-docs-demo/{file['id']}/multipart").status for _ in range(11)]
    assert uploads == [200] * 10 + [409]


# -- what goes --------------------------------------------------------------------------------------------------------------------------


def test_the_files_of_an_execution_go_with_it(edge: Edge) -> None:
    edge.register()
    gone, stays = edge.start("flow"), edge.start("flow")
    files = [uploaded(edge, b"x", owner) for owner in (gone, gone, stays)]
    edge.call("DELETE", f"/api/workflow/{gone}")
    assert edge.call("DELETE", f"/api/workflow/{gone}/remove").status == 200
    edge.run(settled(edge))
    assert [edge.call("GET", f"/api/files/{owner}/{f['id']}").status for owner, f in zip((gone, gone, stays), files, strict=True)] == [404, 404, 200]
    assert on_disk(edge) == ["content"]


async def settled(edge: Edge) -> None:
    while work := [task for task in edge.engine._background if not task.done()]:
        await asyncio.wait(work)


def test_what_belongs_to_nothing_is_swept_away(edge: Edge) -> None:
    edge.register()
    owned, stray, young = uploaded(edge, b"x", edge.start("flow")), uploaded(edge, b"x"), made(edge, "other")
    folder = edge.directory / "files"
    (folder / "no" / "no-such-file").mkdir(parents=True)
    (folder / "no" / "no-such-file" / "content").write_bytes(b"of a file that is gone")
    left = folder / owned["id"][:2] / owned["id"] / "content.abc.part"
    left.write_bytes(b"of an upload that a crash cut off")
    for path in (folder / "no" / "no-such-file", left):
        os.utime(path, (0, 0))
    assert edge.run(edge.services.files.sweep()) == 2
    edge.clock.advance(KEPT_MS + 1)
    fresh = made(edge, "another")
    assert edge.run(edge.services.files.sweep()) == 2
    assert on_disk(edge) == ["content"]
    assert edge.call("GET", f"/api/files/another/{fresh['id']}").status == 200
    for owner, file in (("wf-docs-demo", stray), ("other", young)):
        assert edge.call("GET", f"/api/files/{owner}/{file['id']}").status == 404


def test_a_server_may_take_no_files(edge: Edge) -> None:
    edge.services.files.contents.bytes_max = 0
    refused = edge.call("POST", "/api/files", {"workflowId": "w"})
    assert refused.status == 404 and "takes no files" in refused.json["message"]


def test_names_that_are_too_long_are_refused(edge: Edge) -> None:
    refused = edge.call("POST", "/api/files", {"workflowId": "w", "fileName": "x" * 1025})
    assert refused.status == 400 and refused.json["validationErrors"][0]["path"] == "createFile.arg0.fileName"


def test_a_disk_that_fails_is_told_and_changes_nothing(edge: Edge, tmp_path: Path) -> None:
    file = made(edge)
    (edge.directory / "files").write_bytes(b"in the way")
    refused = edge.raw("PUT", file["url"], b"x")
    assert refused.status == 503 and refused.json["retryable"] is True
