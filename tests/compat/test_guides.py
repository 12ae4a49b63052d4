"""
Every API command of the users' guide to operations runs as it is written, against a real server with the firmware application's definitions.

The commands are in guides/operations.txt; those of the Flow Builder's guide are in tests/flows/guide.txt. What is put in: ports and folders of this test,
the device twin for the device, and ids where the guide says `<…>`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from serving import Served, serve

from batuta_firmware.definitions import FOLDER
from batuta_firmware.twin import Twin

GUIDES = Path(__file__).with_name("guides")
REFERENCE = "/Users/spectrasynq/Workspace_Management/Software/K1.node1/docs/06-reference/firmware-ci-cd-workflow.json"
DEVICE = "http://192.168.1.104"
RESTORES = "on an empty server"  # a command of this heading has a server of its own


class Command(NamedTuple):
    """One command: where it stands, what is typed, what the answer contains; or what it waits for."""

    heading: str
    text: str
    says: str
    waits: str


def commands(guide: str) -> Iterator[Command]:
    """The commands of a guide in their order."""
    for block in (GUIDES / f"{guide}.txt").read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, rest = block.strip().partition("\n")
        typed, _, last = rest.rpartition("\n")
        if last.startswith("waits: "):
            yield Command(heading, typed, "", last.removeprefix("waits: "))
        else:
            assert last.startswith("->"), f"{guide}: {heading} ends with {last!r}"
            yield Command(heading, typed, last.removeprefix("->").strip(), "")


def typed(command: Command, server: Served, folder: Path, ids: dict[str, str]) -> str:
    """The answer to the command; an error when it fails, as it does at any status from 400 on."""
    if command.text.startswith(f"curl {DEVICE}"):
        with Twin(folder / command.heading) as twin:  # a new one each time, as it answers only once in a while
            return typed(command._replace(text=command.text.replace(DEVICE, twin.url)), server, folder, ids)
    text = command.text.replace("localhost:8080", f"localhost:{server.port}")
    text = text.replace("/tmp/", f"{folder}/")  # before a path of ours is put in, which may lie there too
    text = text.replace(REFERENCE, str(FOLDER / "original" / "workflows" / "firmware-ci-cd-pipeline.json"))
    for name in ("<workflow-id-from-response>", "<failed-workflow-id>", "{workflowId}"):
        text = text.replace(name, ids.get("WORKFLOW_ID", ""))
    settings = {**os.environ, **ids, "CURL_HOME": str(folder), "no_proxy": "*"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command.heading}: {done.stdout}{done.stderr}"
    assert command.says in done.stdout, f"{command.heading}: {done.stdout[:1000]}"
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands are typed: with the files that they name, and curl told to fail when the server refuses."""
    place = tmp_path / "typed"
    place.mkdir()
    (place / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    shutil.copyfile(FOLDER / "tasks.json", place / "task-definitions.json")
    return place


def test_the_operations_guide(folder: Path, tmp_path: Path) -> None:
    ids: dict[str, str] = {}
    for name in ("first", "empty"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "first") as server, serve(tmp_path / "empty") as empty:
        for command in commands("operations"):
            if command.waits:
                continue
            if command.heading.startswith("8.3 Trigger"):  # the guide takes it for granted
                handler = json.loads((FOLDER / "workflows" / "deployment-rollback-handler.json").read_text())
                (folder / "handler.json").write_text(json.dumps(handler))
                given = "curl -X POST http://localhost:8080/api/metadata/workflow -H 'Content-Type: application/json' -d @handler.json"
                typed(Command("the handler", given, "", ""), server, folder, ids)
            answer = typed(command, empty if command.heading.endswith(RESTORES) else server, folder, ids)
            if command.heading.startswith("8.2 Start"):
                ids["WORKFLOW_ID"] = answer.strip()
        restored, backup = empty.get("/metadata/workflow"), json.loads((folder / "workflows-backup.json").read_text())
        assert [one["name"] for one in restored] == [one["name"] for one in backup] and len(restored) == 2
        assert server.get(f"/workflow/{ids['WORKFLOW_ID']}")["status"] == "RUNNING", "it was terminated, then restarted"


def test_everything_that_is_asked_of_conductor_itself_runs() -> None:
    listed = list(commands("operations"))
    assert len(listed) > 5 and not [command.heading for command in listed if command.waits and ":8080" in command.text]
