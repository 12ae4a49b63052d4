"""Cron expressions: what they mean, against tables and against a model that looks at every second."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batuta.core.cron import Cron
from batuta.errors import Invalid

PRAGUE, NEW_YORK, LORD_HOWE = "Europe/Prague", "America/New_York", "Australia/Lord_Howe"


def millis(text: str, zone: str = "UTC") -> int:
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)


def ticks(expression: str, after: str, zone: str, count: int) -> list[str]:
    cron, at, found = Cron(expression), millis(after, zone), []
    for _ in range(count):
        tick = cron.next_after(at, ZoneInfo(zone))
        if tick is None:
            break
        at = tick
        found.append(datetime.fromtimestamp(tick / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S%z"))
    return found


#    expression                 after                  ticks, in UTC
MEANINGS = [
    ("0 0 * * * ?",             "2027-01-15 08:00:00", ["2027-01-15 09:00:00", "2027-01-15 10:00:00"]),
    ("*/20 * * * * *",          "2027-01-15 08:00:00", ["2027-01-15 08:00:20", "2027-01-15 08:00:40", "2027-01-15 08:01:00"]),
    ("5/20 * * * * *",          "2027-01-15 08:00:00", ["2027-01-15 08:00:05", "2027-01-15 08:00:25", "2027-01-15 08:00:45", "2027-01-15 08:01:05"]),
    ("10-30/10 0 0 * * *",      "2027-01-15 08:00:00", ["2027-01-16 00:00:10", "2027-01-16 00:00:20", "2027-01-16 00:00:30", "2027-01-17 00:00:10"]),
    ("0 30 9 * * MON-FRI",      "2027-01-15 08:00:00", ["2027-01-15 09:30:00", "2027-01-18 09:30:00"]),
    ("0 0 0 * * 0",             "2027-01-15 08:00:00", ["2027-01-17 00:00:00", "2027-01-24 00:00:00"]),
    ("0 0 0 * * 7",             "2027-01-15 08:00:00", ["2027-01-17 00:00:00", "2027-01-24 00:00:00"]),
    ("0 0 0 ? * sun-tue",       "2027-01-15 08:00:00", ["2027-01-17 00:00:00", "2027-01-18 00:00:00", "2027-01-19 00:00:00", "2027-01-24 00:00:00"]),
    ("0 0 0 13 * FRI",          "2027-01-15 08:00:00", ["2027-08-13 00:00:00", "2028-10-13 00:00:00"]),
    ("0 0 6 1 JAN,jul ?",       "2027-01-15 08:00:00", ["2027-07-01 06:00:00", "2028-01-01 06:00:00"]),
    ("0 0 0 L * ?",             "2027-01-31 00:00:00", ["2027-02-28 00:00:00", "2027-03-31 00:00:00"]),
    ("0 0 0 L-3 * ?",           "2027-01-31 00:00:00", ["2027-02-25 00:00:00", "2027-03-28 00:00:00"]),
    ("0 0 0 LW * ?",            "2027-01-15 00:00:00", ["2027-01-29 00:00:00", "2027-02-26 00:00:00", "2027-03-31 00:00:00"]),
    ("0 0 0 1W * ?",            "2027-04-15 00:00:00", ["2027-05-03 00:00:00", "2027-06-01 00:00:00"]),
    ("0 0 0 15W * ?",           "2027-05-01 00:00:00", ["2027-05-14 00:00:00", "2027-06-15 00:00:00"]),
    ("0 0 0 1,L * ?",           "2027-01-15 00:00:00", ["2027-01-31 00:00:00", "2027-02-01 00:00:00", "2027-02-28 00:00:00"]),
    ("0 0 0 ? * MON#2",         "2027-01-15 00:00:00", ["2027-02-08 00:00:00", "2027-03-08 00:00:00"]),
    ("0 0 0 ? * 1#5",           "2027-01-15 00:00:00", ["2027-03-29 00:00:00", "2027-05-31 00:00:00"]),
    ("0 0 0 ? * FRIL",          "2027-01-15 00:00:00", ["2027-01-29 00:00:00", "2027-02-26 00:00:00"]),
    ("0 0 0 ? * 0L,3",          "2027-01-28 00:00:00", ["2027-01-31 00:00:00", "2027-02-03 00:00:00"]),
    ("0 0 12 29 2 MON",         "2073-01-01 00:00:00", ["2112-02-29 12:00:00"]),
    ("0 0 0 30 2 *",            "2027-01-15 00:00:00", []),
    ("0 0 0 31 4,6,9,11 *",     "2027-01-15 00:00:00", []),
    ("@yearly",                 "2027-01-15 08:00:00", ["2028-01-01 00:00:00"]),
    ("@ANNUALLY",               "2027-01-15 08:00:00", ["2028-01-01 00:00:00"]),
    ("@monthly",                "2027-01-15 08:00:00", ["2027-02-01 00:00:00"]),
    ("@weekly",                 "2027-01-15 08:00:00", ["2027-01-17 00:00:00"]),
    ("@daily",                  "2027-01-15 08:00:00", ["2027-01-16 00:00:00"]),
    (" @midnight ",             "2027-01-15 08:00:00", ["2027-01-16 00:00:00"]),
    ("@hourly",                 "2027-01-15 08:00:00", ["2027-01-15 09:00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "after", "expected"), MEANINGS)
def test_an_expression_means_these_instants(expression: str, after: str, expected: list[str]) -> None:
    assert ticks(expression, after, "UTC", max(len(expected), 1)) == [f"{tick}+0000" for tick in expected]


#    zone        expression         after                  ticks on the days when the clock is set
CHANGES = [
    # ahead: times that the clock does not show are no ticks, whatever comes before and after stays where it is on the wall
    (PRAGUE,    "0 0 9 * * *",     "2027-03-27 00:00:00", ["2027-03-27 09:00:00+0100", "2027-03-28 09:00:00+0200", "2027-03-29 09:00:00+0200"]),
    (PRAGUE,    "0 30 2 * * *",    "2027-03-27 00:00:00", ["2027-03-27 02:30:00+0100", "2027-03-29 02:30:00+0200"]),
    (PRAGUE,    "0 30 * * * *",    "2027-03-28 01:00:00", ["2027-03-28 01:30:00+0100", "2027-03-28 03:30:00+0200", "2027-03-28 04:30:00+0200"]),
    (NEW_YORK,  "0 0 2,3 * * *",   "2027-03-14 00:00:00", ["2027-03-14 03:00:00-0400", "2027-03-15 02:00:00-0400"]),
    (LORD_HOWE, "0 15,45 2 * * *", "2027-10-03 00:00:00", ["2027-10-03 02:45:00+1100", "2027-10-04 02:15:00+1100"]),
    # back: named hours tick the first time, every hour goes on as time passes
    (PRAGUE,    "0 30 2 * * *",    "2027-10-30 12:00:00", ["2027-10-31 02:30:00+0200", "2027-11-01 02:30:00+0100"]),
    (PRAGUE,    "0 30 * * * *",    "2027-10-31 01:00:00", ["2027-10-31 01:30:00+0200", "2027-10-31 02:30:00+0200", "2027-10-31 02:30:00+0100",
                                                            "2027-10-31 03:30:00+0100"]),
    (PRAGUE,    "0 0 */2 * * *",   "2027-10-31 00:30:00", ["2027-10-31 02:00:00+0200", "2027-10-31 04:00:00+0100"]),
    (NEW_YORK,  "0 30 1 * * *",    "2027-11-07 00:00:00", ["2027-11-07 01:30:00-0400", "2027-11-08 01:30:00-0500"]),
    (LORD_HOWE, "0 45 1 * * *",    "2027-04-04 00:00:00", ["2027-04-04 01:45:00+1100", "2027-04-05 01:45:00+1030"]),
    (LORD_HOWE, "0 45 * * * *",    "2027-04-04 01:00:00", ["2027-04-04 01:45:00+1100", "2027-04-04 01:45:00+1030", "2027-04-04 02:45:00+1030"]),
    # a year away and a minute before it: the change is not overlooked
    (PRAGUE,    "0 30 * 31 10 *",  "2027-10-31 02:59:00", ["2027-10-31 02:30:00+0100", "2027-10-31 03:30:00+0100"]),
    # zones that are set at midnight, or skip a whole day
    ("America/Sao_Paulo", "0 0 0 * * *",   "2018-11-03 00:00:00", ["2018-11-05 00:00:00-0200"]),
    ("Pacific/Apia",      "0 0 12 * * *",  "2011-12-29 00:00:00", ["2011-12-29 12:00:00-1000", "2011-12-31 12:00:00+1400"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "expression", "after", "expected"), CHANGES)
def test_the_wall_clock_decides_when_it_is_set(zone: str, expression: str, after: str, expected: list[str]) -> None:
    assert ticks(expression, after, zone, len(expected)) == expected


def test_a_search_from_within_the_hour_shown_twice_sees_which_of_the_two_it_is() -> None:
    zone, named, every = ZoneInfo(PRAGUE), Cron("0 30 2 * * *"), Cron("0 30 * * * *")
    first, second = millis("2027-10-31T02:45+02:00"), millis("2027-10-31T02:15+01:00")
    assert every.next_after(first, zone) == every.next_after(second, zone) == millis("2027-10-31T02:30+01:00")
    assert named.next_after(first, zone) == named.next_after(second, zone) == millis("2027-11-01T02:30+01:00")


#    expression              the error names
WRONG = [
    ("",                     "has 0 fields; expected 6"),
    ("* * * * *",            "has 5 fields; expected 6"),
    ("* * * * * * *",        "has 7 fields; expected 6"),
    ("@often",               "has 1 fields; expected 6"),
    ("60 * * * * *",         "field 1 (second) has '60'; expected 0 to 59"),
    ("* -1 * * * *",         "field 2 (minute) has '-1'; expected 0 to 59"),
    ("* * 24 * * *",         "field 3 (hour) has '24'; expected 0 to 23"),
    ("* * * 0 * *",          "field 4 (day of month) has '0'; expected 1 to 31"),
    ("* * * * FOO *",        "field 5 (month) has 'FOO'; expected 1 to 12 or JAN to DEC"),
    ("* * * * * 8",          "field 6 (day of week) has '8'; expected 0 to 7 or MON to SUN"),
    ("? * * * * *",          "field 1 (second) has '?'"),
    ("*/0 * * * * *",        "field 1 (second) has '*/0'; expected a step of 1 or more"),
    ("1/ * * * * *",         "field 1 (second) has '1/'"),
    ("5-3 * * * * *",        "field 1 (second) has '5-3'; expected a range from lower to higher"),
    ("1, * * * * *",         "field 1 (second) has ''"),
    ("* * * L-0 * *",        "field 4 (day of month) has 'L-0'; expected L-1 to L-30"),
    ("* * * W * *",          "field 4 (day of month) has 'W'"),
    ("* * * * * MON#6",      "field 6 (day of week) has 'MON#6'"),
    ("* * * * * L",          "field 6 (day of week) has 'L'"),
    ("٣ * * * * *",          "field 1 (second) has '٣'"),
    ("99999999999 * * * * *", "field 1 (second) has '99999999999'"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "named"), WRONG)
def test_what_is_no_expression_is_refused_by_field(expression: str, named: str) -> None:
    with pytest.raises(Invalid) as error:
        Cron(expression)
    assert named in str(error.value) and repr(expression) in str(error.value)


def test_instants_at_the_edges_of_time_are_answered() -> None:
    assert Cron("@daily").next_after(-5, ZoneInfo("UTC")) == 86_400_000
    assert Cron("@daily").next_after(10**18, ZoneInfo("UTC")) is None
    assert Cron("* * * * * *").next_after(1_999, ZoneInfo("UTC")) == 2_000


# -- the model: every second is looked at, every field asked -----------------------------------------------------------------------------

Fields = tuple[set[int], set[int], set[int], set[int], set[int], set[int]]  # the last: ISO weekdays


def _sets(least: int, most: int) -> st.SearchStrategy[set[int]]:
    return st.one_of(st.just(set(range(least, most + 1))), st.sets(st.integers(least, most), min_size=1, max_size=6))


def _text(numbers: set[int], least: int, most: int) -> str:
    return "*" if numbers == set(range(least, most + 1)) else ",".join(map(str, sorted(numbers)))


def _is_tick(fields: Fields, at: datetime) -> bool:
    second, minute, hour, dom, month, dow = fields
    shown = (at.second in second, at.minute in minute, at.hour in hour, at.day in dom, at.month in month, at.isoweekday() in dow)
    return all(shown) and (at.fold == 0 or len(hour) == 24)


fields_of_days = st.tuples(_sets(0, 59), _sets(0, 59), _sets(0, 23), st.just(set(range(1, 32))), st.just(set(range(1, 13))), _sets(1, 7))
# The days of 2027 on which clocks are set, and an ordinary one.
starts = st.sampled_from(
    ["2027-03-28T00:30Z", "2027-10-31T00:00Z", "2027-03-14T06:30Z", "2027-11-07T05:00Z", "2027-04-03T14:30Z", "2027-10-02T15:00Z", "2027-06-01T12:00Z"]
)
zones = st.sampled_from([PRAGUE, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu"])


@settings(max_examples=150, deadline=None)
@given(fields_of_days, starts, st.integers(0, 7200), zones)
def test_the_next_tick_is_the_first_second_that_matches(fields: Fields, start: str, shift_s: int, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    expression = " ".join(_text(f, low, high) for f, low, high in zip(fields, (0, 0, 0, 1, 1, 1), (59, 59, 23, 31, 12, 7), strict=True))
    after = millis(start) // 1000 + shift_s
    expected = next((t for t in range(after + 1, after + 7200) if _is_tick(fields, datetime.fromtimestamp(t, zone))), None)
    found = Cron(expression).next_after(after * 1000, zone)
    assert found == expected * 1000 if expected is not None else found is None or found >= (after + 7200) * 1000


@settings(max_examples=60, deadline=None)
@given(st.tuples(_sets(0, 59), _sets(0, 23), _sets(1, 31), _sets(1, 12), _sets(1, 7)), zones, st.integers(0, 364))
def test_days_are_those_that_match_both_fields(fields: tuple[set[int], ...], zone_name: str, first_day: int) -> None:
    minute, hour, dom, month, dow = fields
    zone, expression = ZoneInfo(zone_name), f"0 {_text(minute, 0, 59)} {_text(hour, 0, 23)} {_text(dom, 1, 31)} {_text(month, 1, 12)} {_text(dow, 1, 7)}"
    begin = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=first_day)
    after = int(begin.timestamp())
    full: Fields = ({0}, minute, hour, dom, month, dow)
    expected = next((t for t in range(after + 60, after + 30 * 86_400, 60) if _is_tick(full, datetime.fromtimestamp(t, zone))), None)
    found = Cron(expression).next_after(after * 1000, zone)
    assert found == expected * 1000 if expected is not None else found is None or found >= (after + 30 * 86_400) * 1000


@given(st.sampled_from(["L", "LW", "L-2", "15W", "28W", "1W"]), st.integers(2024, 2060), st.integers(1, 12))
def test_special_days_of_a_month_are_working_days_or_last_days(field: str, year: int, month: int) -> None:
    length = calendar.monthrange(year, month)[1]
    tick = Cron(f"0 0 0 {field} {month} ?").next_after(millis(f"{year}-{month:02}-01T00:00:00+00:00") - 1, ZoneInfo("UTC"))
    assert tick is not None
    day = datetime.fromtimestamp(tick / 1000, UTC)
    assert day.month == month
    if field.endswith("W"):
        assert day.isoweekday() <= 5 and abs(day.day - {"LW": length, "15W": 15, "28W": 28, "1W": 1}[field]) <= 2
    else:
        assert day.day == length - (2 if field == "L-2" else 0)


def test_ticks_follow_each_other_without_a_gap_over_a_year_with_both_changes() -> None:
    zone, cron = ZoneInfo(PRAGUE), Cron("0 */30 * * * *")
    at, end, seen = millis("2027-01-01", PRAGUE), millis("2028-01-01", PRAGUE), []
    while at < end:
        at = cron.next_after(at, zone) or end
        seen.append(at)
    assert {b - a for a, b in pairwise(seen)} == {1_800_000} and len(seen) == 365 * 48
