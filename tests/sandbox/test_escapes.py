"""
What people try to get out of such engines, and what they find: nothing.

A secret lies in the server's environment, in its memory and in a file; a socket listens; a file must not appear. Each attempt is given
their names and must end as said here; none may show the secret, and after each the next script finds a clean world. What holds if an
engine itself has a hole is tested in test_confine.py.
"""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batuta.core.expr.script import Script, ScriptFailed, ScriptValue
from batuta.sandbox import Sandbox

SECRET = "xK7-the-house-silver"


@dataclass
class House:
    secret_file: Path
    trace: Path
    listener: socket.socket

    def named(self, source: str) -> str:
        """*source* with the names of what is worth reaching."""
        names = {"FILE": str(self.secret_file), "TRACE": str(self.trace), "PORT": str(self.listener.getsockname()[1]), "PID": str(os.getpid())}
        for name, value in names.items():
            source = source.replace(name, value)
        return source

    def was_reached(self) -> bool:
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return self.trace.exists()
        return True


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    (place / "secret.json").write_text(json.dumps(SECRET))
    (place / "secret.jq").write_text(f'def secret: "{SECRET}";')
    (place / "secret").write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        listener.setblocking(False)
        patch.setenv("SILVER", SECRET)
        patch.setenv("HOME", str(place))
        yield House(place / "secret", place / "trace", listener)


@pytest.fixture(scope="module")
def prison(house: House) -> Iterator[Sandbox]:
    """Started with the secret in the environment, and short of patience: some attempts are to wait for ever."""
    box = Sandbox(time_limit_s=0.5, children=1)
    yield box
    box.close()


class Unknown(str):
    """The name that the engine does not know."""


JAVASCRIPT: list[tuple[str, Any]] = [
    # the doors of Node, of browsers, of Java's engines, of the shells that QuickJS comes with
    ("require('fs').readFileSync('FILE', 'utf8')", Unknown("require")),
    ("process.env.SILVER", Unknown("process")),
    ("process.mainModule.require('child_process').execSync('touch TRACE')", Unknown("process")),
    ("process.binding('fs')", Unknown("process")),
    ("module.constructor._load('fs')", Unknown("module")),
    ("Deno.readTextFileSync('FILE')", Unknown("Deno")),
    ("Bun.file('FILE').text()", Unknown("Bun")),
    ("std.loadFile('FILE')", Unknown("std")),
    ("os.exec(['touch', 'TRACE'])", Unknown("os")),
    ("os.open('TRACE', os.O_CREAT)", Unknown("os")),
    ("bjson.read(new ArrayBuffer(9), 0, 9)", Unknown("bjson")),
    ("scriptArgs", Unknown("scriptArgs")),
    ("Java.type('java.lang.Runtime').getRuntime().exec('touch TRACE')", Unknown("Java")),
    ("Packages.java.lang.System.getenv('SILVER')", Unknown("Packages")),
    ("java.lang.System.exit(1)", Unknown("java")),
    ("Polyglot.eval('python', 'open(\"FILE\").read()')", Unknown("Polyglot")),
    ("load('FILE')", Unknown("load")),
    ("read('FILE')", Unknown("read")),
    ("quit()", Unknown("quit")),
    ("print('hello')", Unknown("print")),
    ("console.log('hello')", Unknown("console")),
    ("fetch('http://127.0.0.1:PORT/')", Unknown("fetch")),
    ("new XMLHttpRequest()", Unknown("XMLHttpRequest")),
    ("new WebSocket('ws://127.0.0.1:PORT/')", Unknown("WebSocket")),
    ("new Worker('FILE')", Unknown("Worker")),
    ("importScripts('FILE')", Unknown("importScripts")),
    ("new ShadowRealm().evaluate('1')", Unknown("ShadowRealm")),
    ("new WebAssembly.Memory({initial: 1})", Unknown("WebAssembly")),
    ("setTimeout(() => 1, 0)", Unknown("setTimeout")),
    ("__import__('os').system('touch TRACE')", Unknown("__import__")),
    ("gc()", Unknown("gc")),
    # modules: nobody loads them, and the promise of one is never kept
    ("import('std')", {}),
    ("import('FILE')", {}),
    ("import('std').then(s => s.loadFile('FILE'))", {}),
    ("import x from 'std'", "SyntaxError"),
    ("import.meta.url", "SyntaxError"),
    ("var f = ''; import('std').then(s => { f = s.loadFile('FILE') }, e => { f = 'no' }); f", ""),
    # constructors lead to more of the same world
    ("this.constructor.constructor('return typeof process')()", "undefined"),
    ("[].constructor.constructor('return typeof require')()", "undefined"),
    ("(() => {}).constructor('return this')() === globalThis", True),
    ("(async () => {}).constructor('return process')()", {}),
    ("(function*() {}).constructor('yield typeof process')().next().value", "undefined"),
    ("Function('return eval')()('typeof std + typeof os')", "undefinedundefined"),
    ("new Function('return import(\"std\")')()", {}),
    ("Reflect.construct(Function, ['return typeof require'])()", "undefined"),
    ("$.constructor.constructor('return typeof process')()", "undefined"),
    ("$.m.get.constructor('return typeof process')(); $.m.get('k')", 1),
    ("Error.constructor('return typeof std')()", "undefined"),
    # the stack shows no host frames, and no way into our own function around the script
    ("new Error('x').stack.includes('/') || new Error('x').stack.includes('.py')", False),
    ("(function f() { return f.caller })()", None),
    ("(function() { return typeof arguments.callee.caller })()", "undefined"),
    ("Error.prepareStackTrace = (e, frames) => frames.map(f => String(f.getFunction && f.getFunction())).join(); new Error('x').stack", None),
    ("Error.prepareStackTrace = (e, frames) => frames.map(f => typeof (f.getThis && f.getThis())).join(); new Error('x').stack", None),
    # what we hand over are plain copies
    ("Object.getOwnPropertyNames(Object.getPrototypeOf($)).includes('__class__')", False),
    ("[$.__class__, $.__init__, $.mro, $.__globals__, $.__builtins__].join()", ",,,,"),
    ("var n = []; for (var k in $) n.push(k); n.join()", "m,code"),
    ("$.code", "process.exit()}]}\"';//${SECRET}<script>"),
    # blocking, sharing, waiting
    ("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", "TypeError"),
    ("new FinalizationRegistry(() => { while (true) {} }).register({}, 1); 1", 1),
    ("Promise.resolve().then(() => { while (true) {} }); 1", 1),
    ("queueMicrotask(() => { while (true) {} }); 1", 1),
    ("(async () => { while (true) await 1 })(); 1", 1),
    # answering in the place of what writes the result
    ("JSON.stringify = () => 'SILVER'; ({a: 1})", {"a": 1}),
    ("JSON = String = Array = Map = Set = BigInt = eval = null; ({a: [2n, 2 ** 60]})", {"a": [2, 2**60]}),
    ("Array.prototype.toJSON = () => 'mine'; [1]", "mine"),
    ("Object.prototype.toJSON = function() { return 'mine' }; ({})", "mine"),
    ("Object.defineProperty(Object.prototype, 'a', {set() { throw 1 }}); JSON.parse('{\"a\": 1}').a", 1),
    ("Symbol.prototype[Symbol.toPrimitive] = null; Map[Symbol.hasInstance] = () => true; 1", 1),
    ("({toJSON: () => ({toJSON: 5, [Symbol.toStringTag]: 'Map'})})", {"toJSON": 5}),
    ("new Proxy({a: 1}, {get: () => 'x', ownKeys: () => ['a'], has: () => true})", {"a": "x"}),
    ("new Proxy(function() {}, {})", {}),
    ("({then: (f) => f('mine')})", {"then": {}}),
    # breaking out of the text
    ("})()); process.exit(", "SyntaxError"),
    ("*/ 1 /*", "SyntaxError"),
    ("1 \u2028 2 </script><!--", "SyntaxError"),
    ("\x00", "SyntaxError"),
    # leaving something for the next
    ("Object.prototype.polluted = 1; Array.prototype.polluted = 1; Function.prototype.polluted = 1; 1", 1),
    ("globalThis.polluted = 1; polluted = 1; var polluted = 1; 1", 1),
    ("Object.prototype.__proto__ = null; Object.freeze(Object.prototype); Object.freeze(globalThis); 1", 1),
    ("Object.defineProperty(globalThis, '$', {get: () => 'stolen', configurable: false}); $", "stolen"),
    ("Object.defineProperty(globalThis, 'polluted', {value: 1, configurable: false, writable: false}); 1", 1),
    ("delete globalThis.$; delete globalThis.JSON; typeof $", "undefined"),
    ("$.__proto__.polluted = 1; ({}).__proto__.polluted", 1),
    ("$.m.__proto__.get = () => 'stolen'; $.m.size()", 1),
]

LAMBDA: list[tuple[str, Any]] = [
    ("} ; globalThis.polluted = 1; function x() {", None),
    ("return this === globalThis && typeof process", "undefined"),
    ("return arguments.callee.caller", None),
    ("return new.target", None),
]

JQ: list[tuple[str, Any]] = [
    ("env", [{}]),
    ("$ENV", [{}]),
    ("env.SILVER, $ENV.SILVER, env.HOME, $ENV.PATH", [None, None, None, None]),
    ("input_filename", [None]),
    ("get_search_list", [[]]),
    ("$__prog_args", "$__prog_args is not defined"),
    ("$__loc__", [{"file": "<top-level>", "line": 1}]),
    ("[inputs]", [[]]),
    ("input", "break"),
    ("[., input] | length", "break"),
    ("debug | 1", [1]),
    ('debug("SILVER") | 1', [1]),
    ("stderr | 1", [1]),
    ("input_line_number", "Unknown input line number"),
    ("halt", []),
    ("1, halt, 2", [1]),
    ('"bye" | halt_error', []),
    ("{} | halt_error(5)", []),
    ('import "FILE" as s; s::secret', "import and include are not available"),
    ('import "FILE" as $s; $s', "import and include are not available"),
    ('import "secret" as $s {search: "/"}; $s', "import and include are not available"),
    ('include "FILE"; secret', "import and include are not available"),
    ('include "secret" {search: "~"}; secret', "import and include are not available"),
    ('1) | (import "FILE" as $s; $s', "import and include are not available"),
    ('"FILE" | modulemeta', "modulemeta is not available"),
    ('def modulemeta: 1; "FILE" | modulemeta', [1]),
    ('1) | ("FILE" | modulemeta', "modulemeta is not available"),
    ('def tojson: "1e"; (1', "syntax error"),
    ('1) | def tojson: "SILVER"; (1', "no JSON"),
    ("1) | def tojson: 5; (1", "redefines"),
    ('1 | tojson) | ("x" | error', "x"),
    ('@sh "cat \\("FILE")" | length > 0', [True]),
    ('"FILE" | getpath([]) | type', ["string"]),
    ('[splits("a")]', "cannot be matched"),
    ('"TRACE" | @text | ltrimstr("x") | type', ["string"]),
    ('$__loc__ | tojson | contains("/")', [False]),
    ("now | type", ["number"]),
    ('0 | strflocaltime("%Z %H")', ["UTC 00"]),
    ('builtins | map(select(test("read|write|open|exec|system|http|file"))) | sort', [["input_filename/0"]]),
]

DATA = {"m": {"k": 1}, "code": "process.exit()}]}\"';//${SECRET}<script>"}
CLEAN = {"polluted": "undefined", "$": 1, "own": 0, "works": '{"a":[1]}', "java": "undefined"}
LOOK_AROUND = """
var own = 0; for (var k in {}) own++; for (var k in []) own++;
({polluted: typeof polluted, $: $.m.k, own, works: JSON.stringify({a: [1]}), java: typeof ({}).get})
"""


@pytest.mark.parametrize(
    ("language", "source", "finds"),
    [("javascript", *row) for row in JAVASCRIPT] + [("lambda", *row) for row in LAMBDA] + [("jq", *row) for row in JQ],
)
def test_an_attempt_finds_nothing_and_leaves_nothing(prison: Sandbox, house: House, language: Any, source: str, finds: Any) -> None:
    end = prison.evaluate(Script(language, house.named(source), DATA))
    assert SECRET not in repr(end)
    assert not house.was_reached()
    match end:
        case ScriptFailed(reason) if isinstance(finds, Unknown):
            assert f"ReferenceError: {finds} is not defined" in reason
        case ScriptFailed(reason):
            assert isinstance(finds, str) and finds in reason
        case ScriptValue(value):
            assert finds is None or value == finds
    assert prison.evaluate(Script("javascript", LOOK_AROUND, DATA)) == ScriptValue(CLEAN)
    assert prison.evaluate(Script("jq", "[.m.k, (.m | tojson), env]", DATA)) == ScriptValue([[1, '{"k":1}', {}]])


# Everything a script finds in its world. A newer engine may add to it: look at what it can do, then add it here.
WORLD = """
    $ AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DOMException DataView Date
    DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array
    Int8Array InternalError Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set
    SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray
    WeakMap WeakRef WeakSet atob btoa decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN
    parseFloat parseInt performance queueMicrotask undefined unescape
"""


def test_the_world_of_a_script_holds_the_language_and_nothing_else(prison: Sandbox) -> None:
    end = prison.evaluate(Script("javascript", "Object.getOwnPropertyNames(globalThis)", {}))
    assert isinstance(end, ScriptValue)
    assert set(end.value) <= set(WORLD.split())


def test_everything_that_can_be_walked_to_is_native_or_none(prison: Sandbox) -> None:
    """A function that is neither the engine's own nor part of the script would be ours or the host's."""
    walk = """
        var seen = new Set(), open = [globalThis], strange = [];
        while (open.length) {
            var here = open.pop();
            if ((typeof here !== 'object' && typeof here !== 'function') || here === null || seen.has(here)) continue;
            seen['add'](here);
            if (typeof here === 'function' && !/\\[native code\\]/.test(Function.prototype.toString.call(here))) strange.push(String(here));
            for (var key of Reflect.ownKeys(here)) {
                var d = Object.getOwnPropertyDescriptor(here, key);
                open.push(d.value, d.get, d.set);
            }
            open.push(Object.getPrototypeOf(here));
        }
        ({many: seen.size > 500, strange})
    """
    assert prison.evaluate(Script("javascript", walk, {})) == ScriptValue({"many": True, "strange": []})


def test_data_named_like_a_prototype_is_only_data(prison: Sandbox) -> None:
    data = {"__proto__": {"admin": True}, "constructor": {"prototype": {"admin": True}}}
    source = "[({}).admin, $.admin, Object.keys($), $.constructor.prototype.admin]"
    assert prison.evaluate(Script("javascript", source, data)) == ScriptValue([None, None, ["__proto__", "constructor"], True])
    assert prison.evaluate(Script("javascript", "$.constructor.get('prototype').get('admin')", data)) == ScriptValue(True)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(JAVASCRIPT) + len(LAMBDA) + len(JQ) >= 100
