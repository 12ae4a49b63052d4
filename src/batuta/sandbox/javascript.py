"""
JavaScript in the child: one fresh QuickJS context a script.

Here: a context with its limits, and what its answer means. What runs inside the context with the script is prelude.js and, for scripts
written against Java's maps and lists, javalike.js. Not here: the wall clock, which belongs to whoever started this process (process.py).
"""

import re
from pathlib import Path
from typing import Any, Final

# The C module, not the `quickjs` package around it, whose import starts a thread: a thread would escape the filter of confine.py.
import _quickjs  # type: ignore[import-not-found]

from batuta.sandbox.protocol import Limits, Reply

# What the native stack may take of the 8 MiB a process usually has; a script that recurses for ever gets a RangeError.
_STACK_BYTES_MAX: Final = 1 << 20

# Calls of methods that Java's maps and lists have. Only a script with one of these in its text pays for them.
_JAVA_METHOD: Final = re.compile(r"\.\s*(?:get|getOrDefault|containsKey|size|isEmpty|keySet|put|remove|contains|add)\s*\(")

# The two top frames of a stack: `    at f (<input>:3:14)`, `    at map (native)`, or `    at <input>:3:14` for a text that cannot be read.
_STACK: Final = re.compile(r"\n    at (.*)(?:\n    at (.*))?")
_LINE: Final = re.compile(r":(\d+):\d+\)?$")

# Where a script makes an error of its own.
_MAKES_AN_ERROR: Final = re.compile(r"\bthrow\s+new\b|\b\w*Error\s*\(")


class JavaScript:
    """Evaluates scripts one by one, each in a world of its own."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._prelude, self._javalike = (Path(__file__).with_name(name).read_text("utf-8") for name in ("prelude.js", "javalike.js"))
        self._next: tuple[Any, Any] | None = None
        self._used: tuple[Any, Any] | None = None
        self.prepare()

    def prepare(self) -> None:
        """Take down the last context and have the next one ready. Both take longer than a small script: to be done while nobody waits."""
        self._used = None
        if self._next is None:
            context = _quickjs.Context()
            context.set_memory_limit(self._limits.memory_bytes_max)
            context.set_max_stack_size(_STACK_BYTES_MAX)
            context.set_time_limit(self._limits.time_limit_s)
            self._next = context, context.eval(self._prelude)

    def evaluate(self, source: str, data: bytes) -> Reply:
        """The end of *source* run as a program, with the JSON text *data* as `$`."""
        context, run = self._take()
        try:
            box = context.parse_json(f'{{"$":{data.decode()}}}')
        except _quickjs.JSException:
            return Reply("memory")  # what the server wrote is JSON, so there was no room for it
        try:
            if _JAVA_METHOD.search(source):
                box = context.eval(self._javalike)(box)
            text = run(box, source, float(self._limits.output_bytes_max)).encode()
        except _quickjs.JSException as error:
            # Without memory for an error object the engine throws null.
            if str(error) == "null\n" and context.memory()["malloc_size"] > self._limits.memory_bytes_max // 2:
                return Reply("memory")
            return _failed(source, str(error))
        if not text or len(text) > self._limits.output_bytes_max:
            return Reply("output")
        return Reply("value", text)

    def check(self, source: str) -> Reply:
        """A value (null) if *source* can be read as a program, an error saying why not otherwise."""
        context, run = self._take()
        try:
            # All of a text is read before any of it runs, and the first thing this one does is to throw.
            run(context.parse_json("{}"), f"throw null;{source}", 0.0)
        except _quickjs.JSException as error:
            if not str(error).startswith("null\n"):
                return _failed(source, str(error))
        return Reply("value", b"null")

    def _take(self) -> tuple[Any, Any]:
        self.prepare()
        assert self._next is not None
        self._used, self._next = self._next, None
        return self._used


def function_body(source: str) -> str:
    """The program that a LAMBDA's *source* stands for; its lines keep their numbers."""
    return f"function scriptFun(){{{source}\n}} scriptFun();"


def _failed(source: str, error: str) -> Reply:
    """The reply for an uncaught exception, which the engine gives us as its text and, below, its stack."""
    stack = _STACK.search(error)
    said = error[: stack.start()] if stack else error.removesuffix("\n").removesuffix("\nundefined")
    if said == "InternalError: interrupted":
        return Reply("timeout")
    if said == "InternalError: out of memory" or error.startswith("(Failed obtaining"):  # not even a text could be made
        return Reply("memory")
    return Reply.complaint(said, _line(source, stack))


def _line(source: str, stack: re.Match[str] | None) -> int:
    """
    The line that Conductor names, 0 for none.

    It names the line of what the engine itself objects to and of a bare value that is thrown, but none for an error that the script made,
    nor for one out of a built-in. The engine tells no place for a bare value: it is known only in a script of one line. Nor does it tell
    who made an error: a line that throws one is taken to have thrown its own.
    """
    if stack is None:
        return 1 if "\n" not in source.strip() else 0
    top, caller = stack[1], stack[2] or ""
    place = _LINE.search(top)
    lines = source.split("\n")
    if place is None or int(place[1]) > len(lines):
        return 0
    if top.startswith("<input>") and caller.endswith("(native)") and not caller.startswith("eval "):  # JSON.parse, RegExp
        return 0
    line = int(place[1])
    return 0 if _MAKES_AN_ERROR.search(lines[line - 1]) else line
