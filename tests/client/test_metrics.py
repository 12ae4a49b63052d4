"""Counters, their text, and the port they are scraped from."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from client_stage import Play, ended, until
from conductor_fake import ConductorFake

from batuta.client import MetricsServer, WorkerHost, WorkerMetrics, worker


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = WorkerMetrics()
    metrics.polls.add("mac:flash", "tasks")
    metrics.polls.add("mac:flash", "tasks", by=2)
    metrics.polls.add('q"\\\n', "empty")
    for seconds in (0.004, 0.005, 0.3, 10_000):
        metrics.seconds.observe(seconds, "flash")
    lines = metrics.render().splitlines()
    assert "# TYPE batuta_worker_polls_total counter" in lines
    assert 'batuta_worker_polls_total{queue="mac:flash",outcome="tasks"} 3' in lines
    assert 'batuta_worker_polls_total{queue="q\\"\\\\\\n",outcome="empty"} 1' in lines
    buckets = [line for line in lines if line.startswith("batuta_worker_task_seconds_bucket")]
    assert [line.rpartition(" ")[2] for line in buckets] == ["2", "2", "2", "3", "3", "3", "3", "3", "3", "3", "4"]
    assert 'batuta_worker_task_seconds_bucket{task_type="flash",le="0.005"} 2' in lines
    assert 'batuta_worker_task_seconds_bucket{task_type="flash",le="+Inf"} 4' in lines
    assert 'batuta_worker_task_seconds_sum{task_type="flash"} 10000.309' in lines
    assert "batuta_worker_reports_pending 0" in lines
    assert (metrics.polls.value("mac:flash", "tasks"), metrics.polls.total(), metrics.seconds.count("flash")) == (3, 4, 4)


def test_a_host_is_scraped_while_it_works(fake: ConductorFake, play: Play) -> None:
    @worker("job")
    async def job() -> None: ...

    tasks = [fake.put_task("job") for _ in range(3)]

    async def scene(host: WorkerHost) -> tuple[int, str]:
        await ended(fake, *tasks)
        await until(fake, lambda: host.metrics.reports.value("sent") == 3)
        assert host.metrics_server is not None
        port = host.metrics_server.port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            text = answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/other", timeout=10)
        return port, text

    (port, text), _ = play([job], scene, metrics_port=0)
    assert 'batuta_worker_tasks_total{task_type="job",status="COMPLETED"} 3' in text
    assert "batuta_worker_server_up 1" in text
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)


def test_a_taken_port_is_said_at_the_start() -> None:
    server = MetricsServer(WorkerMetrics(), 0)
    try:
        with pytest.raises(OSError):
            MetricsServer(WorkerMetrics(), server.port)
    finally:
        server.close()
