"""
What every store promises about writing: atomicity, the guard, order, failure, durability. Run for each backend by its own test module.

What it promises about answers is conformance_questions.py.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from storekit import DEFINITION, T0, everything, head, inbox, letter, lines, move, new_id, outcome, outcomes, pushing, remove, start, task, task_id

from batuta.errors import BatutaError, Unavailable
from batuta.store.protocol import Commit, Document, Store

MIB = 1024 * 1024


class Writing:
    """A commit is durable as a whole or not at all, on the revision it was decided on."""

    async def test_what_was_committed_is_loaded(self, store: Store) -> None:
        e = new_id()
        row = head(1, correlation_id="c", parent_id="p", wake_at=7, input=b'{"i":1}', output=b'{"o":1}', variables=b'{"v":1}')
        tasks = [task(e, 1, input=b'{"a":1}', output=b'{"b":1}'), task(e, 2, "COMPLETED", queue="", priority=9)]
        await store.submit([Commit(e, 0, row, tasks, definition=DEFINITION)])
        stored = await store.load(e)
        assert stored is not None
        assert (stored.execution_id, stored.head, stored.definition) == (e, row, DEFINITION[1])
        assert stored.tasks == [tasks[0], task(e, 2, "COMPLETED", queue="", priority=9, input=b"{}", output=b"{}")]
        assert await store.load(new_id()) is None

    async def test_payloads_not_given_stay_as_they_were(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e, task(e, 1, input=b'{"a":1}'), input=b'{"i":1}')])
        await store.submit([move(e, 1, task(e, 1, "COMPLETED", output=b'{"b":1}'), variables=b'{"v":1}')])
        await store.submit([move(e, 2, task(e, 1, "COMPLETED"), variables=b"{}", output=b'{"o":1}')])
        stored = await store.load(e)
        assert stored is not None
        assert (stored.head.input, stored.head.output, stored.head.variables) == (b'{"i":1}', b'{"o":1}', b"{}")
        assert (stored.tasks[0].input, stored.tasks[0].output) == (b'{"a":1}', b'{"b":1}')

    @pytest.mark.parametrize("sizes", [(10, 100_000, 10), (100_000, 10, 100_000), (4096, 4097, 4096), (5_000, 2, 5_000)])
    async def test_a_payload_may_grow_and_shrink(self, store: Store, sizes: tuple[int, ...]) -> None:
        e = new_id()
        texts = [str(at).encode() * size for at, size in enumerate(sizes)]
        await store.submit([start(e, task(e, 1))])
        for revision, text in enumerate(texts, 1):
            await store.submit([move(e, revision, task(e, 1, input=text, output=text), input=text, output=text, variables=text)])
            stored = await store.load(e)
            assert stored is not None
            assert (stored.head.input, stored.head.output, stored.head.variables) == (text, text, text)
            assert (stored.tasks[0].input, stored.tasks[0].output) == (text, text)

    async def test_sixteen_mebibytes_are_a_payload_like_any_other(self, store: Store) -> None:
        e = new_id()
        text = random.Random(1).randbytes(16 * MIB)
        await store.submit([start(e, task(e, 1, output=text), input=text)])
        await store.submit([move(e, 1, task(e, 1, "COMPLETED"))])
        stored = await store.load(e)
        assert stored is not None
        assert stored.head.input == text
        assert stored.tasks[0].output == text

    @pytest.mark.parametrize("text", ["żółć 批処理 🦊", "nul\0inside", "\0", "a'b\"c\\d", "\u2028 \ufeff", "%_", ""])
    async def test_any_text_is_kept_as_it_is(self, store: Store, text: str) -> None:
        e = new_id()
        row = task(e, 1, def_name=text, ref=text, queue=text or "q", type=text, doc=text.encode())
        commit = start(e, row, name=text, correlation_id=text, parent_id=text, doc=text.encode(), input=text.encode())
        commit.logs, commit.outbox = lines(row.task_id, text), [letter("letter" + text, kind=text, body=text.encode())]
        await store.submit([commit])
        await store.put([Document("kind", text, 1, text.encode())])
        stored = await store.load(e)
        assert stored is not None
        assert (stored.head.name, stored.head.correlation_id, stored.head.parent_id, stored.head.doc) == (text, text, text, text.encode())
        assert (stored.tasks[0].ref, stored.tasks[0].queue, stored.tasks[0].doc) == (text, row.queue, text.encode())
        assert [found.execution_id for found in await store.find(name=text, correlation_id=text)] == [e]
        assert [line.line for line in await store.logs(row.task_id)] == [text]
        assert [(found.id, found.kind, found.body) for found in await store.outbox(limit=9)] == [("letter" + text, text, text.encode())]
        assert [waiting.n for waiting in await store.claimable(row.queue, limit=9)] == [1]
        assert [document.key for document in await store.documents("kind")] == [text]

    async def test_tasks_are_written_and_deleted_one_by_one(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e, *(task(e, n) for n in (1, 2, 3)))])
        commit = move(e, 1, task(e, 2, "FAILED"), task(e, 4))
        commit.gone = [3]
        await store.submit([commit])
        stored = await store.load(e)
        assert stored is not None
        assert [(row.n, row.status) for row in stored.tasks] == [(1, "SCHEDULED"), (2, "FAILED"), (4, "SCHEDULED")]

    async def test_an_execution_may_have_thousands_of_tasks(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e, *(task(e, n, input=b'{"n":%d}' % n) for n in range(1, 3001)))])
        await store.submit([move(e, 1, task(e, 1500, "COMPLETED"))])
        stored = await store.load(e)
        assert stored is not None
        assert [row.n for row in stored.tasks] == list(range(1, 3001))
        assert (stored.tasks[1499].status, stored.tasks[1499].input) == ("COMPLETED", b'{"n":1500}')

    async def test_messages_wait_in_their_order_until_they_are_taken(self, store: Store) -> None:
        e, other = new_id(), new_id()
        long = b'"' + b"x" * 9_000 + b'"'
        await store.submit([start(e, input=long), start(other), pushing(other, 1, (1, b"{}"))])
        await store.submit([pushing(e, 1, (1, b"1"), (2, long))])
        assert await inbox(store, e) == [(1, b"1"), (2, long)]
        await store.submit([pushing(e, 2, (3, b"3"), taken=1), pushing(e, 3, (4, b"4"))])
        assert await inbox(store, e) == [(2, long), (3, b"3"), (4, b"4")]
        await store.submit([pushing(e, 4, (5, b"5"), (6, b"6"), taken=5)])
        assert await inbox(store, e) == [(6, b"6")]
        assert await outcomes(store, [pushing(e, 1, (7, b"7"), taken=6)]) == ["VersionConflict"]
        assert await inbox(store, e) == [(6, b"6")]
        await store.submit([pushing(e, 5, taken=6)])
        assert await inbox(store, e) == [] and await inbox(store, other) == [(1, b"{}")]
        stored = await store.load(e)
        assert stored is not None and stored.head.input == long
        await store.submit([remove(other, 2), start(other)])
        assert await inbox(store, other) == []

    @pytest.mark.parametrize("expected", [0, 1, 3, 9])
    async def test_a_commit_on_another_revision_writes_nothing(self, store: Store, expected: int) -> None:
        e, other = new_id(), new_id()
        first = start(e, task(e, 1))
        first.outbox = [letter("kept")]
        await store.submit([first, move(e, 1), start(other)])
        before = await everything(store, [e, other])
        stale = Commit(e, expected, head(expected + 1, status="FAILED"), [task(e, 1, "FAILED"), task(e, 2)], definition=("new", b"{}"))
        stale.outbox, stale.delivered, stale.logs, stale.gone = [letter("lost")], ["kept"], lines(task_id(e, 1), "lost"), [1]
        assert await outcomes(store, [stale]) == ["VersionConflict"]
        assert await everything(store, [e, other]) == before

    async def test_of_two_starts_one_wins(self, store: Store) -> None:
        e = new_id()
        assert await outcomes(store, [start(e, name="first")], [start(e, name="second")]) == ["ok", "VersionConflict"]
        stored = await store.load(e)
        assert stored is not None
        assert stored.head.name == "first"

    async def test_of_two_deciders_one_wins(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e)])
        assert await outcomes(store, [move(e, 1, status="PAUSED")], [move(e, 1, status="TERMINATED")]) == ["ok", "VersionConflict"]
        stored = await store.load(e)
        assert stored is not None
        assert stored.head.status == "PAUSED"

    async def test_a_commit_may_change_what_is_searched_by(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e, correlation_id="old")])
        changed = Commit(e, 1, head(2, name="n2", correlation_id=None, created_at=T0 + 5, definition_version=2, definition_hash="h2", wake_at=3))
        changed.definition = ("h2", b'{"version":2}')
        await store.submit([changed])
        stored = await store.load(e)
        assert stored is not None
        assert stored.definition == b'{"version":2}'
        assert [found.execution_id for found in await store.find(name="n2", created_from=T0 + 5, definition_version=2)] == [e]
        assert await store.find(correlation_id="old") == []

    async def test_a_definition_snapshot_is_stored_once_and_must_be_known(self, store: Store) -> None:
        a, b, c = new_id(), new_id(), new_id()
        await store.submit([start(a)])
        known = start(b)
        known.definition = None
        unknown = start(c, definition_hash="nowhere")
        unknown.definition = None
        assert await outcomes(store, [known, unknown]) == ["Invalid"]
        stored = await store.load(b)
        assert stored is not None
        assert stored.definition == DEFINITION[1]
        assert await store.load(c) is None

    async def test_without_a_head_no_revision_is_asked_for(self, store: Store) -> None:
        e = new_id()
        first = start(e, task(e, 1))
        first.outbox = [letter("a")]
        await store.submit([first])
        note = Commit(e, -1, logs=lines(task_id(e, 1), "one"), outbox=[letter("b")], delivered=["a"])
        nobodys = Commit(new_id(), -1, logs=lines("no-such-task", "lost"), outbox=[letter("c")])
        assert await outcomes(store, [note, nobodys]) == ["ok"]
        stored = await store.load(e)
        assert stored is not None
        assert stored.head.revision == 1
        assert [line.line for line in await store.logs(task_id(e, 1))] == ["one"]
        assert [row.id for row in await store.outbox(limit=9)] == ["b", "c"]
        assert await store.logs("no-such-task") == []


class Removing:
    """A removed execution leaves nothing behind."""

    async def test_all_rows_go(self, store: Store) -> None:
        e, other = new_id(), new_id()
        await store.submit([start(other, task(other, 1))])
        empty = await everything(store, [e, other])
        first = start(e, task(e, 1, input=b"x" * 9_000), task(e, 2, "IN_PROGRESS"), wake_at=5, ended_at=6, variables=b"y" * 9_000)
        first.logs = lines(task_id(e, 1), "line")
        await store.submit([first])
        await store.submit([remove(e, 1, outbox=[letter("archive")])])
        assert [row.id for row in await store.outbox(limit=9)] == ["archive"]
        await store.submit([Commit(e, -1, delivered=["archive"])])
        assert await everything(store, [e, other]) == empty
        assert await store.holder_of(task_id(e, 1)) is None
        assert await store.logs(task_id(e, 1)) == []

    async def test_a_definition_goes_with_the_last_execution_that_used_it(self, store: Store) -> None:
        a, b, c = new_id(), new_id(), new_id()
        unaware = start(c)
        unaware.definition = None
        await store.submit([start(a), start(b)])
        await store.submit([remove(a, 1), unaware])
        assert await outcomes(store, [remove(b, 1), remove(c, 1)], [unaware]) == ["ok", "Invalid"]
        assert await outcomes(store, [start(a), remove(a, 1), start(b)]) == ["ok"]
        stored = await store.load(b)
        assert stored is not None
        assert stored.definition == DEFINITION[1]

    @pytest.mark.parametrize("expected", [0, 1, 3])
    async def test_only_the_revision_meant_is_removed(self, store: Store, expected: int) -> None:
        e = new_id()
        await store.submit([start(e), move(e, 1)])
        assert await outcomes(store, [remove(e, expected, outbox=[letter("lost")])], [remove(new_id(), expected)]) == ["VersionConflict"] * 2
        assert await store.load(e) is not None
        assert await store.outbox(limit=9) == []

    async def test_an_id_may_come_again(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e, task(e, 1), task(e, 2)), remove(e, 1), start(e, task(e, 7, input=b'{"new":1}')), move(e, 1)])
        stored = await store.load(e)
        assert stored is not None
        assert (stored.head.revision, [row.n for row in stored.tasks], stored.tasks[0].input) == (2, [7], b'{"new":1}')


class Ordering:
    """Commits become durable in the order of submission, and fail together with what they were built on."""

    async def test_commits_of_one_call_follow_each_other(self, store: Store) -> None:
        e = new_id()
        steps = [move(e, revision, task(e, 1, output=b'{"at":%d}' % revision)) for revision in range(1, 200)]
        await store.submit([start(e), *steps])
        stored = await store.load(e)
        assert stored is not None
        assert (stored.head.revision, stored.tasks[0].output) == (200, b'{"at":199}')

    async def test_calls_end_in_the_order_they_were_made(self, store: Store) -> None:
        ended: list[int] = []
        futures = []
        for at in range(100):
            future = store.submit([start(new_id())]) if at % 3 else store.put([Document("kind", str(at), 1, b"{}")])
            future.add_done_callback(lambda _, at=at: ended.append(at))
            futures.append(future)
        await asyncio.gather(*futures)
        assert ended == list(range(100))

    async def test_an_empty_call_waits_for_all_before_it(self, store: Store) -> None:
        ids = [new_id() for _ in range(50)]
        for id in ids:
            store.submit([start(id)])
        await store.submit([])
        assert len(await store.heads(ids)) == 50

    async def test_a_failure_takes_the_rest_of_its_execution_with_it_and_nobody_else(self, store: Store) -> None:
        a, b = new_id(), new_id()
        await store.submit([start(a)])
        assert await outcomes(store, [start(b), move(a, 5), move(b, 1), move(a, 1), move(b, 2)]) == ["VersionConflict"]
        found = await store.heads([a, b])
        assert [row.head.revision for row in found] == [1, 3]

    async def test_what_was_built_on_a_failed_commit_fails_though_its_number_fits(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e)])
        #   one decider           another, unaware: its first commit is beaten, its second would fit by number
        calls = [[move(e, 1, name="one")], [move(e, 1, name="two")], [move(e, 2, name="built on two")]]
        assert await outcomes(store, *calls) == ["ok", "VersionConflict", "VersionConflict"]
        found = await store.heads([e])
        assert (found[0].head.revision, found[0].head.name) == (2, "one")
        assert await outcomes(store, [move(e, 2, name="decided anew")]) == ["ok"]

    async def test_who_hears_of_a_failure_may_try_again_at_once(self, store: Store) -> None:
        e = new_id()
        await store.submit([start(e)])
        lost, heard = store.submit([move(e, 7)]), asyncio.get_running_loop().create_future()
        lost.add_done_callback(lambda done: heard.set_result(done.exception() and store.submit([move(e, 1)])))
        assert await outcome(await heard) == "ok"

    async def test_a_group_with_failures_keeps_everyone_elses_commits(self, store: Store) -> None:
        ids = [new_id() for _ in range(60)]
        await store.submit([start(id) for id in ids[:30]])
        calls = [[start(id, task(id, 1))] for id in ids]
        assert await outcomes(store, *calls) == ["VersionConflict"] * 30 + ["ok"] * 30
        assert [len(stored.tasks) for id in ids if (stored := await store.load(id))] == [0] * 30 + [1] * 30

    async def test_a_call_nobody_waits_for_is_carried_out(self, store: Store) -> None:
        e = new_id()
        store.submit([start(e)]).cancel()
        await store.submit([move(e, 1)])
        found = await store.heads([e])
        assert found[0].head.revision == 2

    async def test_racing_deciders_lose_nothing(self, store: Store) -> None:
        """Six deciders count up in one execution, each from what it last read: no count is lost, none is made twice."""
        e = new_id()
        await store.submit([start(e, doc=b"0")])

        async def count(times: int) -> None:
            while times:
                (found,) = await store.heads([e])
                row = head(found.head.revision + 1, doc=b"%d" % (int(found.head.doc) + 1))
                times -= await outcome(store.submit([Commit(e, found.head.revision, row)])) == "ok"

        await asyncio.gather(*(count(15) for _ in range(6)))
        (found,) = await store.heads([e])
        assert (found.head.doc, found.head.revision) == (b"90", 91)


class Living:
    """Opening and closing."""

    async def test_what_was_submitted_before_closing_is_kept(self, store: Store) -> None:
        ids = [new_id() for _ in range(40)]
        futures = [store.submit([start(id, task(id, 1))]) for id in ids]
        await store.close()
        assert [await outcome(future) for future in futures] == ["ok"] * 40
        await store.open()
        assert len(await store.heads(ids)) == 40

    async def test_all_is_there_after_reopening(self, store: Store) -> None:
        ids = [new_id() for _ in range(5)]
        for id in ids:
            first = start(id, task(id, 1, input=b"i" * 5_000), task(id, 2, "IN_PROGRESS"), wake_at=T0, input=b'{"a":1}')
            first.logs, first.outbox = lines(task_id(id, 1), "a", "b"), [letter("l" + id)]
            await store.submit([first])
        await store.submit([remove(ids[0], 1), move(ids[1], 1, status="COMPLETED", ended_at=T0)])
        await store.put([Document("kind", "k", 1, b"{}")])
        before = await everything(store, ids)
        await store.close()
        await store.open()
        assert await everything(store, ids) == before

    async def test_documents_are_found_by_the_beginning_of_their_key(self, store: Store) -> None:
        keys = ["a", "a/1", "a/2", "a/\U0010fffe", "ab/1", "b/1"]
        await store.put([Document("thing", key, version, b"{}") for key in keys for version in (1, 2)] + [Document("other", "a/1", 1, b"{}")])

        async def found(prefix: str, **more: Any) -> list[tuple[str, int]]:
            return [(document.key, document.version) for document in await store.documents("thing", prefix, **more)]

        assert await found("a/", limit=3) == [("a/1", 1), ("a/1", 2), ("a/2", 1)]
        assert [key for key, version in await found("a/") if version == 1] == ["a/1", "a/2", "a/\U0010fffe"]
        assert [key for key, version in await found("a", after="a/2") if version == 1] == ["a/\U0010fffe", "ab/1"]
        assert len(await found("")) == 2 * len(keys) and await found("c") == [] and await found("", limit=0) == []

    async def test_a_closed_store_answers_unavailable(self, store: Store) -> None:
        await store.close()
        await store.close()
        assert await outcome(store.submit([start(new_id())])) == "Unavailable"
        assert await outcome(store.put([])) == "Unavailable"
        questions = [
            store.load("e"), store.heads(["e"]), store.find(), store.holder_of("t"), store.claimable(None, limit=1), store.in_progress(None, limit=1),
            store.queue_sizes(), store.alarms(limit=1), store.outbox(limit=1), store.logs("t"), store.expired(1, limit=1), store.documents("k"),
            store.statistics(),
        ]  # fmt: skip
        for question in questions:
            with pytest.raises(Unavailable):
                await question

    async def test_no_error_of_the_backend_escapes(self, store: Store) -> None:
        """Whatever a commit holds, its future ends, with success or with one of our errors."""
        for strange in ("\ud800", 2**70, 1.5, None):
            try:
                await store.submit([start(new_id(), correlation_id=strange), start(new_id())])
            except BatutaError:
                pass
        assert len(await store.find(created_from=T0)) >= 4
