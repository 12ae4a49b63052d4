"""`batuta worker`: a process of workers."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from clistage import NOBODY, Batuta, Program, single

from batuta.cli.failure import Exit
from batuta.testing import EmbeddedServer

MODULE = """
from batuta.client import worker


@worker("step", concurrency=3)
def step() -> dict:
    return {"done": True}


@worker("other")
async def other() -> dict:
    return {}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop_workers.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_works_until_told_to_stop(here: Path, server: EmbeddedServer) -> None:
    server.client.register_workflow(single())
    with Program("worker", "shop_workers", "--url", server.url, "--worker-id", "w1", "--concurrency", "2", "--concurrency", "other=5", cwd=here) as program:
        introduced = program.until("other")
        assert server.run("single").task("step").worker_id == "w1"
        program.process.send_signal(signal.SIGTERM)
        assert program.ended().code == 0
    rows = [line.split() for line in introduced.splitlines()[3:]]
    assert rows == [["step", "2", "thread"], ["other", "5", "event", "loop"]]


def test_it_polls_the_domain_it_is_told(here: Path, server: EmbeddedServer) -> None:
    with Program("worker", "shop_workers:step", "--url", server.url, "--domain", "north", "--log-json", cwd=here) as program:
        server.until(lambda: any(poll.get("domain") == "north" for poll in server.client.poll_data("step")))
        program.process.send_signal(signal.SIGINT)
        ended = program.ended()
    assert (ended.code, ended.out) == (0, "") and ended.err.startswith("{")


def test_a_metrics_port_that_is_taken_is_told_with_what_to_do(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Program("worker", "shop_workers", "--url", NOBODY, "--metrics-port", str(port), cwd=here) as program:
            ended = program.ended()
    assert ended.code == Exit.CONFLICT and f"port {port} is taken: another program listens there" in ended.err and "Traceback" not in ended.err
    assert f"choose another port: `batuta worker shop_workers --metrics-port {port + 1}`" in ended.err


#       arguments                                                complaint
WRONG = [
    (["nowhere_to_be_found"], "no module 'nowhere_to_be_found'"),
    (["shop_workers:nope"], "has no attribute 'nope'"),
    (["json"], "has no worker at its top level"),
    (["shop_workers", "--concurrency", "0"], "found '0', expected a number of at least 1"),
    (["shop_workers", "--concurrency", "flash=x"], "found 'flash=x'"),
    (["shop_workers", "--concurrency", "flash=2"], "--concurrency names 'flash'; the workers found are for: other, step"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "complaint"), WRONG)
def test_what_cannot_be_run_is_named(arguments: list[str], complaint: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(here)
    ran = Batuta(NOBODY)("worker", *arguments)
    assert ran.code == Exit.USAGE and complaint in " ".join(ran.err.split()), ran
