"""What the canvas asks the backend beside the original's routes: the runs of one flow, and what happened to a node, attempt by attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowkit import node, ref
from studio import Studio, broken, builder

Json = Any


def test_history_is_asked_for_one_flow(tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        nodes = [node("a", "text_to_text", prompt="a fox")]
        made = {flow_id: [flows.run(nodes, flowId=flow_id) for _ in range(3)] for flow_id in ("flow_1", "flow_2")}
        first = flows.ask("GET", "/workflow/history?flowId=flow_2&limit=2")[1]
        second = flows.ask("GET", f"/workflow/history?flowId=flow_2&limit=2&cursor={first['next']}")[1]
        found = [run["workflowId"] for page in (first, second) for run in page["runs"]]
        assert sorted(found) == sorted(made["flow_2"]) and second["next"] is None
        assert flows.ask("GET", "/workflow/history?flowId=flow_3")[1]["runs"] == []


def test_the_log_of_a_node_has_its_attempts_with_their_reasons_and_lines(tmp_path: Path) -> None:
    studio = Studio()
    studio.faults["/pic/1"] = [broken("the second one breaks")]
    nodes = [node("parts", "split_text", text="one. two. three."), node("pic", "text_to_image", prompt=ref("parts", "items"))]
    with builder(tmp_path, studio) as flows:
        run = flows.run(nodes)
        flows.ended(run)
        flows.ask("POST", f"/workflow/{run}/retry")
        flows.until(lambda: flows.status(run)["status"] == "completed")
        told = flows.ask("GET", f"/workflow/{run}/nodes/pic/log")[1]
        second = [attempt for attempt in told["attempts"] if attempt["item"] == 1]
        assert [attempt["status"] for attempt in second] == ["failed", "completed"]
        assert "the second one breaks" in second[0]["reason"]
        assert all(attempt["worker"] and attempt["endedAt"] >= attempt["startedAt"] > 0 for attempt in second)
        assert {attempt["item"] for attempt in told["attempts"]} == {0, 1, 2} and told["left"] == 0
        again = flows.run(nodes)
        flows.ended(again)
        lines = [line["text"] for attempt in flows.ask("GET", f"/workflow/{again}/nodes/pic/log")[1]["attempts"] for line in attempt["lines"]]
        assert lines == [f"the same inputs gave this in run {run}"] * 3


def test_the_log_of_an_unknown_run_is_404_and_of_an_unknown_node_empty(tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        assert flows.ask("GET", "/workflow/none/nodes/a/log")[0] == 404
        run = flows.run([node("a", "text_to_text", prompt="a fox")])
        assert flows.ask("GET", f"/workflow/{run}/nodes/b/log") == (200, {"attempts": [], "left": 0})
