"""
Scripts as values: what to run, what came of it, and how a result steers the flow.

Here: the three small types, the protocol an engine keeps, and Conductor's two readings of a result (a loop's condition, a switch's
case). Not here: running anything. The core hands a `Script` to a `ScriptEngine`; the one that starts processes is `batuta.sandbox`.
Source: conductor-semantics.md §4.1, §4.7, §4.15-§4.17.
"""

from typing import Any, Literal, Protocol

import msgspec

from batuta.core.expr import javatext

Language = Literal["javascript", "lambda", "jq"]


class Script(msgspec.Struct, frozen=True):
    """
    User code and the JSON value it sees.

    *data* is `$` for javascript (a whole program, worth its last expression) and lambda (a function body, worth what it returns),
    and the input document of a jq query.
    """

    language: Language
    source: str
    data: Any


class ScriptValue(msgspec.Struct, frozen=True):
    """What the script came to, as a JSON value; for jq the list of all outputs, possibly empty."""

    value: Any


class ScriptFailed(msgspec.Struct, frozen=True):
    """
    The script gave no value; *reason* is the sentence for the task, in Conductor's words where it has some.

    kind:
        error: the script is wrong or threw; the same data gives the same end.
        timeout, memory, output: it passed a limit of the server.
        unavailable: none of the script's doing (no free process in time, or the process was killed from outside); may be tried again.
    """

    reason: str
    kind: Literal["error", "timeout", "memory", "output", "unavailable"]


class ScriptEngine(Protocol):
    """Runs user code away from the server. Both calls block, are bounded in time and may be made from any thread."""

    def evaluate(self, script: Script) -> ScriptValue | ScriptFailed:
        """The end of one run; nothing of it is left for the next one to see. Never raises for anything the script does."""
        ...

    def syntax_error(self, language: str, source: str) -> str | None:
        """Why *source* cannot be read as *language*, or None. Never runs it. None also when there was nobody free to look."""
        ...


def truthy(value: Any) -> bool:
    """Whether a loop goes on: a boolean as it is, a number above 0; nothing else does, not even the text "true"."""
    if isinstance(value, bool):
        return value
    return isinstance(value, int | float) and value > 0


def case_text(value: Any) -> str:
    """The name of the case a SWITCH takes for *value*: its Java text, so "null", "true", "1", "1.0", "[1, a]", "{k=1}"."""
    return javatext.text(value)
