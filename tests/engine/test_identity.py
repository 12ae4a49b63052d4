"""Ids of executions: valid, in order, and apart from each other in the part that task ids carry."""

from __future__ import annotations

import uuid

from batuta.core.model.ids import PREFIX_LENGTH, task_id
from batuta.engine.identity import Ids

NOW = 1_700_000_000_000


def test_an_id_is_a_uuid_that_begins_with_the_time() -> None:
    one = Ids(lambda: NOW).next()
    assert (uuid.UUID(one).version, uuid.UUID(one).variant, str(uuid.UUID(one))) == (7, uuid.RFC_4122, one)
    assert uuid.UUID(one).int >> 80 == NOW


def test_ids_grow_within_a_millisecond_over_its_end_and_when_the_clock_stands_or_goes_back() -> None:
    clock = [NOW]
    ids = Ids(lambda: clock[0])
    made = []
    for now in (NOW, NOW, NOW + 1, NOW - 50, NOW + 7):
        clock[0] = now
        made += [ids.next() for _ in range(5_000)]  # more than the counter holds
    assert made == sorted(set(made))


def test_no_two_ids_share_what_their_tasks_ids_begin_with() -> None:
    ids = Ids(lambda: NOW)
    made = [ids.next() for _ in range(20_000)]
    assert len({one[:PREFIX_LENGTH] for one in made}) == len(made)
    assert len({task_id(one, 1) for one in made}) == len(made)


def test_two_sources_at_one_instant_differ() -> None:
    one, other = Ids(lambda: NOW), Ids(lambda: NOW)
    assert not {one.next() for _ in range(2_000)} & {other.next() for _ in range(2_000)}
