"""`batuta queue`: what waits, and who takes it."""

from __future__ import annotations

from clistage import Batuta, single

from batuta.cli import queue
from batuta.testing import EmbeddedServer


def test_no_queue_is_said_so(batuta: Batuta) -> None:
    assert "There are no queues yet" in batuta("queue", "list").err
    assert "No queue has tasks waiting" in batuta("queue", "list", "--waiting").err


def test_a_queue_nobody_serves_stands_out(server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_workflow(single())
    server.client.start_workflow("single")
    server.client.poll_task("other", worker_id="host7", domain="north")
    lines = {line.split()[1]: line for line in batuta("queue", "list").lines[1:]}
    assert lines["step"].startswith("!") and "never" in lines["step"] and lines["step"].endswith("no worker")
    assert "host7" in lines["north:other"] and "no worker" not in lines["north:other"]
    assert [one["queue"] for one in batuta("queue", "list", "--waiting", "--json").json] == ["step"]


#       waiting  seconds since the last poll (None: never)  unserved
def test_a_queue_is_unserved_when_something_waits_and_nobody_came_lately() -> None:
    now = 1_700_000_000_000
    for waiting, since, unserved in ((0, None, False), (0, 3600, False), (3, None, True), (3, 10, False), (3, 61, True)):
        one = {"queue": "q", "waiting": waiting, "lastPollTime": 0 if since is None else now - since * 1000}
        assert queue.is_unserved(one, now) is unserved
