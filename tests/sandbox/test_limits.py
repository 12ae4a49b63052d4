"""A script that takes too much fails alone, for a reason that says so, and the next one runs as if nothing had been."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from batuta.core.expr.script import Script, ScriptFailed, ScriptValue
from batuta.sandbox import Sandbox

HASTE_S = 0.3


@pytest.fixture(scope="module")
def hasty() -> Iterator[Sandbox]:
    """Little time: for scripts that would take for ever."""
    box = Sandbox(time_limit_s=HASTE_S, memory_bytes_max=16 << 20, output_bytes_max=100_000, children=1)
    yield box
    box.close()


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    """Little room, and more time than even a busy machine needs to fill it."""
    box = Sandbox(time_limit_s=20, memory_bytes_max=16 << 20, output_bytes_max=100_000, children=1)
    yield box
    box.close()


SCRIPT_TIME = "Script not evaluated within 0.3 seconds, interrupted."
SCRIPT_MEMORY = "Script needed more than 16 MiB of memory, stopped."
SCRIPT_OUTPUT = "Script gave more than 100000 bytes of output, stopped."
QUERY_TIME = "Query not evaluated within 0.3 seconds, interrupted."
QUERY_MEMORY = "Query needed more than 16 MiB of memory, stopped."
QUERY_OUTPUT = "Query gave more than 100000 bytes of output, stopped."
TOO_DEEP = "Error evaluating the script `RangeError: Maximum call stack size exceeded`"

GREEDY = [
    # time
    ("javascript", "while (true) {}", "timeout", SCRIPT_TIME),
    ("javascript", "for (;;) { try { throw 1 } catch (e) { continue } finally { continue } }", "timeout", SCRIPT_TIME),
    ("javascript", "while (true) { try { while (true) {} } catch (e) {} }", "timeout", SCRIPT_TIME),
    ("javascript", "/^(a+)+$/.test('a'.repeat(40) + '!')", "timeout", SCRIPT_TIME),
    ("javascript", "[1, 2].sort(() => { while (true) {} })", "timeout", SCRIPT_TIME),
    ("javascript", "({toJSON() { while (true) {} }})", "timeout", SCRIPT_TIME),
    ("javascript", "({get a() { while (true) {} }})", "timeout", SCRIPT_TIME),
    ("javascript", "new Proxy({}, {ownKeys() { while (true) {} }})", "timeout", SCRIPT_TIME),
    ("javascript", "throw {toString() { while (true) {} }}", "timeout", SCRIPT_TIME),
    ("javascript", "throw {get stack() { while (true) {} }}", "timeout", SCRIPT_TIME),
    ("javascript", "Function.prototype.toString = () => { while (true) {} }; throw function f() {}", "timeout", SCRIPT_TIME),
    ("javascript", "Array.prototype.indexOf.call({length: 1e15}, 1)", "timeout", SCRIPT_TIME),
    ("javascript", "for (;;) 3n ** 600000n", "timeout", SCRIPT_TIME),
    ("lambda", "while (true) {}", "timeout", SCRIPT_TIME),
    ("jq", "def f: f; f", "timeout", QUERY_TIME),
    ("jq", "[limit(1; repeat(empty))]", "timeout", QUERY_TIME),
    ("jq", "until(false; .)", "timeout", QUERY_TIME),
    ("jq", "last(range(1e12))", "timeout", QUERY_TIME),
    # memory
    ("javascript", "'x'.repeat(1e9)", "memory", SCRIPT_MEMORY),
    ("javascript", "var a = []; while (true) a.push({a})", "memory", SCRIPT_MEMORY),
    ("javascript", "throw (() => { var a = []; try { while (true) a.push({a}) } catch (e) { globalThis.a = a; return e } })()", "memory", SCRIPT_MEMORY),
    ("javascript", "new Array(1e9).fill(0)", "memory", SCRIPT_MEMORY),
    ("javascript", "new ArrayBuffer(1e9)", "memory", SCRIPT_MEMORY),
    ("javascript", "var held = []; while (true) { try { held.push('x'.repeat(1e5)) } catch (e) { throw e } }", "memory", SCRIPT_MEMORY),
    ("jq", "[range(1e9)]", "memory", QUERY_MEMORY),
    ("jq", "def f: [f, f]; f", "memory", QUERY_MEMORY),
    ("jq", "def f: 1 + f; f", "memory", QUERY_MEMORY),
    ("jq", '"x" * 1e9', "memory", QUERY_MEMORY),
    ("jq", "[recurse([., .])]", "memory", QUERY_MEMORY),
    # output
    ("javascript", "'x'.repeat(100001)", "output", SCRIPT_OUTPUT),
    ("javascript", "'é'.repeat(50001)", "output", SCRIPT_OUTPUT),
    ("javascript", "Array.from({length: 30000}, (_, i) => i)", "output", SCRIPT_OUTPUT),
    ("jq", "range(1e9)", "output", QUERY_OUTPUT),
    ("jq", "repeat(1)", "output", QUERY_OUTPUT),
    ("jq", '"x" * 100001', "output", QUERY_OUTPUT),
    # what the engines bound themselves
    ("javascript", "var s = 'x'; while (true) s += s", "error", "Error evaluating the script `InternalError: string too long` at line 1"),
    ("javascript", "2n ** 4000000n", "error", "Error evaluating the script `RangeError: BigInt is too large`"),
    ("javascript", "10n ** 5000n", "error", "The script's result is no JSON: Exceeds the limit (4300 digits)"),
    ("javascript", "10n ** 300000n", "timeout", SCRIPT_TIME),
    ("jq", '("a" * 40 + "!") | test("^(a|a)+$")', "error", "Regex failure: retry-limit-in-match over"),
    # depth
    ("javascript", "(function f() { f() })()", "error", TOO_DEEP + " at line 1"),
    ("javascript", "JSON.parse('['.repeat(1e6))", "error", TOO_DEEP),
    ("javascript", "var a = []; for (var i = 0; i < 1e5; i++) a = [a]; a", "error", TOO_DEEP),
    ("javascript", "eval('('.repeat(1e6))", "error", TOO_DEEP),
]


@pytest.mark.parametrize(("language", "source", "kind", "reason"), GREEDY)
def test_a_greedy_script_fails_and_leaves_no_trace(hasty: Sandbox, small: Sandbox, language: Any, source: str, kind: Any, reason: str) -> None:
    box = hasty if kind == "timeout" else small
    started_at = time.monotonic()
    end = box.evaluate(Script(language, source, {}))
    took_s = time.monotonic() - started_at
    assert isinstance(end, ScriptFailed)
    assert (end.kind, end.reason[: len(reason)]) == (kind, reason)
    assert kind != "timeout" or took_s < HASTE_S + 5, "a bound for slow machines; the wall clock of the sandbox is far below"
    assert box.evaluate(Script("javascript", "$.n + 1", {"n": 1})) == ScriptValue(2)
    assert box.evaluate(Script("jq", ".n + 1", {"n": 1})) == ScriptValue([2])


def test_what_just_fits_is_given(small: Sandbox) -> None:
    assert small.evaluate(Script("javascript", "'x'.repeat(99998)", {})) == ScriptValue("x" * 99998)
    assert small.evaluate(Script("jq", '"x" * 99990', {})) == ScriptValue(["x" * 99990])


def test_a_script_may_catch_that_memory_ran_out_but_gets_no_more(small: Sandbox) -> None:
    source = "var s; try { s = 'x'.repeat(1e9) } catch (e) { s = String(e) } s"
    assert small.evaluate(Script("javascript", source, {})) == ScriptValue("InternalError: out of memory")


def test_data_counts_towards_the_memory_of_a_script(small: Sandbox) -> None:
    data = [[i] for i in range(300_000)]
    assert small.evaluate(Script("javascript", "$.length", data)) == ScriptFailed(SCRIPT_MEMORY, "memory")


def test_reading_a_monstrous_script_is_bounded_too(small: Sandbox) -> None:
    assert (small.syntax_error("javascript", "(" * 1_000_000) or "").startswith(TOO_DEEP)
    assert small.syntax_error("jq", "[" * 1_000_000) is not None


def test_results_nested_too_deeply_for_json_are_refused(sandbox: Sandbox) -> None:
    """How deep is too deep is the interpreter's to say, jq gives up at 10,000 levels; neither is a value, neither harms the server."""
    end = sandbox.evaluate(Script("jq", "reduce range(20000) as $i (0; [.])", {}))
    assert isinstance(end, ScriptFailed)
    assert end.reason == "The script's result is nested too deeply" or "no JSON" in end.reason


def test_input_nested_too_deeply_for_json_is_refused(sandbox: Sandbox) -> None:
    data: Any = []
    for _ in range(100_000):
        data = [data]
    end = sandbox.evaluate(Script("javascript", "1", data))
    assert end == ScriptFailed("The script's input is nested too deeply to hand it over", "error")


@pytest.mark.parametrize("wrong", [{"time_limit_s": 0}, {"memory_bytes_max": 1000}, {"output_bytes_max": 0}, {"children": 0}, {"idle_s": 0}])
def test_limits_under_which_nothing_runs_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        Sandbox(**wrong)
