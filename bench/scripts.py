"""
What a script costs: the engines we could use, and the sandbox we made of one.

    python bench/scripts.py            # every engine that is installed, as a Markdown table
    pip install quickjs-rs mini-racer  # to compare with those that batuta does not use

Each figure is taken in a process of its own, since some of these engines end the process they run in: that is one of the figures.
Times are the best of several rounds, so that a busy machine blurs them less. The sandbox's are medians, as its callers see them.
"""

import argparse
import functools
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

TRIVIAL: tuple[str, Any] = ("1 + 1", {})
LOOP: tuple[str, Any] = ("$.loop.iteration < $.limit", {"loop": {"iteration": 3, "1": {}, "2": {}, "3": {}}, "limit": 4})
MEMORY_BYTES_MAX = 64 << 20
LIMIT_S = 0.5
PROBE_LIMIT_S = 20


class QuickJsNg:
    distribution = "quickjs-ng"

    def __init__(self) -> None:
        import _quickjs  # type: ignore[import-not-found]

        self.engine = _quickjs

    def fresh(self, source: str, data: Any) -> Any:
        context = self.engine.Context()
        context.set_memory_limit(MEMORY_BYTES_MAX)
        context.set_time_limit(LIMIT_S)
        context.set("$", context.parse_json(json.dumps(data)))
        return context.eval(source)

    def warm(self) -> Callable[[], Any]:
        context = self.engine.Context()
        return lambda: context.eval(TRIVIAL[0])


class QuickJsRs:
    distribution = "quickjs-rs"
    needs = ("wasmtime",)

    def __init__(self) -> None:
        import quickjs_rs  # type: ignore[import-not-found]

        self.engine = quickjs_rs

    def fresh(self, source: str, data: Any) -> Any:
        with self.engine.Runtime(memory_limit=MEMORY_BYTES_MAX) as runtime, runtime.new_context(timeout=LIMIT_S) as context:
            context.eval(f"globalThis.$ = {json.dumps(data)}")
            return context.eval(source)

    def warm(self) -> Callable[[], Any]:
        context = self.engine.Runtime().new_context()
        return lambda: context.eval(TRIVIAL[0])


class MiniRacer:
    distribution = "mini-racer"

    def __init__(self) -> None:
        from py_mini_racer import MiniRacer  # type: ignore[import-not-found]

        self.engine = MiniRacer

    def fresh(self, source: str, data: Any) -> Any:
        context = self.engine()
        try:
            context.eval(f"globalThis.$ = {json.dumps(data)}")
            return context.eval(source, timeout_sec=LIMIT_S, max_memory=MEMORY_BYTES_MAX)
        finally:
            context.close()

    def warm(self) -> Callable[[], Any]:
        context = self.engine()
        return lambda: context.eval(TRIVIAL[0])


class Jq:
    """The same probes in jq's terms; it keeps no context, so a fresh one is a compilation."""

    distribution = "jq"
    queries: ClassVar = {TRIVIAL[0]: "1 + 1", LOOP[0]: ".loop.iteration < .limit", "SPIN": "def f: f; f", "BOMB": "[range(1e12)]"}

    def __init__(self) -> None:
        import jq  # type: ignore[import-not-found]

        self.engine = jq

    def fresh(self, source: str, data: Any) -> Any:
        return self.engine.compile(self.queries[source]).input_text(json.dumps(data)).all()

    def warm(self) -> Callable[[], Any]:
        program = self.engine.compile("1 + 1")
        return lambda: program.input_text("{}").all()


ENGINES: dict[str, Any] = {engine.distribution: engine for engine in (QuickJsNg, QuickJsRs, MiniRacer, Jq)}
SPIN, BOMB = "while (true) {}", "var a = []; while (true) a.push({a})"


def best_us(call: Callable[[], Any], *, rounds: int = 7, round_s: float = 0.15) -> float:
    """The mean of the quickest round, in microseconds."""
    call()
    best = float("inf")
    for _ in range(rounds):
        started_at, count = time.perf_counter(), 0
        while (took := time.perf_counter() - started_at) < round_s:
            call()
            count += 1
        best = min(best, took / count)
    return best * 1e6


def resident_kib() -> int:
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, text=True, check=True).stdout)


def probe_start(make: type) -> str:
    """Import, first context, first result; and what that adds to the memory of a Python process."""
    before_kib, started_at = resident_kib(), time.perf_counter()
    make().fresh(*TRIVIAL)
    took_ms = (time.perf_counter() - started_at) * 1e3
    return f"{took_ms:.0f} ms, {(resident_kib() - before_kib) / 1024:.0f} MiB"


def probe_trivial(make: type) -> str:
    engine = make()
    return f"{best_us(lambda: engine.fresh(*TRIVIAL)):,.0f} µs"


def probe_loop(make: type) -> str:
    engine = make()
    return f"{best_us(lambda: engine.fresh(*LOOP)):,.0f} µs"


def probe_warm(make: type) -> str:
    return f"{best_us(make().warm()):,.1f} µs"


def probe_spin(make: type) -> str:
    """Whether it stops by its own limit, and for how long another thread of the process stands still meanwhile."""
    engine, ended = make(), threading.Event()
    engine.fresh(*TRIVIAL)
    seen: list[str] = []

    def spin() -> None:
        try:
            engine.fresh("SPIN" if make is Jq else SPIN, {})
        except Exception as error:
            seen.append(type(error).__name__)
        ended.set()

    threading.Thread(target=spin, daemon=True).start()
    still_s, last = 0.0, time.perf_counter()
    while not ended.wait(0.001):
        now = time.perf_counter()
        still_s, last = max(still_s, now - last), now
    return f"{seen[0]}; other threads {'stand still' if still_s > LIMIT_S / 2 else 'run on'}"


def probe_bomb(make: type) -> str:
    try:
        make().fresh("BOMB" if make is Jq else BOMB, {})
    except Exception as error:
        return type(error).__name__
    return "no end"


PROBES: dict[str, tuple[str, Callable[[type], str]]] = {
    "start": ("first result: time, memory", probe_start),
    "trivial": ("`1 + 1`, fresh context", probe_trivial),
    "loop": ("a loop's condition, fresh context", probe_loop),
    "warm": ("`1 + 1`, used context", probe_warm),
    "spin": ("endless loop, limit 0.5 s", probe_spin),
    "bomb": ("endless list, limit 64 MiB", probe_bomb),
}


def outcome(engine: str, probe: str) -> str:
    """The figure, or how the process that was to take it ended."""
    command = [sys.executable, __file__, "--engine", engine, "--probe", probe]
    try:
        # jq has no limit of its own and must not take the machine with it; V8 reserves more addresses than any limit would leave it.
        limit = "ulimit -v 1000000; " if engine == Jq.distribution else ""
        ended = subprocess.run(["sh", "-c", f'{limit}exec "$@"', "sh", *command], capture_output=True, text=True, timeout=PROBE_LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"never stops (killed after {PROBE_LIMIT_S} s)"
    if ended.returncode:
        return "takes the process down" if ended.returncode < 0 or ended.returncode > 128 else "fails"
    return ended.stdout.strip()


def version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def installed_mib(name: str) -> float:
    """The size of the package and of what it cannot do without."""
    packages = (name, *getattr(ENGINES[name], "needs", ()))
    return sum(path.size or 0 for package in packages for path in importlib.metadata.files(package) or []) / (1 << 20)


def compare_engines() -> None:
    present = [name for name in ENGINES if version(name)]
    print("| | " + " | ".join(f"{name} {version(name)}" for name in present) + " |")
    print("|---|" + "---|" * len(present))
    print("| installed | " + " | ".join(f"{installed_mib(name):.1f} MiB" for name in present) + " |")
    for probe, (title, _) in PROBES.items():
        print(f"| {title} | " + " | ".join(outcome(name, probe) for name in present) + " |", flush=True)
    for name in ENGINES.keys() - set(present):
        print(f"\nnot installed: {name}")


def percentiles(call: Callable[[], Any], *, pause_s: float, count: int) -> str:
    took = []
    for _ in range(count):
        time.sleep(pause_s)
        started_at = time.perf_counter()
        call()
        took.append((time.perf_counter() - started_at) * 1e6)
    cuts = statistics.quantiles(took, n=100)
    return f"{cuts[49]:,.0f} / {cuts[98]:,.0f} µs"


def measure_sandbox() -> None:
    from batuta.core.expr.script import Script
    from batuta.sandbox import Sandbox

    box = Sandbox()
    started_at = time.perf_counter()
    box.evaluate(Script("javascript", *TRIVIAL))
    print(f"| first call, process started for it | {(time.perf_counter() - started_at) * 1e3:.0f} ms |")
    for title, script in (
        ("`1 + 1`", Script("javascript", *TRIVIAL)),
        ("a loop's condition", Script("javascript", *LOOP)),
        ("the same in jq", Script("jq", ".loop.iteration < .limit", LOOP[1])),
        ("`$`, 100 KB of data there and back", Script("javascript", "$", [{"i": i, "text": "x" * 80} for i in range(1000)])),
        ("`$.m.get('k')`, dressed as Java", Script("javascript", "$.m.get('k')", {"m": {"k": 1}})),
    ):
        call = functools.partial(box.evaluate, script)
        for _ in range(50):
            call()
        print(f"| {title} | {percentiles(call, pause_s=0, count=1000)} | {percentiles(call, pause_s=0.003, count=300)} |", flush=True)
    box.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--probe", choices=PROBES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.probe:
        print(PROBES[options.probe][1](ENGINES[options.engine]))
        return
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors\n")
    compare_engines()
    if version("batuta"):
        print("\n| the sandbox, median / 99th of a hundred | one after another | 3 ms apart |\n|---|---|---|")
        measure_sandbox()


if __name__ == "__main__":
    main()
