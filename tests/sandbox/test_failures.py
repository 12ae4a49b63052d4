"""The sentences for scripts that are wrong or throw. Those marked C are Conductor's to the letter; in the others the engine's own words differ."""

from typing import Any

import pytest

from batuta.core.expr.script import Script, ScriptFailed
from batuta.sandbox import Sandbox

JAVASCRIPT = [
    ("throw new Error('boom ' + $.n)", "Error: boom 3", None),  # C
    ("(function(){ throw new Error('boom'); })()", "Error: boom", None),  # C
    ("throw new TypeError('tt')", "TypeError: tt", None),  # C
    ("throw Error('called')", "Error: called", None),  # C
    ("throw new (class MyErr extends Error {})('mm')", "Error: mm", None),
    ("throw 'str'", "str", 1),  # C
    ("throw 5", "5", 1),  # C
    ("throw null", "null", 1),  # C
    ("throw undefined", "undefined", 1),  # C
    ("\nvar x = 1;\nthrow 'str'", "str", None),
    ("x + 1", "ReferenceError: x is not defined", 1),  # C
    ("\n\nx + 1", "ReferenceError: x is not defined", 3),  # C
    ("null.foo", "TypeError: cannot read property 'foo' of null", 1),
    ("$.no.such.thing > 1", "TypeError: cannot read property 'such' of undefined", 1),
    ("$.n()", "TypeError: not a function", 1),
    ("var f = function() {\n  return $.absent.x;\n};\nf()", "TypeError: cannot read property 'x' of undefined", 2),
    ("JSON.parse('{')", "SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)", None),
    ("eval('1 +')", "SyntaxError: unexpected token in expression: ''", 1),
    ("new RegExp('(')", "SyntaxError: expecting ')'", None),
    ("new Array(-1)", "RangeError: invalid array length", None),
    ("return 1", "SyntaxError: return not in a function", 1),
    ("1 +", "SyntaxError: unexpected token in expression: ''", 1),
    ("\n\n1 +", "SyntaxError: unexpected token in expression: ''", 3),
    ("(function f() { f() })()", "RangeError: Maximum call stack size exceeded", 1),  # C
    ("var a = {}; a.a = a; a", "TypeError: circular reference", None),
    ("throw new Error('two\\nlines')", "Error: two\nlines", None),
    ("throw new Error('\\ud800\\u0000!')", "Error: ???", None),
]


@pytest.mark.parametrize(("source", "said", "line"), JAVASCRIPT)
def test_a_script_fails_with_what_was_thrown_and_where(sandbox: Sandbox, source: str, said: str, line: int | None) -> None:
    end = sandbox.evaluate(Script("javascript", source, {"n": 3}))
    assert isinstance(end, ScriptFailed)
    if said != "Error: ???":  # no two engines agree on half a character; that it fails in order is enough
        assert end == ScriptFailed(f"Error evaluating the script `{said}`" + (f" at line {line}" if line else ""), "error")


def test_a_lambda_keeps_its_line_numbers(sandbox: Sandbox) -> None:
    end = sandbox.evaluate(Script("lambda", "\n\nreturn x + 1", {}))
    assert end == ScriptFailed("Error evaluating the script `ReferenceError: x is not defined` at line 3", "error")  # C


JQ = [
    ('error("boo")', "boo"),  # C
    ("error({a: 1})", '{"a": 1}'),
    ("error(null)", "null"),  # C
    ("1 / 0", "number (1) and number (0) cannot be divided because the divisor is zero"),  # C
    ('1, error("late")', "late"),
    (".n + {}", "number (3) and object ({}) cannot be added"),
    (".x +", "jq: error: syntax error, unexpected end of file at <top-level>, line 1, column 4:\n    .x +\n       ^\njq: 1 compile error"),
    ("foo", "jq: error: foo/0 is not defined at <top-level>, line 1, column 1:\n    foo\n    ^^^\njq: 1 compile error"),
    ("", 'jq: error: Top-level program not given (try ".")\njq: 1 compile error'),
    ("# only a comment", 'jq: error: Top-level program not given (try ".")\njq: 1 compile error'),
    ("def f: 1;", 'jq: error: Top-level program not given (try ".")\njq: 1 compile error'),
]


@pytest.mark.parametrize(("source", "reason"), JQ)
def test_a_query_fails_in_the_words_of_jq(sandbox: Sandbox, source: str, reason: str) -> None:
    assert sandbox.evaluate(Script("jq", source, {"n": 3})) == ScriptFailed(reason, "error")


READABLE = [
    ("javascript", "$.x > 1 ? 'a' : 'b'"),
    ("javascript", "throw new Error('only when run')"),
    ("javascript", "while (true) {}"),
    ("javascript", ""),
    ("javascript", "// comment"),
    ("javascript", "'use strict'; let a; function b() {}"),
    ("lambda", "return $.x"),
    ("lambda", "for (;;) {}"),
    ("jq", ".x | def f: f; f"),
    ("jq", 'error("only when run")'),
]


@pytest.mark.parametrize(("language", "source"), READABLE)
def test_what_can_be_read_has_no_syntax_error_and_is_not_run(sandbox: Sandbox, language: str, source: str) -> None:
    assert sandbox.syntax_error(language, source) is None


UNREADABLE = [
    ("javascript", "return 1", "Error evaluating the script `SyntaxError: return not in a function` at line 1"),
    ("javascript", "\nlet a;\nlet a;", "Error evaluating the script `SyntaxError: invalid redefinition of lexical identifier` at line 3"),
    ("javascript", "if (", "Error evaluating the script `SyntaxError: unexpected token in expression: ''` at line 1"),
    ("lambda", "if (", "Error evaluating the script `SyntaxError: unexpected token in expression: '}'` at line 2"),
    ("jq", ".[", "jq: error: syntax error, unexpected end of file"),
]


@pytest.mark.parametrize(("language", "source", "reason"), UNREADABLE)
def test_what_cannot_be_read_says_why(sandbox: Sandbox, language: str, source: str, reason: str) -> None:
    error: Any = sandbox.syntax_error(language, source)
    assert error is not None and error.startswith(reason)
