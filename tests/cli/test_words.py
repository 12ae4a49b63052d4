"""How things read."""

from __future__ import annotations

import pytest

from batuta.cli import words
from batuta.core.model.status import TaskStatus, WorkflowStatus

#       ms            text
DURATIONS = [
    (-5, "0ms"),
    (0, "0ms"),
    (999, "999ms"),
    (1_000, "1.00s"),
    (9_994, "9.99s"),
    (9_996, "10s"),
    (59_400, "59s"),
    (59_600, "1m 00s"),
    (72_000, "1m 12s"),
    (3_599_600, "1h 00m"),
    (7_500_000, "2h 05m"),
    (172_800_000, "2d 0h"),
    (273_600_000, "3d 4h"),
]


@pytest.mark.parametrize(("ms", "text"), DURATIONS)
def test_a_length_of_time_has_at_most_two_units(ms: float, text: str) -> None:
    assert words.duration(ms) == text


#       seconds ago  text
AGES = [
    (0, "just now"),
    (0.4, "just now"),
    (41, "41s ago"),
    (60, "1m ago"),
    (3_599, "59m ago"),
    (7_300, "2h ago"),
    (100_000, "27h ago"),
    (172_800, "2d ago"),
    (-90, "in 1m"),
    (-0.3, "just now"),
]


@pytest.mark.parametrize(("seconds", "text"), AGES)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert words.ago(1_700_000_000_000 - seconds * 1000, 1_700_000_000_000) == text


#       bytes        text
SIZES = [(0, "0 B"), (812, "812 B"), (3_400, "3.4 kB"), (340_000, "340 kB"), (12_300_000, "12.3 MB"), (5e12, "5.0 TB")]


@pytest.mark.parametrize(("count", "text"), SIZES)
def test_a_number_of_bytes_has_its_unit(count: float, text: str) -> None:
    assert words.size(count) == text


#       sentence                                                                     reason
REASONS = [
    (None, ""),
    ("stopped by ana", "stopped by ana"),
    ("Task a-1 failed with status: FAILED and reason: 'no\npaper'", "no\npaper"),
]


@pytest.mark.parametrize(("sentence", "reason"), REASONS)
def test_a_reason_is_what_the_task_said(sentence: str | None, reason: str) -> None:
    assert words.reason(sentence) == reason


def test_every_status_has_a_sign_of_its_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    for unicode in (True, False):
        monkeypatch.setattr(words, "speaks_unicode", lambda unicode=unicode: unicode)
        for status in (*WorkflowStatus, *TaskStatus):
            assert words.sign(status).text not in ("?", ""), status
        assert words.sign("NEW_ONE").text == "?"


def test_a_count_agrees_with_its_noun() -> None:
    assert [words.count(n, "task") for n in (0, 1, 12_400)] == ["0 tasks", "1 task", "12,400 tasks"]
    assert words.count(2, "child", "children") == "2 children"
