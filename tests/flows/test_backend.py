"""The backend as a whole: the original's five routes with their shapes, and what it lacked, over a real engine with real workers."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flowkit import node, ref
from studio import Builder, Studio, broken, builder, picture

from batuta.client import SyncClient

Json = Any
STORY = [
    node("node-1", "text_to_text", prompt="a story"),
    node("node-2", "text_to_image", prompt=ref("node-1", "text")),
    node("node-3", "image_to_video", imageUrl=ref("node-2", "imageUrl")),
]


@pytest.fixture
def flows(tmp_path: Path) -> Iterator[Builder]:
    with builder(tmp_path) as running:
        yield running


# -- the original's routes ----------------------------------------------------------------------------------------------------------


def test_a_run_is_queued_watched_and_has_results(flows: Builder) -> None:
    code, answer = flows.ask("POST", "/workflow/run", {"workflowName": "My Workflow", "nodes": STORY})
    assert (code, answer["success"], answer["message"]) == (200, True, "Workflow queued for execution")
    status = flows.ended(answer["workflowId"])
    assert (status["status"], status["currentNodeId"], status["error"]) == ("completed", None, None)
    assert [(n["id"], n["status"]) for n in status["nodeStatuses"]] == [("node-1", "completed"), ("node-2", "completed"), ("node-3", "completed")]
    by_id = {result["nodeId"]: result for result in status["results"]}
    assert by_id["node-2"]["success"] and by_id["node-2"]["nodeType"] == "text_to_image"
    assert by_id["node-2"]["data"]["type"] == "text_to_image"
    code, results = flows.ask("GET", f"/workflow/{answer['workflowId']}/results")
    assert code == 200 and results == {"status": "completed", "results": status["results"]}


def test_every_url_among_results_can_be_fetched(flows: Builder) -> None:
    status = flows.ended(flows.run(STORY))
    urls = [value for result in status["results"] for value in result["data"]["output"].values() if str(value).startswith("http")]
    assert len(urls) >= 3
    for url in urls:
        with urllib.request.urlopen(url.replace("localhost", "127.0.0.1"), timeout=10) as answer:
            assert answer.status == 200 and answer.headers["x-content-type-options"] == "nosniff" and answer.read()


#   body                                              status   error
REFUSED: list[tuple[Json, int, str]] = [
    ({},                                              400,     "Nodes array is required"),
    ({"nodes": []},                                   400,     "Nodes array is required"),
    (b"{",                                            400,     "no JSON"),
    ({"nodes": [node("a", "text_to_smell")]},         422,     "text_to_smell"),
    ({"nodes": STORY, "scope": "half"},               400,     "half"),
    ({"nodes": STORY, "scope": "upto", "nodeId": "x"}, 422,    "no node of this flow"),
    ({"nodes": STORY, "scope": "node", "nodeId": "node-3"}, 422, "run it first"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "error"), REFUSED)
def test_what_cannot_run_is_refused_and_says_why(flows: Builder, body: Json, status: int, error: str) -> None:
    code, answer = flows.ask("POST", "/workflow/run", body)
    assert code == status and error in answer["error"] and answer["code"]
    assert flows.ask("GET", "/workflow/history") == (200, [])


def test_an_unknown_run_is_404_and_an_orchestrator_that_is_away_is_not(flows: Builder) -> None:
    code, answer = flows.ask("GET", "/workflow/nobody/status")
    assert (code, answer["error"]) == (404, "Workflow execution not found")
    assert flows.ask("GET", "/workflow/nobody/events")[0] == 404


def test_an_orchestrator_that_is_away_is_said_so(tmp_path: Path) -> None:
    with builder(tmp_path, workers=False) as flows:
        flows.server._thread.call(flows.server._server.stop())
        code, answer = flows.ask("GET", "/workflow/any/status")
        assert (code, answer["code"]) == (503, "orchestrator_unavailable")
        code, answer = flows.ask("GET", "/health")
        assert code == 503 and answer["conductor"]["ok"] is False


def test_a_run_that_nobody_watched_is_in_the_history(flows: Builder) -> None:
    run_id = flows.run(STORY)
    flows.until(lambda: bool(flows.ask("GET", "/workflow/history")[1][0]["endTime"]))
    (found,) = flows.ask("GET", "/workflow/history")[1]
    assert (found["workflowId"], found["workflowName"], found["status"], found["nodeCount"]) == (run_id, "Test", "completed", 3)
    assert found["durationMs"] >= 0 and len(found["results"]) == 3


def test_the_51st_run_is_on_the_second_page(tmp_path: Path) -> None:
    with builder(tmp_path, workers=False) as flows:
        ids = [flows.run([node("a", "text_to_text", prompt=str(i))]) for i in range(51)]
        assert [run["workflowId"] for run in flows.ask("GET", "/workflow/history")[1]] == ids[:0:-1]
        page = flows.ask("GET", "/workflow/history?limit=50")[1]
        rest = flows.ask("GET", f"/workflow/history?limit=50&cursor={page['next']}")[1]
        assert [run["workflowId"] for run in page["runs"] + rest["runs"]] == ids[::-1] and rest["next"] is None


def test_health_pings_the_orchestrator(flows: Builder) -> None:
    code, answer = flows.ask("GET", "/health")
    assert (code, answer["status"], answer["service"]) == (200, "ok", "workflow-backend")
    assert answer["conductor"]["ok"] and answer["conductor"]["latencyMs"] >= 0 and answer["conductorUrl"] == flows.server.url
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?\S*", answer["ffmpeg"]["version"])


def test_a_run_of_another_orchestrator_is_not_declared_lost(flows: Builder, tmp_path: Path) -> None:
    """Two backends share a directory, each with an engine of its own: what one engine does not know, the other may, and jobs at providers are not cancelled."""
    held = flows.studio.holds["node-2/"] = threading.Event()
    run_id = flows.run(STORY)
    flows.until(lambda: len(flows.studio.submitted) == 2)
    with builder(tmp_path, workers=False) as other:
        assert other.backend.service.sweep() == [] and other.ask("GET", f"/workflow/{run_id}/status")[0] == 404
        assert other.ask("GET", "/workflow/history")[1][0]["status"] == "running"
    held.set()
    assert flows.ended(run_id)["status"] == "completed"
    flows.until(lambda: flows.ask("GET", "/workflow/history")[1][0]["status"] == "completed")


def test_a_run_that_was_removed_from_the_orchestrator_is_over(flows: Builder) -> None:
    flows.studio.holds["node-1/"] = held = threading.Event()
    run_id = flows.run(STORY)
    with urllib.request.urlopen(f"{flows.url}/workflow/{run_id}/events", timeout=20) as stream:
        stream.readline()
        with SyncClient(flows.server.url) as client:
            client.remove(run_id, archive=False)
        assert stream.read().decode().rstrip().endswith("data: {}")  # who watched is told that it is over
    flows.until(lambda: flows.ask("GET", "/workflow/history")[1][0]["error"] == "removed from the orchestrator")
    held.set()


def test_health_says_what_each_provider_needs(tmp_path: Path) -> None:
    with builder(tmp_path, Studio(), Studio("fal"), openai_api_key="k") as flows:
        assert flows.ask("GET", "/health")[1]["providers"] == {
            "fal": {"configured": True, "ready": True},
            "local": {"configured": True, "ready": True},
            "openai": {"configured": True, "ready": False, "missing": "pip install 'batuta[openai]'"},  # among its adapters there is none
            "service": {"configured": False, "ready": False, "missing": "set CONTENT_SERVICE_URL"},
        }


def test_a_flow_of_more_than_100_kb_is_taken(flows: Builder) -> None:
    assert flows.ended(flows.run([node("a", "text_to_text", prompt="x" * 300_000)]))["status"] == "completed"


# -- what it lacked -----------------------------------------------------------------------------------------------------------------


def test_a_node_that_fails_is_red_and_the_run_is_over(flows: Builder) -> None:
    flows.studio.faults = {"node-2/": [broken("no paint")]}
    status = flows.ended(flows.run(STORY))
    red = status["nodeStatuses"][1]
    assert status["status"] == "failed" and red["status"] == "failed" and red["terminal"] and "no paint" in red["error"] and red["errorCode"] == "bad_input"
    assert status["nodeStatuses"][2]["status"] == "pending"


def test_what_failed_is_retried_and_nothing_else(flows: Builder) -> None:
    flows.studio.faults = {"node-2/": [broken()]}
    run_id = flows.run(STORY)
    flows.ended(run_id)
    assert flows.ask("POST", f"/workflow/{run_id}/retry")[0] == 200
    flows.until(lambda: flows.status(run_id)["status"] == "completed")
    assert [job.key.split("/")[1] for job in flows.studio.submitted] == ["node-1", "node-2", "node-2", "node-3"]
    flows.until(lambda: flows.ask("GET", "/workflow/history")[1][0]["status"] == "completed")


def test_an_item_that_fails_is_retried_alone(flows: Builder) -> None:
    flows.studio.faults = {"a/1": [broken()]}
    run_id = flows.run([node("a", "text_to_image", prompt=["x", "y", "z"])])
    status = flows.ended(run_id)
    assert [item["status"] for item in status["nodeStatuses"][0]["items"]] == ["completed", "failed", "completed"]
    flows.ask("POST", f"/workflow/{run_id}/retry")
    flows.until(lambda: flows.status(run_id)["status"] == "completed")
    assert sorted(job.key[-1] for job in flows.studio.submitted) == ["0", "1", "1", "2"]


def test_a_retry_of_what_runs_is_409(flows: Builder) -> None:
    run_id = flows.run(STORY)
    flows.ended(run_id)
    code, answer = flows.ask("POST", f"/workflow/{run_id}/retry")
    assert (code, answer["code"]) == (409, "not_now")
    assert flows.ask("POST", "/workflow/nobody/retry")[0] == 404


def test_the_same_inputs_are_not_made_twice(flows: Builder) -> None:
    first = flows.run(STORY)
    flows.ended(first)
    made = len(flows.studio.submitted)
    status = flows.ended(flows.run(STORY))
    assert len(flows.studio.submitted) == made
    assert {n["cachedFrom"] for n in status["nodeStatuses"]} == {first}


def test_a_node_is_run_again_with_what_was_before_it(flows: Builder) -> None:
    first = flows.run([*STORY[:2], node("node-3", "image_to_video", imageUrl=ref("node-2", "imageUrl"), seed=7, fresh=True)], flowId="mine")
    flows.ended(first)
    flows.studio.submitted.clear()
    code, answer = flows.ask("POST", f"/workflow/{first}/rerun", {"fromNodeId": "node-3"})
    assert code == 200
    status = flows.ended(answer["workflowId"])
    assert [n["id"] for n in status["nodeStatuses"]] == ["node-3"]
    assert [job.key.split("/")[1] for job in flows.studio.submitted] == ["node-3"]
    assert [run["workflowId"] for run in flows.ask("GET", "/workflow/history?flowId=mine")[1]["runs"]] == [answer["workflowId"], first]


def test_a_cancelled_run_cancels_its_jobs_at_the_provider(tmp_path: Path) -> None:
    with builder(tmp_path, fal := Studio("fal", waits=10_000)) as flows:
        run_id = flows.run([node("a", "text_to_image", prompt="x")])
        flows.until(lambda: flows.status(run_id)["nodeStatuses"][0].get("note") == "at work")
        assert flows.ask("POST", f"/workflow/{run_id}/cancel", {"reason": "too dear"})[0] == 200
        status = flows.status(run_id)
        assert (status["status"], status["nodeStatuses"][0]["status"]) == ("cancelled", "cancelled")
        assert [state["request"] for state in fal.cancelled] == ["r1"]
        assert flows.ask("GET", "/workflow/history")[1][0]["status"] == "cancelled"


def test_a_cap_stops_what_would_pass_it(tmp_path: Path) -> None:
    with builder(tmp_path, Studio("fal"), run_usd_max=0.012) as flows:
        status = flows.ended(flows.run([node("a", "text_to_image", run={"mode": "sequential"}, prompt=["x", "y", "z"])]))
        assert status["status"] == "failed" and "FLOWS_RUN_USD_MAX" in json.dumps(status)
        assert len(flows.studios["fal"].submitted) == 1


def test_a_flow_is_kept_in_versions_and_not_overwritten(flows: Builder) -> None:
    code, made = flows.ask("POST", "/flows", {"workflowName": "Mine", "nodes": STORY})
    assert (code, made["version"]) == (201, 1)
    path = f"/flows/{made['id']}"
    assert flows.ask("PUT", path, {"workflowName": "Mine", "nodes": STORY[:1]}, {"If-Match": '"1"'})[1]["version"] == 2
    code, refused = flows.ask("PUT", path, {"workflowName": "Mine", "nodes": STORY[:2]}, {"If-Match": '"1"'})
    assert (code, refused["code"]) == (409, "conflict")
    assert len(flows.ask("GET", path)[1]["document"]["nodes"]) == 1
    assert len(flows.ask("GET", f"{path}?version=1")[1]["document"]["nodes"]) == 3
    assert flows.ask("GET", f"{path}?format=original")[1]["nodes"][0]["execution"]["mode"] == "parallel"
    assert [v["version"] for v in flows.ask("GET", f"{path}/versions")[1]["versions"]] == [2, 1]
    assert flows.ask("DELETE", path)[0] == 204 and flows.ask("GET", path)[0] == 404


def test_files_come_in_and_out_in_ranges(flows: Builder) -> None:
    code, kept = flows.ask("POST", "/assets?name=me.png", picture(5), {"Content-Type": "image/png"})
    (file,) = kept["files"]
    assert code == 201 and file["medium"] == "image" and file["asset"].startswith("asset://")
    path = "/assets/" + file["asset"].removeprefix("asset://")
    assert flows.ask("GET", path, None, {"Range": "bytes=0-3"}) == (206, picture(5)[:4])
    assert flows.ask("GET", f"{path}/thumbnail")[1][:4] == b"RIFF"
    assert flows.ask("GET", "/assets/..%2F..%2Fetc%2Fpasswd")[0] == 404


def test_a_page_that_calls_itself_a_picture_is_no_picture(flows: Builder) -> None:
    _, kept = flows.ask("POST", "/assets", b"<html><script>alert(1)</script>", {"Content-Type": "image/png"})
    (file,) = kept["files"]
    assert (file["medium"], file["mime"]) == ("file", "application/octet-stream")


def test_what_is_live_comes_as_events(flows: Builder) -> None:
    run_id = flows.run(STORY)
    with urllib.request.urlopen(f"{flows.url}/workflow/{run_id}/events", timeout=20) as stream:
        told = stream.read().decode()
    events = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: {") and line != "data: {}"]
    assert events[-1]["status"] == "completed" and told.rstrip().endswith("data: {}")


def test_node_types_are_described(flows: Builder) -> None:
    found = flows.ask("GET", "/node-types")[1]["nodeTypes"]
    assert len(found) == 18
    image = next(t for t in found if t["type"] == "text_to_image")
    assert image["settings"]["properties"]["aspectRatio"]["enum"] and [p["configured"] for p in image["providers"]] == [False, False, True]


def test_validation_names_every_problem_before_anything_runs(flows: Builder) -> None:
    code, answer = flows.ask("POST", "/workflow/validate", {"nodes": [node("a", "image_to_video"), node("b", "nope")]})
    assert code == 200 and not answer["valid"]
    assert {(p["nodeId"], p["field"]) for p in answer["problems"]} == {("a", "imageUrl"), ("b", "type")}
