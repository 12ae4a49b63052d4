"""
Speed and memory of this server, beside a real Conductor when Java (21 or newer) and Maven are there. All figures of one run, on one machine.

    python -m bench                     every case, ours, and the real Conductor's if it can be had (its jar comes from Maven Central, 458 MB)
    python -m bench --ours              ours alone
    python -m bench three many          these cases of load.py
    python -m bench --memory 100000     also: resident memory before and after that many executions
    python -m bench --json FILE         the figures as JSON
    python -m bench flows               the Flow Builder's own figures (flows.py)
    python -m bench console             what the console takes, in a browser (console.py)

Client and servers share the machine's cores; figures include the client (load.py). Never run two of these at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import console, flows
from bench.load import Load
from bench.subject import Subject, free_port, ours

CASES = ("three", "forty", "many", "fork", "wide", "child", "switchjoin", "wait", "loop")
# What each case's figure is called, and the bar of the design for it (None: no bar of its own). Smaller is better but for workflows/s.
FIGURES = [
    ("three", "p50_ms", "3-step workflow, p50 (ms)", 6.0),
    ("three", "p99_ms", "3-step workflow, p99 (ms)", 10.0),
    ("many", "workflows_per_s", "3-step workflows a second", 1000.0),
    ("forty", "seconds", "40 steps (s)", 0.08),
    ("child", "p50_ms", "parent with a one-step child, p50 (ms)", 6.0),
    ("fork", "seconds", "fork of 100 (s)", None),
    ("wide", "seconds", "dynamic fork of 1,000 (s)", 1.5),
    ("switchjoin", "p50_ms", "fork, two switches, join, p50 (ms)", None),
    ("wait", "late_ms", "WAIT of 1 s ends late by (ms)", 50.0),
    ("loop", "seconds", "DO_WHILE of 50 turns (s)", 0.15),
]
JAR = Path.home() / ".m2/repository/org/conductoross/conductor-server/3.32.1/conductor-server-3.32.1-boot.jar"


def java() -> str | None:
    """A Java of 21 or newer, or None."""
    for candidate in [*sorted(Path("/usr/lib/jvm").glob("*/bin/java"), reverse=True), Path(shutil.which("java") or "/nonexistent")]:
        if candidate.exists():
            said = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False).stderr
            major = said.partition('"')[2].split(".")[0].split('"')[0]
            if major.isdigit() and int(major) >= 21:
                return str(candidate)
    return None


def conductor() -> Subject | None:
    """The real Conductor on its SQLite configuration, or None when it cannot be had; says why."""
    runtime = java()
    if runtime is None:
        print("no Java of 21 or newer: measured without the real Conductor")
        return None
    if not JAR.exists():
        if shutil.which("mvn") is None:
            print("no Maven to fetch the real Conductor with: measured without it")
            return None
        coordinates = "-Dartifact=org.conductoross:conductor-server:3.32.1:jar:boot"
        if subprocess.run(["mvn", "-q", "dependency:get", coordinates, "-Dtransitive=false"], check=False).returncode:
            print("the real Conductor could not be fetched: measured without it")
            return None
    port = free_port()
    command = [runtime, "-jar", str(JAR), "--server.address=127.0.0.1", f"--server.port={port}"]
    return Subject("conductor", command, port, "/api/metadata/workflow", 180)


async def run_cases(subject: Subject, cases: list[str], n: int) -> dict[str, Any]:
    load, out = Load(subject.url), {}
    for case in cases:
        try:
            out[case] = await asyncio.wait_for(getattr(load, case)(n), 420)
        except Exception as error:  # one case that fails is a figure too
            out[case] = {"error": f"{type(error).__name__}: {error}; unanswered: {load.unanswered()}"[:2000]}
            load.main = load.conn()
        print(f"  {subject.name:10} {case:11}", " ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in out[case].items()), flush=True)
    return out


def measure(subject: Subject, cases: list[str], n: int, memory: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"ready_s": subject.start().ready_s}
    try:
        time.sleep(3)
        figures["idle_mb"] = subject.rss_mb()
        before, began = subject.cpu_s(), time.perf_counter()
        time.sleep(10)
        figures["idle_cpu_percent"] = 100 * (subject.cpu_s() - before) / (time.perf_counter() - began)
        print(f"  {subject.name:10} ready={figures['ready_s']:.2f} s idle={figures['idle_mb']:.0f} MB, {figures['idle_cpu_percent']:.2f} % CPU", flush=True)
        figures["cases"] = asyncio.run(run_cases(subject, cases, n))
        if memory:
            figures["memory"] = asyncio.run(run_memory(subject, memory))
    finally:
        subject.stop()
    return figures


async def run_memory(subject: Subject, executions: int) -> dict[str, Any]:
    """Resident memory after each tenth of so many finished executions."""
    load, marks = Load(subject.url), []
    await load.three(100)
    for _ in range(10):
        await load.many(executions // 10)
        marks.append(round(subject.rss_mb(), 1))
        print(f"  {subject.name:10} after {len(marks) * executions // 10:>7} executions: {marks[-1]} MB", flush=True)
    return {"executions": executions, "mb": marks}


def cold_starts(times: int = 5) -> list[float]:
    """Seconds to the first answer of fresh servers on fresh directories."""
    out = []
    for _ in range(times):
        subject = ours().start()
        out.append(subject.ready_s)
        subject.stop()
    return out


def table(found: dict[str, Any]) -> None:
    """All figures side by side, with the ratio and the bar."""
    mine, real = found["batuta"], found.get("conductor")
    rows = [("ready (s)", mine["cold_start_s"], real and real["ready_s"], 0.5), ("idle memory (MB)", mine["idle_mb"], real and real["idle_mb"], 80.0),
            ("idle CPU (%)", mine["idle_cpu_percent"], real and real["idle_cpu_percent"], 0.3)]  # fmt: skip
    for case, key, label, bar in FIGURES:
        if case in mine["cases"]:
            rows.append((label, mine["cases"][case].get(key), real and real["cases"].get(case, {}).get(key), bar))
    print(f"\n{'':42}{'batuta':>10}{'conductor':>12}{'ratio':>9}{'bar':>9}")
    for label, us, them, bar in rows:
        more = label.endswith("a second")
        ratio = (us / them if more else them / us) if us and them else None
        met = "" if bar is None or us is None else "  ok" if (us >= bar if more else us <= bar) else "  missed"
        text = lambda v: "–" if v is None else f"{v:.3g}" if v < 1000 else f"{v:,.0f}"  # noqa: E731
        print(f"{label:42}{text(us):>10}{text(them):>12}{'' if ratio is None else f'{ratio:.0f}x':>9}{text(bar) if bar is not None else '':>9}{met}")


def main() -> int:
    if sys.argv[1:2] == ["flows"]:
        return flows.main(sys.argv[2:])
    if sys.argv[1:2] == ["console"]:
        return console.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--ours", action="store_true", help="leave the real Conductor out")
    parser.add_argument("--n", type=int, default=2000, help="executions of the throughput case")
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="executions for the memory figure")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    cases = asked.cases or list(CASES)
    found: dict[str, Any] = {}
    found["batuta"] = measure(ours(), cases, asked.n, asked.memory)
    found["batuta"]["cold_start_s"] = statistics.median(cold_starts())
    other = None if asked.ours else conductor()
    if other is not None:
        found["conductor"] = measure(other, cases, min(asked.n, 300), 0)
    table(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))
    return 1 if any("error" in case for case in found["batuta"]["cases"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
