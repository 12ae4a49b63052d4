"""The commands of the guides to events and schedules, run against a server as they are written."""

from __future__ import annotations

import json
import re
import shlex
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.testing import embedded

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
PATIENCE_S = 10.0


@pytest.fixture
def root() -> Iterator[str]:
    """Where a server of its own answers."""
    with embedded() as server:
        yield server.url.removesuffix("/api")


def commands(guide: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (HOWTO / guide).read_text(), re.MULTILINE | re.DOTALL)
    return [command for block in blocks for command in re.split(r"\n(?=curl )", block) if command.strip()]


def run(root: str, command: str) -> Any:
    """What a curl line is answered with; a refusal raises."""
    words = iter(shlex.split(command)[1:])
    method, target, body = "GET", "", None
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-d":
                body = next(words).encode()
            case "-H":
                assert next(words) == "content-type: application/json"
            case _:
                target = root + word.removeprefix("localhost:8080")
    request = urllib.request.Request(target, body, {"content-type": "application/json"} if body else {}, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        text = answer.read().decode()
        return json.loads(text) if answer.headers.get_content_type() == "application/json" else text


def test_every_command_of_the_guide_to_schedules_works(root: str) -> None:
    answers = [run(root, command) for command in commands("schedules.md")]
    assert answers[1]["nextRunTime"] == answers[2][0] and len(answers[2]) == 5


def test_every_command_of_the_guide_to_schemas_works(root: str) -> None:
    answers = [run(root, command) for command in commands("schemas.md")]
    assert answers[1]["data"]["properties"]["to"] == {"$ref": "schema:address"}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        run(root, """curl -X POST localhost:8080/api/workflow/send -H 'content-type: application/json' -d '{"to": {}}'""")


def test_every_command_of_the_guide_to_events_works_and_the_handler_acts(root: str) -> None:
    for command in commands("events.md"):
        run(root, command)
    begun, history = time.monotonic(), next(command for command in commands("events.md") if "executions" in command)
    while not (found := run(root, history)["results"]):
        assert time.monotonic() < begun + PATIENCE_S, "the handler has not acted"
    started = run(root, f"curl localhost:8080/api/workflow/{found[0]['output']['workflowId']}")
    assert started["input"]["who"] == "Ada" and started["event"] == "conductor:orders:placed"
