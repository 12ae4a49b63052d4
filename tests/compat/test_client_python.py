"""
The official Python SDK, unmodified, in the versions people run: the last that speaks through requests, the last of the 1.x line, and 2.x.

The stories are in python_sdk/stories.py and resources.py. Each version has a virtual environment and a server of its own.
"""

from __future__ import annotations

import sys

import pytest
from official import HERE, Outcome, check, no_fault_in, play, ready, stories_in
from serving import serve

VERSIONS = ("1.1.10", "1.5.1", "2.0.0")
FOLDER = HERE / "python_sdk"


@pytest.fixture(scope="module", params=VERSIONS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What one version of the SDK told of a server of its own."""
    version: str = request.param
    pip = ["bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"conductor-python=={version}"]
    place = ready(f"conductor-python {version}", f"python-{version}", [[sys.executable, "-m", "venv", "."], pip], key=version)
    data = tmp_path_factory.mktemp("python")
    with serve(data) as server:
        outcomes = play([str(place / "bin" / "python"), "stories.py", server.url], FOLDER)
    no_fault_in(data / "server.log")
    return outcomes


@pytest.mark.parametrize("story", [story for file in ("stories.py", "resources.py") for story in stories_in(FOLDER / file, r"^def (story_\w+)\(")])
def test_python_sdk(told: dict[str, Outcome], story: str) -> None:
    check(told, story)
