"""`batuta bench`: its figures are of a real load, and it tidies up."""

from __future__ import annotations

from pathlib import Path

from clistage import NOBODY, Batuta

from batuta.cli.failure import Exit
from batuta.testing import EmbeddedServer

SMALL = ("--sequential", "3", "--concurrent", "12", "--connections", "6")


def test_it_measures_a_server_and_leaves_nothing_on_it(server: EmbeddedServer, batuta: Batuta) -> None:
    found = batuta("bench", "--url", server.url, *SMALL, "--json").json
    assert found["url"] == server.url and found["latency"]["count"] == 3 and found["throughput"]["count"] == 12
    assert 0 < found["latency"]["p50_ms"] <= found["latency"]["p99_ms"] and found["throughput"]["per_s"] > 0
    assert server.client.list_workflow_defs() == []
    assert server.client.request("GET", "/admin/stats")["executions"] == 0


def test_without_a_url_it_measures_one_of_its_own(tmp_path: Path) -> None:
    ran = Batuta()("bench", *SMALL, "--data", str(tmp_path))
    assert ran.code == 0 and "a server of its own" in ran.out
    assert [line.split()[0] for line in ran.lines[2:]] == ["latency", "throughput"]
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_measured_says_so(server: EmbeddedServer) -> None:
    assert Batuta()("bench", "--url", NOBODY, *SMALL).code == Exit.UNREACHABLE
    assert Batuta()("bench", "--url", "https://127.0.0.1:1/api", *SMALL).code == Exit.USAGE
    wrong = Batuta()("bench", "--url", f"http://127.0.0.1:{server.port}/nothing", *SMALL)
    assert wrong.code == Exit.FAILED and "was answered 404" in wrong.err
