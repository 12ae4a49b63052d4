"""The official Java client, unmodified: its clients, builder, annotated workers and task runner. The stories are in java/src/main/java/stories/."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from official import HERE, Outcome, check, no_fault_in, play, ready, stories_in
from serving import serve

FOLDER = HERE / "java"
CLIENT = "org.conductoross:conductor-client 6.0.0"
LEVEL = 21  # the client's classes are compiled for it
STORIES = stories_in(FOLDER / "src/main/java/stories/Stories.java", r"^    public void (\w+)\(")


def java_home() -> Path:
    """A JDK that is recent enough; skips when there is none."""
    compilers = [*sorted(Path("/usr/lib/jvm").glob("*/bin/javac")), *(Path(found).resolve() for found in [shutil.which("javac")] if found)]
    for compiler in compilers:
        said = subprocess.run([compiler, "-version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"\d+", said)
        if version and int(version[0]) >= LEVEL:
            return compiler.parents[1]
    pytest.skip(f"{CLIENT} is NOT TESTED: there is no JDK {LEVEL} or later on this machine, but {[str(c.parents[1]) for c in compilers]}")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What the client told of a server of its own."""
    home = java_home()
    build = ["mvn", "--quiet", "--batch-mode", "compile", "dependency:copy-dependencies"]
    place = ready(CLIENT, "java", [build], copied=FOLDER, extra={"JAVA_HOME": str(home)})
    data = tmp_path_factory.mktemp("java")
    with serve(data) as server:
        outcomes = play([str(home / "bin" / "java"), "-cp", "target/classes:target/dependency/*", "stories.Stories", server.url], place)
    no_fault_in(data / "server.log")
    return outcomes


@pytest.mark.parametrize("story", STORIES)
def test_java_client(told: dict[str, Outcome], story: str) -> None:
    check(told, story)
