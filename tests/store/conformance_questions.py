"""
What every store promises about its answers: conditions, order, limits. Run for each backend by its own test module.

`Agreement` plays the same random history on the backend and on the reference implementation and compares every answer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from storekit import DEFINITION, T0, everything, head, letter, lines, move, new_id, outcome, remove, start, task, task_id

from batuta.core.freetext import parse_text
from batuta.core.query import All, Query, Sort, parse
from batuta.errors import Invalid
from batuta.store.fields import READABLE
from batuta.store.memory import MemoryStore
from batuta.store.protocol import Alarm, Claimable, Commit, Document, LogRow, PushedRow, Store, Tally


class Questions:
    """Searching, listing, counting."""

    #    condition                                                      rows found, oldest first
    FIND: Sequence[tuple[dict[str, Any], str]] = [
        ({}, "ABCDE"),
        ({"name": "demo"}, "ABE"),
        ({"name": "nobody"}, ""),
        ({"definition_version": 2}, "BC"),
        ({"name": "demo", "definition_version": 2}, "B"),
        ({"correlation_id": "c"}, "BD"),
        ({"statuses": ["RUNNING"]}, "ACE"),
        ({"statuses": ["FAILED", "RUNNING"]}, "ACDE"),
        ({"statuses": ["RUNNING"], "name": "demo"}, "AE"),
        ({"created_from": T0 + 2}, "CDE"),
        ({"created_to": T0 + 2}, "ABC"),
        ({"created_from": T0 + 1, "created_to": T0 + 2}, "BC"),
        ({"limit": 2}, "AB"),
        ({"limit": 2, "newest_first": True}, "ED"),
        ({"newest_first": True, "statuses": ["RUNNING"], "limit": 2}, "EC"),
        ({"limit": 0}, ""),
    ]

    @pytest.mark.parametrize(("asked", "expected"), FIND)
    async def test_find(self, store: Store, asked: dict[str, Any], expected: str) -> None:
        rows = {
            "B": start("B", correlation_id="c", definition_version=2, status="COMPLETED", created_at=T0 + 1),
            "A": start("A", created_at=T0, input=b"i" * 5_000),
            "D": start("D", name="other", correlation_id="c", status="FAILED", created_at=T0 + 3),
            "C": start("C", name="other", definition_version=2, created_at=T0 + 2),
            "E": start("E", created_at=T0 + 3),  # as old as D, but came later
        }
        await store.submit(list(rows.values()))
        found = await store.find(**asked)
        assert "".join(one.execution_id for one in found) == expected
        for one in found:
            row = rows[one.execution_id].head
            assert row is not None
            assert (one.head.doc, one.head.input, one.head.output) == (row.doc, row.input or b"{}", b"{}")

    async def test_heads_come_in_the_order_asked_for(self, store: Store) -> None:
        ids = [new_id() for _ in range(600)]
        await store.submit([start(id, task(id, 1), variables=b"v" * (5_000 if at < 3 else 5)) for at, id in enumerate(ids)])
        asked = [*reversed(ids), "missing", ids[5]]
        assert [found.execution_id for found in await store.heads(asked)] == [*reversed(ids), ids[5]]
        assert [len(found.head.variables or b"") for found in await store.heads(ids[:4])] == [5_000, 5_000, 5_000, 5]
        assert await store.heads([]) == []

    async def test_a_task_is_found_by_its_id(self, store: Store) -> None:
        e = new_id()
        sibling = e[:18] + new_id()[18:]  # shares the prefix that task ids are made of
        await store.submit([start(e, task(e, 1), task(e, 2)), start(sibling, task(sibling, 3)), start(new_id())])
        found = [await store.holder_of(id) for id in (task_id(e, 2), task_id(e, 3), task_id(e, 4), "", "a'b", e, task_id(new_id(), 1))]
        assert found == [e, sibling, None, None, None, None, None]

    async def test_the_best_waiting_task_comes_first(self, store: Store) -> None:
        a, b = new_id(), new_id()
        await store.submit(
            [
                start(a, task(a, 1, due_at=T0 + 9), task(a, 2, priority=5, due_at=T0 + 99), task(a, 3, queue="other", priority=3)),
                start(b, task(b, 1, due_at=T0), task(b, 2, "IN_PROGRESS"), task(b, 3, queue=""), task(b, 4, due_at=T0 + 9), task(b, 5, "FAILED")),
            ]
        )
        queued = [
            Claimable("simple", 5, T0 + 99, a, 2),
            Claimable("simple", 0, T0, b, 1),
            Claimable("simple", 0, T0 + 9, a, 1),
            Claimable("simple", 0, T0 + 9, b, 4),
        ]
        assert await store.claimable("simple", limit=10) == queued
        assert await store.claimable("simple", limit=2) == queued[:2]
        assert await store.claimable(None, limit=10) == [queued[0], Claimable("other", 3, T0, a, 3), *queued[1:]]
        assert await store.claimable("nobody", limit=10) == []
        assert await store.queue_sizes() == {"simple": 4, "other": 1}
        await store.submit([move(a, 1, task(a, 2, "IN_PROGRESS"), task(a, 3, "COMPLETED", queue="other"))])
        assert await store.claimable(None, limit=10) == queued[1:]
        assert await store.queue_sizes() == {"simple": 3}

    async def test_what_workers_hold_is_listed(self, store: Store) -> None:
        a = new_id()
        rows = [task(a, 1, "IN_PROGRESS"), task(a, 2, "IN_PROGRESS", type="other", queue="other:domain"), task(a, 3), task(a, 4, "IN_PROGRESS", queue="")]
        await store.submit([start(a, *rows)])
        everyone = sorted((taken.queue, taken.n) for taken in await store.in_progress(None, limit=10))
        assert everyone == [("other:domain", 2), ("simple", 1)]
        assert await store.in_progress("other", limit=10) == [Claimable("other:domain", 0, T0, a, 2)]
        assert len(await store.in_progress(None, limit=1)) == 1
        assert await store.in_progress("nobody", limit=10) == []

    async def test_alarms_come_soonest_first_and_may_be_moved(self, store: Store) -> None:
        a, b, c = new_id(), new_id(), new_id()
        await store.submit([start(a, wake_at=T0 + 2), start(b), start(c, wake_at=T0 + 1)])
        assert await store.alarms(limit=9) == [Alarm(T0 + 1, c), Alarm(T0 + 2, a)]
        assert await store.alarms(limit=1) == [Alarm(T0 + 1, c)]
        await store.submit([move(a, 1), move(b, 1, wake_at=T0), move(c, 1, wake_at=T0 + 5)])
        assert await store.alarms(limit=9) == [Alarm(T0, b), Alarm(T0 + 5, c)]

    async def test_letters_come_in_the_order_written_and_by_kind(self, store: Store) -> None:
        e = new_id()
        first = start(e)
        first.outbox = [letter("late", T0 + 9), letter("b", T0), letter("a", T0)]
        await store.submit([first])
        assert [row.id for row in await store.outbox(limit=9)] == ["late", "b", "a"]
        assert [row.id for row in await store.outbox(limit=1)] == ["late"]
        await store.submit([Commit(e, -1, outbox=[letter("late", T0 - 1, body=b'{"again":1}')], delivered=["b", "unknown"])])
        await store.submit([Commit(e, -1, outbox=[letter("other", kind="odd")])])
        assert [row.id for row in await store.outbox(limit=9, kinds=["odd", "none"])] == ["other"]
        assert await store.outbox(limit=9, kinds=[]) == []
        counts = await store.statistics()
        assert counts["outbox"] == 3 and counts["outbox.odd"] == 1
        await store.submit([Commit(e, -1, delivered=["other"])])
        assert await store.outbox(limit=9) == [letter("late", T0 - 1, body=b'{"again":1}'), letter("a", T0)]

    async def test_a_letter_written_and_delivered_at_once_is_gone(self, store: Store) -> None:
        a, b = new_id(), new_id()
        sends, takes = start(a), start(b)
        sends.outbox, takes.delivered = [letter("m1"), letter("m2")], ["m1"]
        await store.submit([sends, takes])
        assert [row.id for row in await store.outbox(limit=9)] == ["m2"]

    async def test_log_lines_keep_their_order(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e, task(e, 1), task(e, 2))])
        for texts in (["a", "b"], ["c"]):
            await store.submit([Commit(e, -1, logs=[*lines(task_id(e, 1), *texts), *lines(task_id(e, 2), "else")])])
        assert await store.logs(task_id(e, 1)) == [LogRow(task_id(e, 1), T0 + at, text) for at, text in ((0, "a"), (1, "b"), (0, "c"))]
        assert await store.logs("no-such-task") == []

    async def test_the_expired_are_those_that_ended_before(self, store: Store) -> None:
        a, b, c, d = (new_id() for _ in range(4))
        await store.submit([start(a, ended_at=T0 + 2), start(b, ended_at=T0), start(c), start(d, ended_at=T0 + 1)])
        assert await store.expired(T0 + 2, limit=9) == [b, d]
        assert await store.expired(T0 + 3, limit=2) == [b, d]
        await store.submit([move(b, 1, ended_at=0)])
        assert await store.expired(T0 + 9, limit=9) == [d, a]

    async def test_documents(self, store: Store) -> None:
        first = [Document("kind", "b", 2, b"{}"), Document("kind", "b", 10, b"{}"), Document("kind", "a", 1, b"1" * 9_000), Document("other", "a", 1, b"{}")]
        await store.put(first)
        assert await store.documents("kind") == [first[2], first[0], first[1]]
        await store.put([Document("kind", "a", 1, b"2")], delete=[("kind", "b", 2), ("kind", "nobody", 1)])
        assert await store.documents("kind") == [Document("kind", "a", 1, b"2"), first[1]]
        assert await store.documents("nothing") == []

    async def test_find_leaves_payloads_out_when_asked(self, store: Store) -> None:
        a = new_id()
        await store.submit([start(a, input=b'{"large":1}')])
        [found] = await store.find(payloads=False)
        assert (found.execution_id, found.head.input, found.head.output, found.head.variables) == (a, None, None, None)
        assert [one.head.input for one in await store.find()] == [b'{"large":1}']

    async def test_a_tally_counts_names_by_status(self, store: Store) -> None:
        await store.submit(
            [
                start(new_id(), name="b", created_at=T0),
                start(new_id(), name="a", created_at=T0),
                start(new_id(), name="a", created_at=T0 + 5),
                start(new_id(), name="a", created_at=T0 + 5, status="FAILED"),
            ]
        )
        assert await store.tally(T0 + 5) == [Tally("a", "FAILED", 1, 1), Tally("a", "RUNNING", 2, 1), Tally("b", "RUNNING", 1, 0)]
        assert [(t.total, t.recent) for t in await store.tally(0)] == [(1, 1), (2, 2), (1, 1)]

    async def test_statistics_count_what_is_there(self, store: Store) -> None:
        a, b, c = new_id(), new_id(), new_id()
        first = start(a, task(a, 1), task(a, 2))
        first.logs, first.outbox = lines(task_id(a, 1), "x", "y"), [letter("l")]
        gone = move(a, 1, task(a, 1, "COMPLETED"), status="COMPLETED")
        gone.gone = [2, 5]
        await store.submit([first, gone, start(b, task(b, 1)), start(c, task(c, 1), task(c, 2), status="PAUSED"), remove(c, 1)])
        await store.put([Document("kind", "k", 1, b"{}")])
        counted = await store.statistics()
        assert counted.pop("bytes") > 0
        assert counted == {
            "executions": 2, "executions.COMPLETED": 1, "executions.RUNNING": 1, "tasks": 2, "outbox": 1, "outbox.tell": 1, "documents": 1, "logs": 2,
        }  # fmt: skip


NO = "refused"  # executions have no such field or status, or tasks have none


class Searching:
    """What the search language finds, and in which order. The language itself: tests/core/test_query.py."""

    #    query                                               words       executions   tasks
    SEARCH: Sequence[tuple[str, str, str, str]] = [
        ("", "", "CBA", "B1 A2 A1"),
        ("status = RUNNING", "", "CA", NO),
        ("status IN (FAILED, COMPLETED)", "", "B", "B1"),
        ("status NOT IN (FAILED)", "", "CA", "B1 A2 A1"),
        ("workflowType = de*", "", "CA", "A2 A1"),
        ("workflowType STARTS_WITH ot", "", "B", "B1"),
        ("workflowType STARTS_WITH OT", "", "", ""),
        ("workflowType STARTS_WITH *", "", "", ""),
        (f"startTime > {T0}", "", "CB", ""),
        (f"startTime BETWEEN {T0} AND {T0 + 1} AND status != FAILED", "", "A", ""),
        ("correlationId IS NULL", "", "CA", "A2 A1"),
        ("correlationId IS NOT NULL OR workflowId = A", "", "BA", "B1 A2 A1"),
        ("workflowId = A OR workflowId = B", "needle", "A", ""),
        ("(workflowId = A OR workflowId = B) AND status = FAILED", "", "B", ""),
        ("version = 2", "", "B", NO),
        ("", "NEEDLE", "A", ""),
        ("", "thread", "", "A2"),
        ("", "100%", "", ""),
        ("", '"x":"needle', "A", ""),
        ("", "need*e", "A", ""),
        ("", "needle OR other", "BA", ""),
        ("", "-needle", "CB", "B1 A2 A1"),
        ("", "demo NOT needle", "C", ""),
        ("", "status:RUNNING demo", "CA", NO),
        ("", "status:(FAILED OR SCHEDULED)", NO, "A2 A1"),
        ("", "boom", "B", "B1"),
        ("", "ada", "B", ""),
        ("", "COMPLETED w1", "", "B1"),
        ("", "pl", "", "B1 A2 A1"),
        ("input = needle", "", "A", ""),
        ("input != needle", "", "CB", "B1 A2 A1"),
        ("output = 'thr*ad'", "", "", "A2"),
        ("jsonData = *needle*", "", "A", ""),
        ("jsonData != needle", "", "CB", "B1 A2 A1"),
        ("jsonData = thread", "", "", "A2"),
        ("reasonForIncompletion = *boom*", "", "B", "B1"),
        ("reasonForIncompletion IS NULL", "", "CA", "A2 A1"),
        ("createdBy = ada", "", "B", NO),
        ("failedReferenceTaskNames = step1", "", "B", NO),
        ("classifier = workflow", "", "CBA", NO),
        ("classifier IN (agent)", "", "", NO),
        ("classifier != workflow OR status = FAILED", "", "B", NO),
        ("parentWorkflowId = '' AND status IN (RUNNING, FAILED)", "", "CBA", NO),
        ("executionTime > 0", "", "", "B1"),
        ("queueWaitTime >= 5", "", NO, "B1"),
        ("taskDefName = simple AND status != SCHEDULED", "", NO, "B1"),
        ("correlationId STARTS_WITH c", "", "B", "B1"),
        ("correlationId STARTS_WITH ''", "", "CBA", "B1 A2 A1"),
        ("workflowId STARTS_WITH A", "", "A", "A2 A1"),
        ("version STARTS_WITH 2", "", "B", NO),
        ("parentWorkflowId IS NULL AND status IN (RUNNING)", "", "CA", NO),
        ("workflowType IS NOT NULL", "", "CBA", "B1 A2 A1"),
        ("endTime IS NULL", "", "", ""),
        ("modifiedTime >= 0 AND createTime > 0 AND workflowVersion = 2", "", "B", NO),  # as Conductor's user interface calls them
        ("", "workflowName:other", "B", "B1"),
        ("taskReferenceName = step2 OR workflowInstanceId = B", "", NO, "B1 A2"),
        ("outputData = thread AND inputData != needle", "", NO, "A2"),
    ]

    @pytest.mark.parametrize(("query", "words", "executions", "tasks"), SEARCH)
    async def test_search(self, store: Store, query: str, words: str, executions: str, tasks: str) -> None:
        await store.submit(
            [
                start("A", task("A", 1), task("A", 2, output=b'{"x":"thread"}' + b" " * 9_000), input=b'{"x":"Needle"}'),
                start(
                    "B",
                    task("B", 1, "COMPLETED", doc=b'{"reason":"it went boom","worker":"w1","scheduled_at":10,"started_at":15,"ended_at":20}'),
                    name="other", status="FAILED", correlation_id="c", definition_version=2, created_at=T0 + 1,
                    doc=b'{"reason":"it went boom","created_by":"ada","failed_refs":["step1"]}',
                ),
                start("C", created_at=T0 + 5),
            ]
        )
        assert await answered(store, "executions", query, words) == (NO if executions == NO else (len(executions), [(id, 0) for id in executions]))
        assert await answered(store, "tasks", query, words) == (NO if tasks == NO else (len(tasks.split()), [(one[0], int(one[1])) for one in tasks.split()]))

    async def test_a_page_is_a_part_of_the_order(self, store: Store) -> None:
        await store.submit([start(f"e{at}", created_at=T0 + at % 3, correlation_id=str(at % 2)) for at in range(9)])
        order = [Sort("startTime", False), Sort("correlationId", True)]
        whole = await store.search("executions", None, sort=order)
        assert whole == (9, [(f"e{at}", 0) for at in (3, 6, 0, 7, 1, 4, 5, 8, 2)])
        assert await store.search("executions", None, sort=order, start=4, size=3) == (9, whole[1][4:7])
        assert await store.search("executions", None, start=9, size=3) == (9, [])
        assert await store.search("executions", None, sort=[Sort("createTime", False), Sort("correlationId", True)]) == whole

    #    kind          query                                      said of it
    NEVER: Sequence[tuple[Literal["executions", "tasks"], str, str]] = [
        ("executions", "startTime > yesterday", "query field 'startTime': found 'yesterday', expected epoch milliseconds or an ISO date"),
        ("executions", f"version = 1 OR NOT_A_FIELD != {T0}", "query field 'NOT_A_FIELD': executions have no such field, expected one of "),
        ("executions", "taskType = HTTP", "query field 'taskType': executions have no such field, expected one of "),
        ("tasks", "version = 1", "query field 'version': tasks have no such field, expected one of "),
        ("executions", "status IN (RUNNING, failed)", "query field 'status': found 'failed', expected one of RUNNING, PAUSED, COMPLETED, "),
        ("tasks", "(status != RUNNING)", "query field 'status': found 'RUNNING', expected one of SCHEDULED, IN_PROGRESS, COMPLETED, "),
        ("tasks", "taskType = HTTP AND status NOT IN ('DONE')", "query field 'status': found 'DONE', expected one of SCHEDULED, "),
        ("executions", "version > 2026-03-01", "query field 'version': found '2026-03-01', expected a whole number"),
        ("executions", "modifiedTime > yesterday", "query field 'modifiedTime': found 'yesterday', expected epoch milliseconds or an ISO date"),
        ("tasks", f"queueWaitTime BETWEEN 1 AND {2**63}", f"query field 'queueWaitTime': found '{2**63}', expected a whole number"),
    ]

    @pytest.mark.parametrize(("kind", "query", "said"), NEVER)
    async def test_what_no_record_could_meet_is_refused(self, store: Store, kind: Literal["executions", "tasks"], query: str, said: str) -> None:
        with pytest.raises(Invalid) as caught:
            await store.search(kind, parse(query))
        assert said in str(caught.value)

    async def test_a_sort_by_what_is_not_there_is_refused(self, store: Store) -> None:
        with pytest.raises(Invalid, match="sort by 'taskType': executions have no such field, expected one of classifier, "):
            await store.search("executions", None, sort=[Sort("startTime", True), Sort("taskType", False)])
        assert await store.search("executions", None, sort=[Sort("externalInputPayloadStoragePath", True)]) == (0, [])  # a column of Conductor's interface


async def answered(store: Store, kind: Literal["executions", "tasks"], query: str, words: str) -> Any:
    try:
        return await store.search(kind, asked(kind, query, words))
    except Invalid:
        return NO


def asked(kind: str, query: str, words: str) -> Query | None:
    """As the API puts a query and free text together."""
    parts = [part for part in (parse(query), parse_text(words, READABLE[kind])) if part is not None]
    return All(tuple(parts)) if parts else None


class Agreement:
    """Whatever happens, the backend ends up where the reference implementation does."""

    @pytest.mark.parametrize("seed", range(12))
    async def test_a_random_history_ends_alike(self, store: Store, seed: int) -> None:
        chance = random.Random(seed)
        reference = MemoryStore()
        await reference.open()
        ids = [f"{at:08x}-0000-4000-8000-{seed:012x}" for at in range(8)]
        revisions, sent = dict.fromkeys(ids, 0), list[str]()
        for _ in range(25):
            calls = [[some_commit(chance, chance.choice(ids), revisions, sent) for _ in range(chance.randint(0, 4))] for _ in range(chance.randint(1, 12))]
            ends = [[other.submit(commits) for commits in calls] for other in (store, reference)]
            ends[0].append(store.put(documents := [Document("kind", str(chance.randint(0, 5)), 1, b"%d" % seed)]))
            ends[1].append(reference.put(documents))
            assert [await outcome(end) for end in ends[0]] == [await outcome(end) for end in ends[1]]
            found = {one.execution_id: one.head.revision for one in await reference.heads(ids)}
            revisions = {id: found.get(id, 0) for id in ids}
        mine, theirs = await everything(store, ids), await everything(reference, ids)
        for name, expected in theirs.items():
            assert (name, mine[name]) == (name, expected)


def some_commit(chance: random.Random, id: str, revisions: dict[str, int], sent: list[str]) -> Commit:
    """A commit that mostly fits the revision the execution will have by then, and now and then does not."""
    expected = revisions[id] if chance.random() < 0.95 else chance.randint(0, 9)

    def payload() -> bytes | None:
        return chance.choice([None, None, b"{}", b"x" * chance.randint(1, 9_000)])

    if expected and chance.random() < 0.1:
        revisions[id] = 0
        return remove(id, expected, outbox=[letter(f"{id}/removed/{chance.random()}")])
    rows = [
        task(id, n, chance.choice(["SCHEDULED", "IN_PROGRESS", "COMPLETED"]), queue=chance.choice(["a", "b", ""]), priority=chance.randint(0, 2),
             due_at=T0 + chance.randint(0, 3), input=payload(), output=payload())
        for n in chance.sample(range(1, 9), chance.randint(0, 4))
    ]  # fmt: skip
    commit = Commit(id, expected, head(expected + 1), rows, definition=DEFINITION)
    assert commit.head is not None
    commit.head.status = chance.choice(["RUNNING", "RUNNING", "PAUSED", "FAILED"])
    commit.head.ended_at = T0 + chance.randint(0, 3) if commit.head.status == "FAILED" else 0
    commit.head.wake_at = chance.choice([0, T0 + chance.randint(0, 5)])
    commit.head.correlation_id = chance.choice([None, "c"])
    commit.head.input, commit.head.output, commit.head.variables = payload(), payload(), payload()
    touched = {row.n for row in rows}
    commit.gone = [n for n in chance.sample(range(1, 9), chance.randint(0, 2)) if n not in touched]
    commit.logs = lines(task_id(id, chance.randint(1, 8)), *"ab"[: chance.randint(0, 2)])
    commit.outbox = [letter(f"{id}/{chance.random()}", T0 + chance.randint(0, 2)) for at in range(chance.randint(0, 2))]
    sent.extend(row.id for row in commit.outbox)
    if chance.random() < 0.3:
        commit.pushed = [PushedRow(2 * expected + at, b"m") for at in range(1, chance.randint(2, 4))]
        commit.taken = chance.choice([0, 0, 2 * expected, 2 * expected + 1])
    commit.delivered = [sent.pop(chance.randrange(len(sent))) for _ in range(min(len(sent), chance.randint(0, 2)))]
    revisions[id] = expected + 1
    return commit
