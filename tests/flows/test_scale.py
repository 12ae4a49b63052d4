"""Four Flow Builders over one orchestrator and one directory: flows started at two of them, done by all four, nothing twice and nothing forgotten."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from flowkit import node, ref, text
from processes import Process, Site, engine, flow_builder, free_port, until
from provider_fake import Providers, providers

from batuta.client import SyncClient

FLOWS, PICTURES, PROCESSES = 20, 3, 4
pytestmark = pytest.mark.timeout(900)  # five processes beside whatever else runs


def a_flow(number: int) -> list[object]:
    return [
        node("words", "text_to_text", prompt=f"flow {number}", provider="openai"),
        node("pictures", "text_to_image", prompt=[text(f"flow {number}, picture {i}: ", ref("words", "text")) for i in range(PICTURES)], provider="fal"),
        node("voice", "text_to_speech", text=text(f"flow {number}: ", ref("words", "text")), provider="fal"),
        node("title", "text_to_text", prompt=text(f"flow {number}: ", ref("voice", "text")), provider="local", after=["pictures"]),
    ]


def expected() -> Counter[str]:
    """What the providers are to be asked for, each once."""
    words = [f"flow {n}" for n in range(FLOWS)]
    pictures = [f"flow {n}, picture {i}: {SAID}" for n in range(FLOWS) for i in range(PICTURES)]
    return Counter([*words, *pictures, *(f"flow {n}: {SAID}" for n in range(FLOWS))])


SAID = "Once upon a time."


def sent(world: Providers) -> Counter[str]:
    return Counter(str(b.get("prompt") or b.get("input") or b["messages"][-1]["content"]) for b in (one.body for one in world.submitted()))


def test_twenty_flows_at_two_backends_with_four_workers(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    engine_port = free_port()
    url = f"http://127.0.0.1:{engine_port}/api"
    with providers() as world:
        world.said = SAID
        keys = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{world.url}/v1", "FAL_KEY": "k", "FAL_QUEUE_URL": world.url, "CONDUCTOR_URL": url}
        keys["FLOWS_LOST_AFTER_S"] = "30"
        sites = [Site(free_port()) for _ in range(PROCESSES)]
        builders = [
            flow_builder(site.port, tmp_path / f"b{i}", {**keys, "WORKER_ID": f"worker-{i}"}, data=tmp_path / "data") for i, site in enumerate(sites)
        ]
        everything: list[Process] = [engine(engine_port, tmp_path / "e"), *builders]
        try:
            everything[0].start()
            for process in builders:
                process.begin()
            for process in builders:
                process.answers()
            play(world, sites[:2], url)
        finally:
            world.let_go()
            for process in everything:
                process.kill()


def play(world: Providers, sites: list[Site], url: str) -> None:
    runs = [sites[i % 2].run(a_flow(i)) for i in range(FLOWS)]
    # nobody watches them: what is known of their ends comes from the backends' own looking
    until(lambda: [run["status"] for run in sites[1].get("/workflow/history")] == ["completed"] * FLOWS, "all runs are in the history, completed")
    for site in sites:
        history = site.get("/workflow/history")
        assert sorted(run["workflowId"] for run in history) == sorted(runs)
        assert all(len(run["results"]) == 4 and run["endTime"] for run in history)
    assert sent(world) == expected()
    with SyncClient(url) as client:
        tasks = [task for run in runs for task in client.get_workflow(run).tasks if task.json["taskType"] in ("text_to_text", "text_to_image", "text_to_speech")]
    assert Counter(task.status for task in tasks) == {"COMPLETED": FLOWS * (3 + PICTURES)} and all(task.retry_count == 0 for task in tasks)
    assert len({task.json["workerId"] for task in tasks}) > 1
    cancelled_from_the_other(world, *sites)


def cancelled_from_the_other(world: Providers, one: Site, other: Site) -> None:
    world.looks, before = 10**6, len(world.jobs)
    run_id = one.run([node("a", "text_to_image", prompt="never", provider="fal")])
    job = f"job-{before + 1}"
    until(lambda: world.jobs.get(job), "the job is asked for")
    other.post(f"/workflow/{run_id}/cancel")
    assert world.cancelled == [job]
    assert [site.status(run_id)["status"] for site in (one, other)] == ["cancelled", "cancelled"]
    assert other.get("/workflow/history")[0]["status"] == "cancelled"
