"""
The JSON of the documentation works: definitions register and run, and end as the table under them says.

A page has a server of its own; its task definitions and event handlers are registered first, then its workflows. How a table reads: pages.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, Block, blocks, pages

from batuta.testing import EmbeddedServer, embedded

TERMINAL = ("COMPLETED", "FAILED", "TERMINATED", "TIMED_OUT")
TASKS = sorted((DOCS / "reference" / "tasks").glob("*.md"))
WITH_JSON = [page for page in pages() if page.exists() and any(block.language == "json" for block in blocks(page))]
SECONDS = {"s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400}
STEPS = (
    (re.compile(r"`([^`]+)` answers `(.+)`"), "answer"),
    (re.compile(r"`([^`]+)` fails: (.+)"), "fail"),
    (re.compile(r"`([^`]+)` fails for good: (.+)"), "fail_for_good"),
    (re.compile(r"`([^`]+)` is reported `(.+)`"), "report"),
    (re.compile(r"()`(.+)` is pushed"), "push"),
    (re.compile(r"(\d+) (s|min|h|days?) pass(?:es)?"), "pass_time"),
)


@pytest.mark.parametrize("page", WITH_JSON, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_as_it_says(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_ENV_REGION", "eu")  # as the page about expressions assumes
    of_kind: dict[str, list[Block]] = {}
    for block in blocks(page):
        if block.language == "json":
            of_kind.setdefault(block.kind, []).append(block)
    if not of_kind.keys() - {"other"}:
        return
    with embedded() as server:
        for block in of_kind.get("tasks", []):
            server.client.register_task_defs(block.value)
        for block in of_kind.get("handler", []):
            server.client.request("POST", "/event", body=block.value)
        for block in of_kind.get("node", []):
            # A lone task may speak of others: names are looked at in registered workflows only, so the references are given here.
            around = [{"name": ref, "taskReferenceName": ref, "type": "NOOP"} for ref in _foreign(block)]
            server.client.register_workflow({"name": "around", "tasks": [*around, block.value]}, overwrite=True)
        for block in of_kind.get("workflow", []):
            server.client.register_workflow(block.value, overwrite=True)
        for block in of_kind.get("workflow", []):
            for row in block.runs:
                _play(server, block, row)


@pytest.mark.parametrize("page", [page for page in TASKS if page.stem != "README"], ids=lambda page: page.stem)
def test_every_node_type_has_an_example_that_runs(page: Path) -> None:
    played = [block for block in blocks(page) if block.language == "json" and block.kind == "workflow" and block.runs]
    assert played, f"{page.name} has no workflow with a table of runs; see tests/house/pages.py"
    kind = page.read_text().partition("\n")[0].removeprefix("# ")
    assert any(f'"type": "{kind}"' in block.text for block in played), f"no example of {page.name} has a task of type {kind}"


def _foreign(block: Block) -> set[str]:
    named = set(re.findall(r"\$\{(\w+)\.", block.text)) - {"workflow", block.value["taskReferenceName"]}
    return named


def _play(server: EmbeddedServer, block: Block, row: dict[str, str]) -> None:
    told = f"{block.where}, run {row}"
    given = json.loads(row["input"].strip("`").replace("localhost:8080", f"127.0.0.1:{server.port}") or "{}")
    execution_id = server.client.start_workflow(block.value["name"], given, version=block.value.get("version"))
    for step in filter(None, (part.strip() for part in row["meanwhile"].split("; "))):
        found = next(((what, match) for pattern, what in STEPS if (match := pattern.fullmatch(step))), None)
        assert found, f"{told}: {step!r} is no step; see tests/house/test_examples.py"
        _step(server, execution_id, found[0], *found[1].groups())
    if row["ends"] in TERMINAL:
        execution = server.wait(execution_id)
    else:
        server.clock.settle()
        execution = server.client.get_workflow(execution_id)
        server.client.terminate(execution_id)  # its tasks are not for the next run
    assert execution.status == row["ends"], f"{told}: it is {execution.status}: {execution.reason}"
    if row["output"].startswith("reason: "):
        assert row["output"].removeprefix("reason: ").strip("`") in (execution.reason or ""), f"{told}: {execution.reason!r}"
    elif row["output"]:
        assert execution.output == json.loads(row["output"].strip("`")), told


def _step(server: EmbeddedServer, execution_id: str, what: str, first: str, second: str) -> None:
    if what == "pass_time":
        server.clock.advance(seconds=int(first) * SECONDS[second])
        return
    if what == "report":
        status, _, output = second.partition(" ")
        server.client.request("POST", f"/tasks/{execution_id}/{first}/{status}", body=json.loads(output or "{}"))
        return
    if what == "push":
        server.client.request("POST", f"/workflow/{execution_id}/messages", body=json.loads(second))
        return
    server.until(lambda: server.client.queue_sizes(first).get(first, 0))
    output: Any = json.loads(second) if what == "answer" else {}
    status = {"answer": "COMPLETED", "fail": "FAILED", "fail_for_good": "FAILED_WITH_TERMINAL_ERROR"}[what]
    server.do(first, output, status=status, reason=None if what == "answer" else second)  # type: ignore[arg-type]
