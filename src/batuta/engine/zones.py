"""Zones by the names that Java's ZoneId takes: those of the tz database, and fixed offsets."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from batuta.errors import Invalid

_OFFSET: Final = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?")


@lru_cache(maxsize=1_000)
def zone(name: str) -> tzinfo:
    """The zone of this name. Raises Invalid when there is none."""
    if name in ("UTC", "Z", "GMT", "UT"):
        return UTC
    if offset := _OFFSET.fullmatch(name):
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if away <= timedelta(hours=18):
            return timezone(away if offset[1] == "+" else -away)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or a directory of the database
        raise Invalid(f"zone {name!r} is not known; expected a name of this machine's tz database as Europe/Prague, UTC, or an offset as +02:00") from None
