"""
Cron: when a schedule is due, as Spring's six-field expressions say it.

`second minute hour day-of-month month day-of-week`: numbers, names (JAN, MON), lists, ranges, steps, `*` and `?`; for days also L, L-n, LW, nW
(weekday nearest the n-th), d#n (n-th such weekday) and dL (last such weekday); and @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly.
A day must meet both day fields.

A tick is an instant at which the wall clock of the zone shows a matching time. Where the clock is set ahead, times it never shows are no
ticks. Where it is set back and shows an hour twice, an expression that names hours ticks the first time only, and one for every hour
goes on ticking as time passes.

Here: expressions and the search for the next tick. Not here: which schedules there are and what they start (engine/schedules.py).
Instants are epoch milliseconds. Source: Spring 6 CronExpression; conductor-semantics.md §7.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final, NamedTuple

from batuta.errors import Invalid

HORIZON_YEARS: Final = 40  # the 29th of February falls on a given weekday at least this often, the year 2100 included
YEAR_LAST: Final = 9990  # datetime ends with 9999
TURNS_MAX: Final = 20_000  # of the search: two hours of seconds shown twice, and room to spare
_DAY_S: Final = 86_400
_PROBE_S: Final = 6 * 3_600  # no zone changes its offset twice in a shorter time
_EPOCH: Final = datetime(1970, 1, 1)
_INSTANT_MAX: Final = int((datetime(YEAR_LAST, 1, 1) - _EPOCH).total_seconds()) * 1000
_MACROS: Final = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTHS: Final = {name: n for n, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1)}
_WEEKDAYS: Final = {name: n for n, name in enumerate(("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"), 1)}


class _Kind(NamedTuple):
    """A field: its place, its name, and the numbers and names that may stand in it."""

    place: int
    name: str
    least: int
    most: int
    names: Mapping[str, int] = MappingProxyType({})

    def wrong(self, text: str, found: str, expected: str) -> Invalid:
        return Invalid(f"cron expression {text!r}: field {self.place} ({self.name}) has {found!r}; expected {expected}")


_FIELDS: Final = (
    _Kind(1, "second", 0, 59),
    _Kind(2, "minute", 0, 59),
    _Kind(3, "hour", 0, 23),
    _Kind(4, "day of month", 1, 31),
    _Kind(5, "month", 1, 12, _MONTHS),
    _Kind(6, "day of week", 0, 7, _WEEKDAYS),
)
_EVERY_HOUR: Final = (1 << 24) - 1


class _Special(NamedTuple):
    """A day that depends on the month: L, L-n, LW, nW (what `L`, `LW`, `W`, with its number), d#n and dL (`#`, `dL`, with the weekday 0 = Monday)."""

    what: str
    n: int
    weekday: int = 0

    def day(self, year: int, month: int) -> int:
        """The day of the month; 0 when the month has none."""
        first, length = calendar.monthrange(year, month)
        match self.what:
            case "L":
                return max(length - self.n, 0)
            case "LW":
                return length - max((first + length - 1) % 7 - 4, 0)
            case "W":
                return _near(self.n, (first + self.n - 1) % 7, length) if self.n <= length else 0
            case "#":
                day = 1 + (self.weekday - first) % 7 + 7 * (self.n - 1)
                return day if day <= length else 0
            case _:
                return length - (first + length - 1 - self.weekday) % 7


def _near(day: int, weekday: int, length: int) -> int:
    """The Monday to Friday nearest to the day, within its month."""
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < length else day - 2
    return day


class Cron:
    """A parsed expression. `text` is what was given."""

    __slots__ = ("_dom", "_dow", "_hours", "_known", "_minutes", "_months", "_names_hours", "_seconds", "_special_dom", "_special_dow", "text")

    def __init__(self, text: str) -> None:
        """
        Raises:
            Invalid: it is no expression; the message names the field, what was found and what was expected.
        """
        self.text = text
        fields = _MACROS.get(text.strip().lower(), text).split()
        if len(fields) != 6:
            raise Invalid(f"cron expression {text!r} has {len(fields)} fields; expected 6: second minute hour day-of-month month day-of-week")
        self._seconds, self._minutes, self._hours = (_bits(text, kind, field) for kind, field in zip(_FIELDS, fields[:3], strict=False))
        self._months = _bits(text, _FIELDS[4], fields[4])
        self._dom, self._special_dom = _days_of_month(text, fields[3])
        self._dow, self._special_dow = _days_of_week(text, fields[5])
        self._names_hours = self._hours != _EVERY_HOUR
        self._known: tuple[int, int, int] = (0, 0, 0)  # the days of the month looked at last

    def next_after(self, instant: int, zone: tzinfo) -> int | None:
        """The first tick later than the instant, by the wall clock of the zone; None when there is none in forty years, or before the year 9990."""
        if not 0 <= instant < _INSTANT_MAX:
            return None if instant > 0 else self.next_after(0, zone)
        at = instant // 1000 + 1
        for _ in range(TURNS_MAX):
            here = _reading(at, zone)
            found = self._first(here)
            if found is None:
                return None
            ahead = int((found - here).total_seconds())
            if (change := _change(at, min(ahead, 2 * _DAY_S), zone)) is not None:
                at = change  # from there on the clock reads differently
            elif ahead > 2 * _DAY_S:
                at += ahead - _DAY_S
            elif self._names_hours and _is_second_time(at + ahead, zone):
                at += ahead + 1
            else:
                return (at + ahead) * 1000
        return None

    def _first(self, at: datetime) -> datetime | None:
        """The first matching wall-clock time, this one included, on a clock that is never set."""
        if self._days(at.year, at.month) >> at.day & 1 and (time := self._time(at.hour, at.minute, at.second)) is not None:
            return at.replace(hour=time[0], minute=time[1], second=time[2])
        year, month, day = at.year, at.month, at.day + 1
        for _ in range(HORIZON_YEARS * 12 + 1):
            found = _from(self._days(year, month), day)
            if found >= 0:
                return datetime(year, month, found, _from(self._hours, 0), _from(self._minutes, 0), _from(self._seconds, 0))
            day, month = 1, month + 1
            if month > 12:
                year, month = year + 1, 1
            if year > YEAR_LAST:
                break
        return None

    def _days(self, year: int, month: int) -> int:
        """The matching days of a month, a bit each."""
        known = self._known
        if known[0] == year and known[1] == month:
            return known[2]
        days = 0
        if self._months >> month & 1:
            first, length = calendar.monthrange(year, month)
            dom, dow = self._dom, 0
            for special in self._special_dom:
                dom |= 1 << special.day(year, month)
            for special in self._special_dow:
                dow |= 1 << special.day(year, month)
            for day in range(1, length + 1):
                if self._dow >> (first + day - 1) % 7 & 1:
                    dow |= 1 << day
            days = dom & dow & (1 << length + 1) - 2
        self._known = (year, month, days)
        return days

    def _time(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        """The first matching time of a day from this one on."""
        first_minute, first_second = _from(self._minutes, 0), _from(self._seconds, 0)
        if self._hours >> hour & 1:
            if self._minutes >> minute & 1 and (later := _from(self._seconds, second)) >= 0:
                return hour, minute, later
            if (later := _from(self._minutes, minute + 1)) >= 0:
                return hour, later, first_second
        later = _from(self._hours, hour + 1)
        return (later, first_minute, first_second) if later >= 0 else None


def _from(bits: int, n: int) -> int:
    """The lowest bit that is set, from the n-th on; -1 when there is none."""
    left = bits >> n
    return n + (left & -left).bit_length() - 1 if left else -1


# -- the wall clock -----------------------------------------------------------------------------------------------------------------


def _reading(at: int, zone: tzinfo) -> datetime:
    """What the wall clock shows, as a plain time."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def _offset_s(at: int, zone: tzinfo) -> int:
    return int((_reading(at, zone) - _EPOCH).total_seconds()) - at


def _change(at: int, within_s: int, zone: tzinfo) -> int | None:
    """The first second later than *at*, at most so many later, that has another offset; None when all have the same."""
    offset, low, end = _offset_s(at, zone), at, at + within_s
    while low < end:
        high = min(low + _PROBE_S, end)
        if _offset_s(high, zone) != offset:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset_s(middle, zone) == offset else (low, middle)
            return high
        low = high
    return None


def _is_second_time(at: int, zone: tzinfo) -> bool:
    """Whether the wall clock has shown this time before, having been set back since."""
    return datetime.fromtimestamp(at, zone).fold == 1


# -- reading ------------------------------------------------------------------------------------------------------------------------


def _bits(text: str, kind: _Kind, field: str) -> int:
    """A field of numbers, ranges and steps; a bit for each number."""
    bits = 0
    for part in field.split(","):
        span, slash, step = part.partition("/")
        low, high = _span(text, kind, span)
        if slash:
            if not _is_number(step) or int(step) < 1:
                raise kind.wrong(text, part, "a step of 1 or more behind the '/'")
            high = high if "-" in span else kind.most
        for n in range(low, high + 1, int(step) if slash else 1):
            bits |= 1 << n
    return bits


def _span(text: str, kind: _Kind, span: str) -> tuple[int, int]:
    if span == "*" or (span == "?" and kind.place in (4, 6)):
        return kind.least, kind.most
    first, dash, last = span.partition("-")
    low = _number(text, kind, first, span)
    if not dash:
        return low, low
    high = _number(text, kind, last, span)
    if kind.place == 6 and low == 7:
        low = 0  # a week that begins with Sunday
    if low > high:
        raise kind.wrong(text, span, "a range from lower to higher")
    return low, high


def _number(text: str, kind: _Kind, word: str, found: str) -> int:
    number = kind.names.get(word.upper(), -1)
    if _is_number(word):
        number = int(word)
    if not kind.least <= number <= kind.most:
        names = f" or {next(iter(kind.names))} to {list(kind.names)[-1]}" if kind.names else ""
        raise kind.wrong(text, found, f"{kind.least} to {kind.most}{names}")
    return number


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 4


def _days_of_month(text: str, field: str) -> tuple[int, list[_Special]]:
    kind, plain, special = _FIELDS[3], [], []
    for part in field.upper().split(","):
        if part in ("L", "LW"):
            special.append(_Special(part, 0))
        elif part.startswith("L-"):
            if not _is_number(part[2:]) or not 1 <= int(part[2:]) <= 30:
                raise kind.wrong(text, part, "L-1 to L-30")
            special.append(_Special("L", int(part[2:])))
        elif part.endswith("W"):
            special.append(_Special("W", _number(text, kind, part[:-1], part)))
        else:
            plain.append(part)
    return _bits(text, kind, ",".join(plain)) if plain else 0, special


def _days_of_week(text: str, field: str) -> tuple[int, list[_Special]]:
    """Bits from Monday, 0, to Sunday, 6."""
    kind, plain, special = _FIELDS[5], [], []
    for part in field.upper().split(","):
        day, hash, nth = part.partition("#")
        if hash:
            if not _is_number(nth) or not 1 <= int(nth) <= 5:
                raise kind.wrong(text, part, "a weekday, '#' and 1 to 5")
            special.append(_Special("#", int(nth), (_number(text, kind, day, part) - 1) % 7))
        elif part.endswith("L"):
            special.append(_Special("dL", 0, (_number(text, kind, part[:-1], part) - 1) % 7))
        else:
            plain.append(part)
    bits = _bits(text, kind, ",".join(plain)) if plain else 0
    return sum(1 << n for n in range(7) if bits >> n + 1 & 1 or (n == 6 and bits & 1)), special
