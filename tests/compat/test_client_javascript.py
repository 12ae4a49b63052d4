"""The official JavaScript client, unmodified: its builders, executor, TaskManager and decorated workers. The stories are in javascript/stories.mjs."""

from __future__ import annotations

import pytest
from official import HERE, Outcome, check, no_fault_in, play, ready, stories_in
from serving import serve

FOLDER = HERE / "javascript"
CLIENT = "@io-orkes/conductor-javascript 4.0.0"
RECENT = "if (parseInt(process.versions.node) < 18) throw new Error(`node ${process.version} is too old; the client needs 18`)"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What the client told of a server of its own."""
    place = ready(CLIENT, "javascript", [["node", "-e", RECENT], ["npm", "ci", "--silent"]], copied=FOLDER)
    data = tmp_path_factory.mktemp("javascript")
    with serve(data) as server:
        outcomes = play(["node", "stories.mjs", server.url], place)
    no_fault_in(data / "server.log")
    return outcomes


@pytest.mark.parametrize("story", stories_in(FOLDER / "stories.mjs", r"^  async (\w+)\(sdk\) \{"))
def test_javascript_client(told: dict[str, Outcome], story: str) -> None:
    check(told, story)
