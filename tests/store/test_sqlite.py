"""
The store in a SQLite file: the promises of every store.
"""

from __future__ import annotations

from pathlib import Path

import conformance
import conformance_questions
import pytest

from batuta.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "store.db")


class TestWriting(conformance.Writing): ...


class TestRemoving(conformance.Removing): ...


class TestOrdering(conformance.Ordering): ...


class TestLiving(conformance.Living): ...


class TestQuestions(conformance_questions.Questions): ...


class TestSearching(conformance_questions.Searching): ...


class TestAgreement(conformance_questions.Agreement): ...
