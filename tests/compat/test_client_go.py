"""The official Go SDK, unmodified: its clients, builder, executor and task runner. The stories are in go/main.go."""

from __future__ import annotations

import pytest
from official import CACHE, HERE, Outcome, check, no_fault_in, play, ready, stories_in
from serving import serve

FOLDER = HERE / "go"
CLIENT = "github.com/conductor-sdk/conductor-go v1.5.4"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What the SDK told of a server of its own."""
    place = ready(CLIENT, "go", [["go", "build", "-o", "stories", "."]], copied=FOLDER, extra={"CGO_ENABLED": "0"})
    data = tmp_path_factory.mktemp("go")
    with serve(data) as server:
        outcomes = play([str(CACHE / "go" / "stories"), server.url], place)
    no_fault_in(data / "server.log")
    return outcomes


@pytest.mark.parametrize("story", stories_in(FOLDER / "main.go", r'^	\{"(\w+)", \w+\},$'))
def test_go_sdk(told: dict[str, Outcome], story: str) -> None:
    check(told, story)
