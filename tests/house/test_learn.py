"""
Pages that are followed step by step.

The tutorial is typed in from top to bottom: its `sh` blocks run in one shell, in an empty directory, against the server that they start. Only the ports are
changed, by the environment. Where a person would see that the server is up, the test waits until it answers.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pages import DOCS, blocks

from batuta.testing import embedded

READY_S = 30.0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + READY_S
    while not condition():
        assert time.monotonic() < end, f"{what} within {READY_S:g} s"
        time.sleep(0.02)


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def test_the_first_workflow_runs_as_typed(tmp_path: Path) -> None:
    port = free_port()
    typed = [block.text for block in blocks(DOCS / "learn" / "first-workflow.md") if block.language == "sh"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ports = {"BATUTA_PORT": str(port), "BATUTA_UI_PORT": "0", "BATUTA_URL": f"http://127.0.0.1:{port}/api"}
    with (tmp_path / "printed").open("w+b") as printed:
        shell = subprocess.Popen(
            ["bash", "-eu"], stdin=subprocess.PIPE, stdout=printed, stderr=printed, cwd=tmp_path, start_new_session=True,
            env={**os.environ, **ports, "PATH": path, "HOME": str(tmp_path), "NO_COLOR": "1"},
        )  # fmt: skip
        assert shell.stdin is not None
        try:
            for number, block in enumerate(typed):
                done = tmp_path / f"done-{number}"
                shell.stdin.write(f"{block}: > '{done}'\n".encode())
                shell.stdin.flush()
                until(lambda done=done: done.exists() or shell.poll() is not None, f"block {number} did not end")  # type: ignore[misc]
                if "batuta server" in block:
                    until(lambda: answers(port), f"no server answered on port {port}")
            shell.stdin.close()
            code = shell.wait(60)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, 9)
                shell.wait()
    said = (tmp_path / "printed").read_text()
    assert code == 0, said
    assert "greeting v1  created" in said
    assert said.count("COMPLETED") >= 3, said
    assert "Hello, Bo!" in said, said


def test_a_backup_made_as_the_page_says_is_a_store_to_go_on_from(tmp_path: Path) -> None:
    page = [block.text for block in blocks(DOCS / "howto" / "run-in-production.md")]
    backing_up, restoring = (next(text for text in page if text.startswith(start)) for start in ("batuta backup", "batuta restore"))
    (tmp_path / "backups").mkdir()

    def run(commands: str) -> None:
        here = re.sub(r"^batuta ", f"{sys.executable} -m batuta ", commands, flags=re.MULTILINE)
        here = here.replace("/backups", f"{tmp_path}/backups").replace("/var/lib/batuta", f"{tmp_path}/data")
        subprocess.run(["bash", "-ec", here], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)

    with embedded(store=f"sqlite:///{tmp_path}/data/batuta.db", data=str(tmp_path / "data")) as server:
        server.client.register_workflow({"name": "w", "tasks": [{"name": "t", "taskReferenceName": "t"}]})
        execution_id = server.client.start_workflow("w")
        run(backing_up)
        server.do("t")
    (named_by_time,) = (tmp_path / "backups").glob("batuta-*.db")
    run(restoring.replace("batuta-20260314T030000.db", named_by_time.name))
    with embedded(store=f"sqlite:///{tmp_path}/data/batuta.db") as server:
        assert server.client.get_workflow(execution_id).status == "RUNNING"
        server.do("t")
        assert server.wait(execution_id).status == "COMPLETED"
