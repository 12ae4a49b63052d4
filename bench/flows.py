"""
What the Flow Builder costs: compiling a flow, and what it adds to the work of its nodes. All on this machine, offline.

    python -m bench flows [--nodes N] [--runs N]

compile   a chain, branches of ten, and a stream (nodes over one list whose items do not wait) of N nodes, in this process: milliseconds, best of five
chain     N text nodes one after another, by `batuta flows` with its own engine in a process of its own: milliseconds a node, from the run's start to its
          end as the run itself says. The work of a node is writing one short text: what is measured is polling, handing out, reporting, remembering.
wide      the same nodes in branches of ten

Never beside other measurements: client, backend, workers and engine share the cores.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.request
from typing import Any

from bench.subject import Subject, free_port

COMPILE_MS, NODE_MS = 50.0, 15.0  # the bars
LOOK_S = 0.25
RUN_S_MAX = 300  # only a fault takes so long


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench flows", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=200, help="nodes of the flow")
    parser.add_argument("--runs", type=int, default=3, help="runs of each case; the best counts, all are shown")
    asked = parser.parse_args(arguments)
    cases = {"chain": chain(asked.nodes, asked.nodes), "wide": chain(asked.nodes, 10)}
    print(f"{'':34}{'found':>10}{'bar':>8}")
    missed = 0
    for name, nodes in {**cases, "stream": stream(asked.nodes)}.items():
        missed += _told(f"compile, {name}, {asked.nodes} nodes (ms)", compiled_ms(nodes), COMPILE_MS)
    subject = builder().start()
    try:
        for name, nodes in cases.items():
            each = [run_ms(subject.port, nodes, f"{name} {i}") / asked.nodes for i in range(asked.runs)]
            missed += _told(f"{name}, a node (ms)", min(each), NODE_MS, f"   all: {', '.join(f'{one:.1f}' for one in each)}")
    finally:
        subject.stop()
    return 1 if missed else 0


def chain(count: int, length: int) -> list[Any]:
    """So many text nodes, in chains of this length."""
    reference = lambda i: {"_type": "reference", "nodeId": f"node-{i}", "outputKey": "text"}  # noqa: E731
    return [
        {"id": f"node-{i}", "type": "text_to_text", "config": {"prompt": f"word {i}", "systemPrompt": reference(i - 1)} if i % length else {"prompt": "word"}}
        for i in range(count)
    ]


def stream(count: int) -> list[Any]:
    """So many text nodes over one list, each taking what the one before has made of the item."""
    found = chain(count, count)
    for node in found:
        node["execution"] = {"waitForAll": False}
    found[0]["config"]["prompt"] = ["one", "two", "three"]
    return found


def compiled_ms(nodes: list[Any]) -> float:
    """Milliseconds from the document to the definition, checks included."""
    from batuta_flows.compiler import compile_flow
    from batuta_flows.document.flow import read_flow

    found = []
    for _ in range(5):
        began = time.perf_counter()
        compile_flow(read_flow({"workflowName": "Bench", "nodes": nodes}))
        found.append(time.perf_counter() - began)
    return 1000 * min(found)


def builder() -> Subject:
    """A Flow Builder with an engine of its own, without any key."""
    port, engine = free_port(), free_port()
    command = [sys.executable, "-m", "batuta", "flows", "--port", str(port), "--engine-port", str(engine), "--engine-ui-port", "0", "--data", "data"]
    for name in ("CONDUCTOR_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "FAL_KEY", "CONTENT_SERVICE_URL"):
        os.environ.pop(name, None)
    return Subject("flows", command, port, "/health", 60)


def run_ms(port: int, nodes: list[Any], word: str) -> float:
    """Milliseconds a run of these nodes took. *word*: makes its texts others than those of the run before, so that none is remembered."""
    for node in nodes:
        node["config"]["prompt"] = f"{node['id']} {word}"
    run_id = _ask(port, "POST", "/workflow/run", {"workflowName": "Bench", "nodes": nodes})["workflowId"]
    end = time.monotonic() + RUN_S_MAX
    while time.monotonic() < end:
        time.sleep(LOOK_S)
        (found,) = [one for one in _ask(port, "GET", "/workflow/history?limit=9")["runs"] if one["workflowId"] == run_id]
        if found["status"] == "completed":
            return float(found["durationMs"])
        if found["status"] != "running":
            raise RuntimeError(f"the run is {found['status']}: {found['error']}")
    raise RuntimeError(f"the run {run_id} has not ended within {RUN_S_MAX} s")


def _ask(port: int, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def _told(label: str, found: float, bar: float, more: str = "") -> int:
    """Print a figure beside its bar; 1 when it is missed."""
    print(f"{label:34}{found:>10.1f}{bar:>8g}{'' if found <= bar else '  missed'}{more}", flush=True)
    return int(found > bar)
