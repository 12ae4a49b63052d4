"""What goes into a script and what comes out, language by language; values recorded from Conductor stand beside our deliberate ones."""

from typing import Any

import pytest

from batuta.core.expr.script import Script, ScriptEngine, ScriptValue, case_text, truthy
from batuta.sandbox import Sandbox

DATA: dict[str, Any] = {
    "n": 4,
    "f": 2.0,
    "h": 2.5,
    "big": 9007199254740993,
    "huge": 123456789012345678901234567890,
    "s": "txt",
    "z": None,
    "b": True,
    "xs": [3, 1, 2],
    "m": {"k": {"deep": "d"}, "é": "ü"},
}

JAVASCRIPT = [
    # the value of the last expression
    ("1 + 2", 3),
    ("1 / 2", 0.5),
    ("4 / 2", 2),
    ("'a' + 1", "a1"),
    ("!false", True),
    ("null", None),
    ("undefined", None),
    ("''", ""),
    ("var x = 5; x * 2; x + 1", 6),
    ("let q = 5", None),
    ("let q = 5; q", 5),
    ("if ($.b) { 'yes' } else { 'no' }", "yes"),
    ("for (var i = 0; i < 3; i++) { i }", 2),
    ("function f() { return 1 }", None),
    ("undeclared = 5; undeclared", 5),
    ("// nothing", None),
    ("/* a */ 5", 5),
    ("(function(){ return {v: $.n}; })()", {"v": 4}),
    ("(() => $.xs.map(x => x * 2))()", [6, 2, 4]),
    ("[1, 'b', [2.5], {k: null}]", [1, "b", [2.5], {"k": None}]),
    ("({a: 1, b: {c: [true]}})", {"a": 1, "b": {"c": [True]}}),
    ("'é' + '\\u{1F600}'", "é😀"),
    ("'a\\u0000b'", "a\x00b"),
    ("'\\ud800'", "?"),
    # numbers
    ("3000000000", 3000000000),
    ("2**31", 2147483648),
    ("-(2**53)", -9007199254740992),
    ("2**60", 1152921504606846976),
    ("2**63", 9.223372036854775808e18),
    ("-(2**63)", -9223372036854775808),
    ("0.1 + 0.2", 0.30000000000000004),
    ("1e21", 1e21),
    ("-1e21", -1e21),
    ("1e300", 1e300),
    ("$.f", 2),
    ("$.f + 1", 3),
    ("NaN", "NaN"),
    ("1 / 0", "Infinity"),
    ("-1 / 0", "-Infinity"),
    ("10n", 10),
    ("2n ** 70n", 2**70),
    # integers beyond 2**53 stay exact when they are only handed on
    ("$.big", 9007199254740993),
    ("[$.big, {x: $.big}]", [9007199254740993, {"x": 9007199254740993}]),
    ("$.big * 2", 18014398509481984),
    ("2**53", 9007199254740993),  # the price: the double of $.big is taken for it
    ("$.huge", 123456789012345678901234567890),
    ("'' + $.big", "9007199254740992"),
    # what JSON has no word for
    ("({a: undefined, b: null})", {"a": None, "b": None}),
    ("[undefined, , 1]", [None, None, 1]),
    ("({nan: NaN})", {"nan": "NaN"}),
    ("(() => 1)", {}),
    ("({f: () => 1})", {"f": {}}),
    ("Symbol('x')", {}),
    ("/re/g", {}),
    ("Promise.resolve(1)", {}),
    ("new Error('e')", {}),
    ("new Map([['a', 1], [2, new Map([['b', NaN]])]])", {"2": {"b": "NaN"}, "a": 1}),
    ("new Set([1, [2n]])", [1, [2]]),
    ("new Uint8Array([1, 2])", [1, 2]),
    ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    ("new Number(5)", 5),
    ("new String('x')", "x"),
    ("new Boolean(false)", False),
    ("(function(){ function A(){ this.x = 1 } A.prototype.y = 2; return new A() })()", {"x": 1}),
    ("({get a(){ return 7 }})", {"a": 7}),
    ("new Proxy({a: 1}, {})", {"a": 1}),
    # `$`
    ("$.m.k.deep", "d"),
    ("$['m']['é']", "ü"),
    ("$.absent", None),
    ("$.z === null && $.absent === undefined", True),
    ("$.xs.length", 3),
    ("Object.keys($.m)", ["k", "é"]),
    ("[...$.xs].sort()", [1, 2, 3]),
    ("JSON.stringify($.xs)", "[3,1,2]"),
    ("$.m.k = 1; delete $.m['é']; $.xs.push(9); [$.m, $.xs]", [{"k": 1}, [3, 1, 2, 9]]),
    ("this.$ === $", True),
    ("var $ = 5; $", 5),
    ("let $ = 6; $", 6),
    ("'k' in $.m && !('size' in $.m)", True),
    # the methods of Java's maps and lists, for scripts that call them
    ("$.m.get('k').get('deep')", "d"),
    ("$.m.get('absent')", None),
    ("$.m.getOrDefault('absent', 5)", 5),
    ("[$.m.size(), $.xs.size(), $.m.isEmpty(), $.xs.isEmpty()]", [2, 3, False, False]),
    ("[$.m.containsKey('k'), $.m.containsKey('size'), $.xs.contains(1)]", [True, False, True]),
    ("[$.xs.get(1), $.get('n')]", [1, 4]),
    ("$.m.put('q', 1); $.xs.add(5); $.m.remove('k'); [$.m, $.xs]", [{"é": "ü", "q": 1}, [3, 1, 2, 5]]),
    ("$.m.keySet().length === Object.keys($.m).length && JSON.stringify($.xs) === '[3,1,2]'", True),
    ("var seen = []; for (var k in $.m) seen.push(k); $.m.size(); seen", ["k", "é"]),
    ("$.m.size(); Object.defineProperty({}, 'x', {value: 1}).x", 1),
    ("$.xs.size(); [Array.isArray($.xs), $.xs instanceof Array, $.xs.map(x => x)]", [True, True, [3, 1, 2]]),
]


@pytest.mark.parametrize(("source", "value"), JAVASCRIPT)
def test_a_script_is_worth_its_last_expression(sandbox: Sandbox, source: str, value: Any) -> None:
    assert_same(sandbox.evaluate(Script("javascript", source, DATA)), value)


LAMBDA = [
    ("return $.n", 4),
    ("$.n", None),
    ("if ($.n > 3) { return {big: true}; } else { return {big: false}; }", {"big": True}),
    ("return $.xs.map(x => x)", [3, 1, 2]),
    ("return {a: undefined}", {"a": None}),
    ("return NaN", "NaN"),
    ("return 1 // done", 1),
    ("// nothing", None),
    ("var $ = 7; return $", 7),
    ("return $.m.get('k')", {"deep": "d"}),
]


@pytest.mark.parametrize(("source", "value"), LAMBDA)
def test_a_lambda_is_worth_what_it_returns(sandbox: Sandbox, source: str, value: Any) -> None:
    assert_same(sandbox.evaluate(Script("lambda", source, DATA)), value)


JQ = [
    (".m.k.deep", ["d"]),
    (".xs[]", [3, 1, 2]),
    (".xs[] | select(. > 9)", []),
    ("empty", []),
    (".absent", [None]),
    ("{total: (.xs | add), first: .xs[0], n: (.xs | length)}", [{"total": 6, "first": 3, "n": 3}]),
    ("[.xs[] | . * 1.5]", [[4.5, 1.5, 3]]),
    (".b, .z, (.b and .z)", [True, None, False]),
    ('"\\(.s)!"', ["txt!"]),
    # digits stay as long as nothing is calculated with them
    (".f", [2.0]),
    (".f + 1", [3]),
    (".h", [2.5]),
    ("4 / 2", [2]),
    (".big", [9007199254740993]),
    (".huge", [123456789012345678901234567890]),
    ("1e1000", [1.7976931348623157e308]),
    ("nan", [None]),
    ('"a\\u0000b"', ["a\x00b"]),
    ('.m["é"]', ["ü"]),
    # forms that the wrapping must leave alone
    ("def f(x): x + 1; f(.n)", [5]),
    (".n # comment", [4]),
    ("# comment\n.n", [4]),
    ("label $out | 1, break $out, 2", [1]),
    (". as {n: $n} | $n", [4]),
    ('.s | test("T"; "i")', [True]),
    ("[limit(3; repeat(1))]", [[1, 1, 1]]),
    ("reduce .xs[] as $x (0; . + $x)", [6]),
    ("if .b then 1 end", [1]),
    ('try error("x") catch .', ["x"]),
    ("tojson | fromjson | .f", [2.0]),
]


@pytest.mark.parametrize(("source", "value"), JQ)
def test_a_query_is_worth_all_its_outputs(sandbox: Sandbox, source: str, value: Any) -> None:
    assert_same(sandbox.evaluate(Script("jq", source, DATA)), value)


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.5, "", "é😀\x00", [], {}, [[], {"": [None]}], 2**53 + 1, -(2**80), 1e-300, {"__proto__": {"x": 1}}])
def test_any_json_passes_through_unchanged(sandbox: Sandbox, value: Any) -> None:
    assert_same(sandbox.evaluate(Script("jq", ".", value)), [value])
    assert_same(sandbox.evaluate(Script("javascript", "$", value)), value)


def test_two_megabytes_pass_through(sandbox: Sandbox) -> None:
    value = [{"i": i, "text": "x" * 190} for i in range(10_000)]
    assert sandbox.evaluate(Script("javascript", "$", value)) == ScriptValue(value)
    assert sandbox.evaluate(Script("jq", ".", value)) == ScriptValue([value])


def test_two_hundred_levels_pass_through(sandbox: Sandbox) -> None:
    value: Any = "bottom"
    for _ in range(200):
        value = {"in": [value]}
    assert sandbox.evaluate(Script("javascript", "$.in", value)) == ScriptValue(value["in"])
    assert sandbox.evaluate(Script("jq", ".in", value)) == ScriptValue([value["in"]])


#        result            a loop goes on   the case of a switch
READINGS = [
    (True, True, "true"),
    (False, False, "false"),
    (1, True, "1"),
    (0.5, True, "0.5"),
    (0, False, "0"),
    (-1, False, "-1"),
    (1.0, True, "1.0"),
    (2.5, True, "2.5"),
    (12345678.0, True, "1.2345678E7"),
    ("true", False, "true"),
    ("", False, ""),
    (None, False, "null"),
    ([1], False, "[1]"),
    ([1, "a"], False, "[1, a]"),
    ({"k": 1}, False, "{k=1}"),
]


@pytest.mark.parametrize(("value", "goes_on", "case"), READINGS)
def test_a_result_steers_as_in_conductor(value: Any, goes_on: bool, case: str) -> None:
    assert truthy(value) is goes_on
    assert case_text(value) == case


def test_the_sandbox_keeps_the_protocol(sandbox: Sandbox) -> None:
    engine: ScriptEngine = sandbox
    assert engine.evaluate(Script("javascript", "1", {})) == ScriptValue(1)


def assert_same(end: object, value: Any) -> None:
    """Equal to the type: 2 is not 2.0 and 1 is not True."""
    assert isinstance(end, ScriptValue), end
    assert repr(end.value) == repr(value)
