"""
jq in the child: queries compiled once, run often.

jq has no limits of its own and cannot be interrupted: time is kept by whoever started this process (process.py), memory by the address
space, which ends the process when it is used up. The query is wrapped so that jq itself writes the JSON text: numbers it has not
calculated with keep their digits (9007199254740993, 2.0), which its Python values would lose.
"""

import re
from collections import OrderedDict
from typing import Any, Final

import jq  # type: ignore[import-not-found]

from batuta.sandbox import confine
from batuta.sandbox.protocol import Limits, Reply

# Compiling takes 1.5-2.7 ms, running a small query 3 µs; a compiled query holds 15 KB.
_COMPILED_MAX: Final = 256

# In parentheses these three are syntax errors or have no effect; alone, jq would look for files.
_LOOKS_FOR_FILES: Final = re.compile(r"\b(?:import|include|modulemeta)\b")
_NO_MODULES: Final = 'def modulemeta: error("modulemeta is not available: queries have no modules"); '


class Jq:
    """Evaluates queries one by one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._compiled: OrderedDict[str, Any] = OrderedDict()

    def evaluate(self, source: str, data: bytes) -> Reply:
        """All outputs of *source* for the JSON text *data*, as one JSON list."""
        confine.allow_address_space(self._limits.memory_bytes_max + 2 * len(data))
        try:
            return self._run(self._program(source), data.decode())
        except ValueError as error:
            return Reply.complaint(str(error))
        finally:
            confine.allow_address_space(1 << 62)

    def check(self, source: str) -> Reply:
        """A value (null) if *source* can be compiled, an error saying why not otherwise."""
        try:
            self._program(source)
        except ValueError as error:
            return Reply.complaint(str(error))
        return Reply("value", b"null")

    def _run(self, program: Any, document: str) -> Reply:
        written = bytearray(b"[")
        for output in program.input_text(document):
            if not isinstance(output, str):
                return Reply.complaint("the query redefines how its outputs are written")
            if len(written) > 1:
                written += b","
            written += output.encode("utf-8", "replace")
            if len(written) >= self._limits.output_bytes_max:
                return Reply("output")
        return Reply("value", bytes(written + b"]"))

    def _program(self, source: str) -> Any:
        program = self._compiled.pop(source, None)
        if program is None:
            program = _compile(source)
            if len(self._compiled) >= _COMPILED_MAX:
                self._compiled.popitem(last=False)
        self._compiled[source] = program
        return program


def _compile(source: str) -> Any:
    """
    Raises:
        ValueError: jq's own words on why it cannot be compiled.
    """
    try:
        return jq.compile(f"{_NO_MODULES}({source}\n) | tojson")
    except ValueError:
        if _LOOKS_FOR_FILES.search(source):
            raise ValueError("jq: error: import and include are not available: queries have no modules")
        jq.compile(source)  # without our wrapping jq names the user's own lines and columns
        raise
