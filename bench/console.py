"""
The console's bars, in a headless Chromium on a real server: what a person waits for, in milliseconds.

    python -m bench console                      every figure; about three minutes, most of them for a hundred thousand executions
    python -m bench console --executions 10000   fewer of them
    python -m bench console --only open graph    of: load, open, graph, burst, search
    python -m bench console --json FILE          the figures as JSON

Needs the built console (make ui), playwright and a Chromium (CHROMIUM names another). Times count from the browser's own start of a navigation, or from the
key that was pressed, to the frame in which what was asked for is on the screen; the best and the median of --times runs, since other programs take time too.
Figures of the processor are those of the page's main thread alone, and hardly know of other programs: what it could do on a machine of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import shutil
import statistics
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.load import Load
from bench.subject import ours

TASKS, BRANCHES, UPDATES = 10_000, 1_000, 5_000
VIEW = {"width": 1280, "height": 800}
# What a figure is called, and its bar; smaller is better but for frames a second.
FIGURES = [
    ("load.gzip_kb", "first load, gzip (KB)", 350.0),
    ("load.shown_ms", "first load, shown (ms)", None),
    ("open.cold_ms", f"{TASKS:,} tasks, opened with nothing in the cache (ms)", 1000.0),
    ("open.warm_ms", f"{TASKS:,} tasks, opened again (ms)", 1000.0),
    ("open.cpu_ms", f"{TASKS:,} tasks, opened again, processor (ms)", None),
    ("open.fps", f"{TASKS:,} tasks, scrolled (frames/s)", 50.0),
    ("open.frame_cpu_ms", f"{TASKS:,} tasks, scrolled, processor a frame (ms)", 20.0),
    ("open.table_fps", f"{TASKS:,} tasks, their table scrolled (frames/s)", 50.0),
    ("graph.cold_ms", f"graph, {BRANCHES:,} branches, with nothing in the cache (ms)", 1000.0),
    ("graph.warm_ms", f"graph, {BRANCHES:,} branches, opened again (ms)", 1000.0),
    ("graph.cpu_ms", f"graph, {BRANCHES:,} branches, opened again, processor (ms)", None),
    ("watch.idle_requests", f"{TASKS:,} tasks run, nothing moves: requests a second", None),
    ("watch.idle_cpu_ms", f"{TASKS:,} tasks run, nothing moves: processor a second (ms)", None),
    ("watch.requests", f"{TASKS:,} tasks run, one a second ends: requests a second", None),
    ("watch.kb", f"{TASKS:,} tasks run, one a second ends: read a second (KB)", None),
    ("watch.cpu_ms", f"{TASKS:,} tasks run, one a second ends: processor a second (ms)", None),
    ("burst.longest_ms", f"burst of {UPDATES:,} updates, longest task of the tab (ms)", 200.0),
    ("burst.blocked_ms", f"burst of {UPDATES:,} updates, blocked beyond 50 ms in all (ms)", None),
    ("burst.requests", f"burst of {UPDATES:,} updates, requests of the tab", None),
    ("search.api_ms", "search, slowest kind, at the API (ms)", 300.0),
    ("search.shown_ms", "search, from Enter to rows (ms)", 300.0),
]
# Resolves with the time, since the navigation began, of the first frame in which the selector is there.
SEEN = """selector => new Promise(done => {
    const look = () => document.querySelector(selector) ? requestAnimationFrame(() => setTimeout(() => done(performance.now()))) : requestAnimationFrame(look);
    look();
})"""
# Scrolls by 600 pixels a frame for two seconds: frames a second, and the longest of them.
SCROLL = """async selector => {
    const list = document.querySelector(selector), began = performance.now();
    let frames = 0, last = began, longest = 0;
    for (let now = began; now < began + 2000; frames++) {
        list.scrollTop = (list.scrollTop + 600) % (list.scrollHeight - list.clientHeight);
        await new Promise(requestAnimationFrame);
        now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
    }
    return { fps: frames * 1000 / (last - began), frames, longest };
}"""
WATCH = """() => {
    window.tasks = [];
    new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(one => one.duration))).observe({ type: "longtask" });
}"""


def simple(ref: str, name: str = "step") -> dict[str, Any]:
    return {"name": name, "taskReferenceName": ref, "type": "SIMPLE"}


FAN = [
    {"name": "fan", "taskReferenceName": "fan", "type": "FORK_JOIN_DYNAMIC", "dynamicForkTasksParam": "tasks", "dynamicForkTasksInputParamName": "inputs",
     "inputParameters": {"tasks": "${workflow.input.tasks}", "inputs": "${workflow.input.inputs}"}},
    {"name": "join", "taskReferenceName": "join", "type": "JOIN"},
    simple("publish"),
]  # fmt: skip


class Stage:
    """A browser, a server, and what is on it."""

    def __init__(self, browser: Any, url: str, times: int) -> None:
        self.browser, self.url, self.times = browser, url, times
        self.load = Load(f"{url}/api")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api{path}", data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            found = answer.read()
        return json.loads(found) if found[:1] in (b"{", b"[") else found.decode()

    def define(self, name: str, tasks: list[dict[str, Any]]) -> None:
        self.ask("PUT", "/metadata/workflow", [{"name": name, "version": 1, "ownerEmail": "bench@example.com", "tasks": tasks}])

    def fanned(self, branches: int, kind: str) -> str:
        self.define("fanned", FAN)
        tasks = [simple(f"branch_{n}", "leaf") | {"type": kind} for n in range(branches)]
        return str(self.ask("POST", "/workflow/fanned", {"tasks": tasks, "inputs": {}}))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Load, beside the loop that Playwright runs in this thread."""
        with ThreadPoolExecutor(1) as other:
            other.submit(asyncio.run, work).result()

    def fresh(self) -> Any:
        """A page that has nothing in its cache, and is alone: one that is left open goes on asking, beside what is measured next."""
        for old in self.browser.contexts:
            old.close()
        return self.browser.new_context(viewport=VIEW).new_page()

    def visits(self, path: str, selector: str) -> tuple[dict[str, list[float]], Any, Callable[[], float]]:
        """Cold times, each in a fresh profile; warm times, and the processor's, in the last of these; the page as it was left, and its meter."""
        found: dict[str, list[float]] = {"cold_ms": [], "warm_ms": [], "cpu_ms": []}
        for _ in range(self.times):
            page = self.fresh()
            found["cold_ms"].append(self.visit(page, path, selector))
        meter = metered(page)
        for _ in range(self.times):
            found["warm_ms"].append(self.visit(page, path, selector))
            found["cpu_ms"].append(meter())  # counts from the navigation
        return found, page, meter

    def visit(self, page: Any, path: str, selector: str) -> float:
        page.goto(self.url + path, wait_until="commit")
        return float(page.evaluate(SEEN, selector))


def metered(page: Any) -> Callable[[], float]:
    """Tells the milliseconds that the page's main thread has computed since it navigated."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def tell() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) * 1000 for one in metrics if one["name"] == "TaskDuration")

    return tell


def opened(stage: Stage) -> dict[str, Any]:
    """An execution of ten thousand tasks: its timeline and its table."""
    started = stage.fanned(TASKS - 3, "NOOP")
    row = '[aria-label="Tasks in time"] button'
    found, page, meter = stage.visits(f"/execution/{started}", row)
    page.wait_for_timeout(1000)  # what came with the page has settled
    before = meter()
    scrolled = [page.evaluate(SCROLL, '[aria-label="Tasks in time"]') for _ in range(stage.times)]
    found["frame_cpu_ms"] = [(meter() - before) / sum(one["frames"] for one in scrolled)]
    stage.visit(page, f"/execution/{started}?view=tasks", '[role="table"] [role="row"]:nth-child(5)')
    table = [page.evaluate(SCROLL, '[role="table"] > div') for _ in range(stage.times)]
    rows = page.locator('[role="table"] [role="row"]').count()
    found["fps"], found["table_fps"] = [one["fps"] for one in scrolled], [one["fps"] for one in table]
    return {**found, "longest_frame_ms": [one["longest"] for one in scrolled], "table_rows": [rows]}


def graphed(stage: Stage) -> dict[str, Any]:
    """The graph of a fork of a thousand branches, which it shows as one node."""
    started = stage.fanned(BRANCHES, "SIMPLE")
    return stage.visits(f"/execution/{started}?view=graph", ".react-flow__node")[0]


WATCHED_S = 10


def watched(stage: Stage) -> dict[str, Any]:
    """What an open page of a running execution costs: while nothing about it changes, and while a task a second ends."""
    started = stage.fanned(TASKS, "SIMPLE")
    page = stage.fresh()
    stage.visit(page, f"/execution/{started}", '[aria-label="Tasks in time"] button')
    page.get_by_role("button", name="Live").wait_for()
    page.wait_for_timeout(2000)  # what came with the page has settled
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    meter = metered(page)
    found: dict[str, Any] = {}
    for kind in ("idle_", ""):
        answers.clear()
        before = meter()
        for _ in range(WATCHED_S):
            if not kind:
                [task] = stage.ask("GET", "/tasks/poll/batch/leaf?count=1")
                stage.ask("POST", "/tasks", {"workflowInstanceId": started, "taskId": task["taskId"], "status": "COMPLETED", "outputData": {"ok": True}})
            page.wait_for_timeout(1000)
        found[f"{kind}cpu_ms"] = [(meter() - before) / WATCHED_S]
        told = [one for one in answers if "/console/events" not in one.url]
        found[f"{kind}requests"] = [len(told) / WATCHED_S]
        found[f"{kind}kb"] = [sum(len(one.body()) for one in told) / 1024 / WATCHED_S]
    stage.ask("POST", f"/workflow/{started}/terminate")
    return found


def loaded(stage: Stage) -> dict[str, Any]:
    """Everything that comes with the first page, packed as gzip packs it."""
    page = stage.fresh()
    urls: set[str] = set()
    page.on("request", lambda request: urls.add(request.url))
    shown = stage.visit(page, "/", "h1")
    page.wait_for_load_state("networkidle")
    sizes = {}
    for url in urls:
        if "/api/" not in url and not url.startswith("data:"):
            with urllib.request.urlopen(urllib.request.Request(url, headers={"accept-encoding": "gzip"})) as answer:
                body = answer.read()
                sizes[url] = len(body) if answer.headers["content-encoding"] == "gzip" else len(gzip.compress(body))
    return {"gzip_kb": [sum(sizes.values()) / 1024], "files": [len(sizes)], "shown_ms": [shown]}


def burst(stage: Stage) -> dict[str, Any]:
    """Five thousand updates as fast as they can be made, half of the execution that is looked at, half of others in the list."""
    stage.define("brief", [{"name": "a", "taskReferenceName": "a", "type": "SET_VARIABLE", "inputParameters": {"n": "${workflow.input.n}"}}])
    found: dict[str, list[float]] = {"longest_ms": [], "blocked_ms": [], "requests": [], "seconds": []}
    for place in ("execution", "list"):
        started = stage.fanned(UPDATES, "SIMPLE")
        page = stage.fresh()
        stage.visit(page, f"/execution/{started}" if place == "execution" else "/executions", "[role=list] button, [role=table] [role=row]:nth-child(2)")
        page.get_by_role("button", name="Live").wait_for()
        page.evaluate(WATCH)
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        began = time.perf_counter()
        stage.run(_reported(stage) if place == "execution" else _started(stage))
        took = time.perf_counter() - began
        page.wait_for_timeout(1500)  # what the last of them still causes
        tasks = page.evaluate("window.tasks")
        found["longest_ms"].append(max(tasks, default=0))
        found["blocked_ms"].append(sum(max(one - 50, 0) for one in tasks))
        found["requests"].append(len(asked))
        found["seconds"].append(took)
        stage.ask("POST", f"/workflow/{started}/terminate")
    return {**found, "worst": True}


async def _reported(stage: Stage) -> None:
    """All tasks of the execution, by sixteen workers."""

    async def worker() -> None:
        conn = stage.load.conn()
        while tasks := json.loads(await stage.load.ask("GET", "/tasks/poll/batch/leaf?count=20&timeout=10", conn=conn) or b"[]"):
            for task in tasks:
                body = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED", "outputData": {"ok": True}}
                await stage.load.ask("POST", "/tasks", body, conn)

    await asyncio.gather(*(worker() for _ in range(16)))


async def _started(stage: Stage, many: int = UPDATES // 2) -> None:
    """So many executions that start and end by themselves, from sixteen connections."""
    left = iter(range(many))

    async def starter() -> None:
        conn = stage.load.conn()
        for n in left:
            body = {"name": "brief", "input": {"n": n, "customer": f"customer-{n % 977:03d}"}, "correlationId": f"order-{n:06d}"}
            await stage.load.ask("POST", "/workflow", body, conn)

    await asyncio.gather(*(starter() for _ in range(16)))


QUERIES = {
    "newest": {},
    "one status": {"query": "status = COMPLETED"},
    "few of a status": {"query": "status IN (FAILED,TIMED_OUT)"},
    "workflow": {"query": "workflowType = brief"},
    "correlation id": {"query": "correlationId = order-001234"},
    "no such id": {"query": "correlationId = order-none"},
    "time": {"query": "startTime > {hour_ago} AND status = COMPLETED"},
    "a word of many": {"freeText": "order"},
    "a word of some": {"freeText": "customer-123"},
    "a word of one": {"freeText": "order-001234"},
    "a word of none": {"freeText": "nowhere"},
    "page 100": {"start": "10000"},
    "a word and a status": {"freeText": "customer-123", "query": "status = COMPLETED"},
}


def searched(stage: Stage, executions: int) -> dict[str, Any]:
    """Every kind of search over so many executions, at the API and on the screen."""
    stage.define("brief", [{"name": "a", "taskReferenceName": "a", "type": "SET_VARIABLE", "inputParameters": {"n": "${workflow.input.n}"}}])
    began = time.perf_counter()
    stage.run(_started(stage, executions))
    print(f"  {executions:,} executions made in {time.perf_counter() - began:.0f} s", flush=True)
    hour_ago = int((time.time() - 3600) * 1000)
    kinds: dict[str, float] = {}
    for name, asked in QUERIES.items():
        given = {"sort": "startTime:DESC", "size": "100"} | {key: value.replace("{hour_ago}", str(hour_ago)) for key, value in asked.items()}
        took = []
        for _ in range(stage.times):
            before = time.perf_counter()
            stage.ask("GET", f"/workflow/search?{urllib.parse.urlencode(given)}")
            took.append((time.perf_counter() - before) * 1000)
        kinds[name] = min(took)
        print(f"  search, {name}: best {min(took):.0f} ms, median {statistics.median(took):.0f} ms", flush=True)
    page = stage.fresh()
    stage.visit(page, "/executions", "[role=table] [role=row]:nth-child(5)")
    shown = []
    for n in range(stage.times):
        for words, hits in ((f"order-{n + 7:06d}", "1"), ("", f"{executions:,}")):
            page.get_by_role("searchbox", name="Words").fill(words)
            shown.append(page.evaluate(ENTERED, f"Executions, {hits} found"))
    opened = stage.visit(page, "/executions", "[role=table] [role=row]:nth-child(5)")
    return {"api_ms": [max(kinds.values())], "kinds_ms": kinds, "shown_ms": shown, "opened_ms": [opened]}


# Presses Enter in the first search field; resolves with the time until the table says so.
ENTERED = """label => new Promise(done => {
    const began = performance.now();
    document.querySelector('input[type=search]').dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    const look = () => document.querySelector(`[role=table][aria-label="${label}"]`)
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))) : requestAnimationFrame(look);
    look();
})"""


def table(found: dict[str, dict[str, Any]]) -> None:
    """Every figure beside its bar."""
    print(f"\n{'':64}{'best':>9}{'median':>9}{'bar':>9}")
    for key, label, bar in FIGURES:
        group, _, name = key.partition(".")
        values = found.get(group, {}).get(name)
        if not values:
            continue
        more, worst = name.endswith("fps"), "worst" in found[group]
        best = max(values) if more or worst else min(values)
        met = "" if bar is None else "  ok" if (best >= bar if more else best <= bar) else "  missed"
        print(f"{label:64}{best:>9,.0f}{statistics.median(values):>9,.0f}{'' if bar is None else f'{bar:,.0f}':>9}{met}")


def main(words: list[str]) -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="bench console", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=100_000, help="for the searches")
    parser.add_argument("--times", type=int, default=5, help="runs of each figure")
    parser.add_argument("--only", nargs="+", metavar="CASE", default=["load", "open", "graph", "watch", "burst", "search"])
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args(words)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    cases: dict[str, Callable[[Stage], dict[str, Any]]] = {
        "load": loaded, "open": opened, "graph": graphed, "watch": watched, "burst": burst, "search": lambda stage: searched(stage, asked.executions),
    }  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    subject = ours().start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            stage = Stage(browser, subject.url.removesuffix("/api"), asked.times)
            for name, case in cases.items():
                if name in asked.only:
                    print(f"{name} (load average {os.getloadavg()[0]:.1f})", flush=True)
                    found[name] = case(stage)
            browser.close()
    finally:
        subject.stop()
    table(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
