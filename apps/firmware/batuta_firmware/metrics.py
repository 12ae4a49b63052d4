"""
What a build log says: how full flash and RAM are, and every warning once.

Here: reading PlatformIO's and the compilers' output. Not here: what is too much (gates.py).
A missing line is an error and never a zero: a zero passes every gate. Percentages are worked out from the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from batuta_firmware.errors import Lasting

_SIZE = re.compile(r"^(RAM|Flash):\s+\[[= ]*\]\s+[\d.]+%\s+\(used (\d+) bytes from (\d+) bytes\)\s*$", re.MULTILINE)
# Compilers and linkers write "where: warning: what", in lower case; Python's "DeprecationWarning:" is none of ours.
_WARNING = re.compile(r"^(?:(?P<where>\S.*?): )?warning: (?P<what>.+)$", re.MULTILINE)
_FOREIGN = re.compile(r"(?:^|/)(?:\.pio/libdeps|\.platformio|libdeps|packages/framework-[^/]+)/")
WARNINGS_LISTED_MAX = 50


@dataclass(frozen=True, slots=True)
class Usage:
    used_bytes: int
    total_bytes: int

    @property
    def percent(self) -> float:
        """Two decimals, rounded up: what is above a limit never reads as at it."""
        return -(-self.used_bytes * 10_000 // self.total_bytes) / 100


@dataclass(frozen=True, slots=True)
class BuildMetrics:
    flash: Usage
    ram: Usage
    warnings: tuple[str, ...]


def read(log: str, *, foreign: tuple[str, ...] = ()) -> BuildMetrics:
    """
    The figures in *log*, the whole output of one clean build of one environment.

    Warnings from library and framework sources, and from below the folders *foreign*, are not counted.

    Raises:
        Lasting: the RAM or the Flash line is missing.
    """
    usages = {name: Usage(int(used), int(total)) for name, used, total in _SIZE.findall(log)}
    missing = [name for name in ("RAM", "Flash") if name not in usages or usages[name].total_bytes <= 0]
    if missing:
        raise Lasting(
            "sizes_missing",
            f"the build log has no line such as '{missing[0]}: [==  ] 15.0% (used 49168 bytes from 327680 bytes)'",
            fix="Set upload.maximum_size and upload.maximum_ram_size of the board, and do not build with --silent",
        )
    return BuildMetrics(usages["Flash"], usages["RAM"], _warnings(log, foreign))


def _warnings(log: str, foreign: tuple[str, ...]) -> tuple[str, ...]:
    """Each warning once, in order: a header's warnings come once for every file that includes it."""
    found: dict[str, None] = {}
    for match in _WARNING.finditer(log):
        where = match["where"] or ""
        if _FOREIGN.search(where) or any(where.startswith(folder) for folder in foreign):
            continue
        found.setdefault(match[0].rstrip(), None)
    return tuple(found)
