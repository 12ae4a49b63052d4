"""A host of workers: taking tasks, running them side by side, living through outages, and leaving in order."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from client_stage import WAIT_S, Play, ended, until
from conductor_fake import ConductorFake

from batuta.client import Failed, InProgress, Task, TaskContext, TaskResult, WorkerHost, worker


@worker("add")
async def add(a: int, b: int = 1) -> dict[str, int]:
    return {"sum": a + b}


@worker("upper")
def upper(text: str, context: TaskContext) -> str:
    context.log(f"attempt {context.attempt}")
    return text.upper()


# ---- taking and doing


def test_tasks_of_several_types_are_done_by_one_process(fake: ConductorFake, play: Play) -> None:
    adds = [fake.put_task("add", {"a": n}) for n in range(20)]
    uppers = [fake.put_task("upper", {"text": f"t{n}"}) for n in range(20)]

    async def scene(host: WorkerHost) -> None:
        await ended(fake, *adds, *uppers)
        await until(fake, lambda: host.metrics.reports.value("sent") == 40)

    _, farewell = play([add, upper], scene)
    assert [fake.tasks[i]["outputData"] for i in adds] == [{"sum": n + 1} for n in range(20)]
    assert [fake.tasks[i]["outputData"] for i in uppers] == [{"result": f"T{n}"} for n in range(20)]
    assert fake.logs[uppers[0]] == ["attempt 1"]
    assert farewell.is_clean
    assert {fake.tasks[i]["pollCount"] for i in adds + uppers} == {1}


def test_a_task_whose_input_cannot_be_fetched_is_tried_again(fake: ConductorFake, play: Play) -> None:
    task = fake.put_task("add")
    fake.tasks[task]["externalInputPayloadStoragePath"] = "task/input/1.json"

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.reports.value("sent") == 1)

    play([add], scene)
    said = "its input, 'task/input/1.json', could not be fetched: GET /tasks/externalstoragelocation: 404"  # this server keeps none
    assert fake.tasks[task]["status"] == "FAILED" and fake.tasks[task]["reasonForIncompletion"].startswith(said)


def test_a_worker_says_who_it_is(fake: ConductorFake, play: Play) -> None:
    task_id = fake.put_task("add", {"a": 1})

    async def scene(host: WorkerHost) -> str:
        await ended(fake, task_id)
        return host.worker_id

    worker_id, _ = play([add], scene)
    assert fake.tasks[task_id]["workerId"] == worker_id
    assert worker_id.count(":") == 2
    assert play([add], scene, worker_id="my-worker")[0] == "my-worker"


def test_a_task_that_comes_later_is_taken_by_the_poll_that_waits(fake: ConductorFake, play: Play) -> None:
    async def scene(host: WorkerHost) -> str:
        await until(fake, lambda: fake.seen("GET /tasks/poll/batch/add"), "the first poll")
        task_id = fake.put_task("add", {"a": 1})
        await ended(fake, task_id)
        return task_id

    task_id, _ = play([add.replace(poll_timeout_s=1)], scene)
    assert fake.tasks[task_id]["outputData"] == {"sum": 2}
    waits = {(r.query["count"][0], r.query["timeout"][0]) for r in fake.seen("GET /tasks/poll/batch/add")}
    assert waits <= {("1", "1000")}  # a long poll for more than one would hold back the first on Conductor


def test_only_as_many_run_at_once_as_allowed(fake: ConductorFake, play: Play) -> None:
    """Three slots, nine tasks: the server hands out three, and the next only when one has ended."""
    gate, running, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    @worker("slow", concurrency=3)
    def slow() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        gate.wait(WAIT_S)
        with lock:
            running[0] -= 1

    tasks = [fake.put_task("slow") for _ in range(9)]

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: running[0] == 3, "three running")
        assert sum(t["status"] == "IN_PROGRESS" for t in fake.tasks.values()) == 3
        assert host.metrics.running.value("slow") == 3 == host.metrics.slots.value("slow")
        gate.set()
        await ended(fake, *tasks)

    play([slow], scene)
    assert most[0] == 3


def test_free_slots_are_filled_by_batches(fake: ConductorFake, play: Play) -> None:
    gate = threading.Event()

    @worker("slow", concurrency=8, batch=4)
    def slow() -> None:
        gate.wait(WAIT_S)

    tasks = [fake.put_task("slow") for _ in range(10)]

    async def scene(host: WorkerHost) -> list[str]:
        await until(fake, lambda: host.metrics.running.value("slow") == 8, "eight running")
        counts = [request.query["count"][0] for request in fake.seen("GET /tasks/poll/batch/slow")]
        gate.set()
        await ended(fake, *tasks)
        return counts

    assert play([slow], scene)[0] == ["1", "4", "3"]


def test_what_comes_one_by_one_is_polled_for_one_by_one(fake: ConductorFake, play: Play) -> None:
    """A chain of 40 tasks: more of them are asked for now and then, not behind each; a burst after it is taken in batches again."""

    async def scene(host: WorkerHost) -> tuple[list[str], list[str]]:
        for _ in range(40):
            await ended(fake, fake.put_task("add", {"a": 1}))
        before = len(polls())
        await ended(fake, *[fake.put_task("add", {"a": 1}) for _ in range(100)])
        return polls()[:before], polls()[before:]

    def polls() -> list[str]:
        return [request.query["count"][0] for request in fake.seen("GET /tasks/poll/batch/add")]

    (chain, burst), _ = play([add.replace(concurrency=8)], scene)
    assert 1 <= sum(count != "1" for count in chain) <= 10
    assert sum(count != "1" for count in burst) >= 5


def test_a_domain_is_polled_on_its_own(fake: ConductorFake, play: Play) -> None:
    in_domain, common = fake.put_task("add", {"a": 1}, domain="mac"), fake.put_task("add", {"a": 1})

    async def scene(host: WorkerHost) -> None:
        await ended(fake, in_domain)

    play([add.replace(domain="mac")], scene)
    assert fake.tasks[common]["status"] == "SCHEDULED"


def test_one_type_may_be_served_in_several_domains(fake: ConductorFake, play: Play) -> None:
    tasks = [fake.put_task("add", {"a": 1}, domain=domain) for domain in ("mac", None)]

    async def scene(host: WorkerHost) -> None:
        await ended(fake, *tasks)

    play([add, add.replace(domain="mac")], scene)


def test_two_workers_for_one_queue_are_refused(client: Any) -> None:
    with pytest.raises(ValueError, match="two workers poll queue 'add'"):
        WorkerHost(client, [add, worker("add")(lambda: None)])
    with pytest.raises(ValueError, match="no workers to run"):
        WorkerHost(client, [])


def test_a_failing_worker_harms_no_other(fake: ConductorFake, play: Play) -> None:
    @worker("broken")
    async def broken() -> None:
        raise Failed("no luck", output={"tried": 1})

    bad, good = fake.put_task("broken"), fake.put_task("add", {"a": 1})

    async def scene(host: WorkerHost) -> None:
        await ended(fake, bad, good)

    play([broken, add], scene)
    assert (fake.tasks[bad]["status"], fake.tasks[bad]["reasonForIncompletion"], fake.tasks[bad]["outputData"]) == ("FAILED", "no luck", {"tried": 1})
    assert fake.tasks[good]["status"] == "COMPLETED"


def test_a_task_given_back_comes_again_with_its_output(fake: ConductorFake, play: Play) -> None:
    @worker("steps")
    async def steps(task: Task, context: TaskContext) -> Any:
        done = task.output.get("done", 0)
        return InProgress(0, {"done": done + 1}) if done < 3 else {"done": done, "polls": context.poll_count}

    task_id = fake.put_task("steps")

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([steps], scene)
    assert fake.tasks[task_id]["outputData"] == {"done": 3, "polls": 4}


# ---- while a task runs


def waits(name: str, **options: Any) -> tuple[Any, asyncio.Event]:
    gate = asyncio.Event()

    @worker(name, **options)
    async def function(context: TaskContext) -> str:
        await asyncio.wait_for(gate.wait(), WAIT_S)
        return "done"

    return function, gate


def test_a_lease_is_extended_while_the_function_runs(fake: ConductorFake, play: Play) -> None:
    long, gate = waits("long")
    task_id = fake.put_task("long", responseTimeoutSeconds=0.3)

    async def scene(host: WorkerHost) -> float:
        await until(fake, lambda: fake.leases.get(task_id, 0) >= 3, "three renewals")
        gate.set()
        await ended(fake, task_id)
        return host.metrics.leases.value("long")

    assert play([long], scene)[0] >= 3
    renewal = next(r.json for r in fake.seen("POST /tasks") if r.json.get("extendLease"))
    assert renewal["status"] == "IN_PROGRESS" and renewal["taskId"] == task_id
    assert fake.tasks[task_id]["outputData"] == {"result": "done"}


def test_a_lease_is_extended_through_faults(fake: ConductorFake, play: Play) -> None:
    long, gate = waits("long")
    task_id = fake.put_task("long", responseTimeoutSeconds=0.3)
    fake.fault("POST /tasks", 503, b"", times=2)

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.leases.get(task_id, 0) >= 1, "a renewal")
        gate.set()
        await ended(fake, task_id)

    play([long], scene)


def test_a_lease_is_left_alone_when_told_so_or_without_a_timeout(fake: ConductorFake, play: Play) -> None:
    long, gate = waits("long", lease_extension=False, cancel_check_s=0.02)
    other, other_gate = waits("other", cancel_check_s=0.02)
    tasks = [fake.put_task("long", responseTimeoutSeconds=0.03), fake.put_task("other", responseTimeoutSeconds=0)]

    async def scene(host: WorkerHost) -> None:
        for task_id in tasks:  # several times the lease has gone by when so many checks were made
            await until(fake, lambda task_id=task_id: len(fake.seen(f"GET /tasks/{task_id}")) >= 5, "five checks")
        gate.set(), other_gate.set()
        await ended(fake, *tasks)

    play([long, other], scene)
    assert not fake.leases


def test_a_function_may_ask_for_a_heartbeat(fake: ConductorFake, play: Play) -> None:
    beaten = threading.Event()

    @worker("own", lease_extension=False)
    def own(context: TaskContext) -> None:
        context.heartbeat()
        beaten.wait(WAIT_S)

    task_id = fake.put_task("own")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.leases.get(task_id) == 1, "the heart-beat")
        beaten.set()
        await ended(fake, task_id)

    play([own], scene)


def test_progress_is_stored_and_nobody_else_gets_the_task(fake: ConductorFake, play: Play) -> None:
    gate = threading.Event()

    @worker("build", concurrency=2)
    def build(context: TaskContext) -> dict[str, int]:
        context.progress({"percent": 50})
        gate.wait(WAIT_S)
        return {"percent": 100}

    task_id = fake.put_task("build")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.tasks[task_id]["outputData"] == {"percent": 50}, "progress")
        polls = len(fake.seen("GET /tasks/poll/batch/build"))
        await until(fake, lambda: len(fake.seen("GET /tasks/poll/batch/build")) >= polls + 2, "two more polls")
        gate.set()
        await ended(fake, task_id)

    play([build], scene)
    assert fake.tasks[task_id]["outputData"] == {"percent": 100}
    assert fake.tasks[task_id]["pollCount"] == 1
    progress = next(r.json for r in fake.seen("POST /tasks") if r.json.get("outputData") == {"percent": 50})
    assert progress["callbackAfterSeconds"] == 3600  # the task's response timeout is its lease


def test_log_lines_are_sent_while_the_function_runs(fake: ConductorFake, play: Play) -> None:
    gate = threading.Event()

    @worker("build")
    def build(context: TaskContext) -> None:
        context.log("one\ntwo")
        context.log("three")
        gate.wait(WAIT_S)
        context.log("last")

    task_id = fake.put_task("build")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.logs.get(task_id), "the log")
        gate.set()
        await ended(fake, task_id)

    play([build], scene)
    assert fake.logs[task_id] == ["one\ntwo\nthree", "last"]


def test_text_that_is_not_unicode_costs_no_result(fake: ConductorFake, play: Play) -> None:
    """A program's undecodable output in the log or in a reason."""
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")

    @worker("odd")
    def log_and_fail(context: TaskContext) -> TaskResult:
        context.log(odd)
        return TaskResult(status="FAILED", reason=odd, logs=[odd])

    task_id = fake.put_task("odd")

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([log_and_fail], scene)
    assert (fake.tasks[task_id]["status"], fake.tasks[task_id]["reasonForIncompletion"]) == ("FAILED", "caf?")
    assert fake.logs[task_id] == ["caf?", "caf?"]


def test_a_mistake_of_ours_costs_no_lease(fake: ConductorFake, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    from batuta.client import keeper

    real, broken = keeper.Keeper._renew, [2]

    async def breaking(self: Any) -> None:
        if broken[0]:
            broken[0] -= 1
            raise RuntimeError("a mistake of ours")
        await real(self)

    monkeypatch.setattr(keeper.Keeper, "_renew", breaking)
    long, gate = waits("long")
    task_id = fake.put_task("long", responseTimeoutSeconds=0.1)

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.leases.get(task_id, 0) >= 1, "a renewal")
        gate.set()
        await ended(fake, task_id)

    play([long], scene)


def test_log_lines_that_cannot_be_sent_come_with_the_result(fake: ConductorFake, play: Play) -> None:
    gate = threading.Event()

    @worker("build")
    def build(context: TaskContext) -> None:
        context.log("one")
        gate.wait(WAIT_S)

    task_id = fake.put_task("build")
    fake.fault(f"POST /tasks/{task_id}/log", 503, b"", times=100)

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.seen(f"POST /tasks/{task_id}/log"), "a try to send the log")
        gate.set()
        await ended(fake, task_id)

    play([build], scene)
    assert fake.logs[task_id] == ["one"]


def test_log_lines_on_their_way_when_the_function_ends_come_with_its_result(
    fake: ConductorFake, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batuta.client import keeper

    monkeypatch.setattr(keeper, "STOP_TIMEOUT_S", 0.1)
    monkeypatch.setattr(keeper, "LOG_PAUSE_S", 0.05)
    gate = threading.Event()

    @worker("build")
    def build(context: TaskContext) -> None:
        context.log("one")
        gate.wait(WAIT_S)
        context.log("two")

    task_id = fake.put_task("build")
    fake.fault(f"POST /tasks/{task_id}/log", 503, b"")

    async def scene(host: WorkerHost) -> None:
        with fake.held(f"POST /tasks/{task_id}/log"):
            await until(fake, lambda: fake.seen(f"POST /tasks/{task_id}/log"), "the log on its way")
            gate.set()
            await ended(fake, task_id)

    play([build], scene)
    assert fake.logs[task_id] == ["one", "two"]


def test_a_call_that_hangs_costs_no_lease(fake: ConductorFake, play: Play) -> None:
    """A check that gets no answer is given up in time for the next renewal."""
    long, gate = waits("long", cancel_check_s=0.05)
    task_id = fake.put_task("long", responseTimeoutSeconds=0.3)

    async def scene(host: WorkerHost) -> None:
        with fake.held(f"GET /tasks/{task_id}"):
            await until(fake, lambda: fake.leases.get(task_id, 0) >= 3, "three renewals")
        gate.set()
        await ended(fake, task_id)

    play([long], scene)


def test_a_coroutine_is_cancelled_when_the_server_has_ended_its_task(fake: ConductorFake, play: Play) -> None:
    cleaned: list[str] = []

    @worker("long", cancel_check_s=0.05)
    async def long(context: TaskContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(f"cancelled: {context.is_cancelled}")

    task_id = fake.put_task("long")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.tasks[task_id]["status"] == "IN_PROGRESS")
        fake.end_task(task_id, "CANCELED")
        await until(fake, lambda: cleaned and not host.metrics.running.value("long"), "the cleaning up")

    _, farewell = play([long], scene)
    assert cleaned == ["cancelled: True"] and farewell.is_clean


def test_a_plain_function_sees_that_its_task_is_gone(fake: ConductorFake, play: Play) -> None:
    @worker("long", cancel_check_s=0.05)
    def long(context: TaskContext) -> str:
        event = threading.Event()
        while not context.is_cancelled:
            event.wait(0.01)
        return "stopped"

    task_id = fake.put_task("long")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.tasks[task_id]["status"] == "IN_PROGRESS")
        del fake.tasks[task_id]  # removed with its workflow
        await until(fake, lambda: host.metrics.tasks.value("long", "COMPLETED") == 1)

    play([long], scene)


# ---- the server's bad days


def test_an_outage_is_said_once_and_outlived(fake: ConductorFake, play: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "batuta.client.worker")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.seen("GET /tasks/poll/batch/add"))
        fake.stop()
        await until(fake, lambda: host.metrics.polls.value("add", "error") + host.metrics.polls.value("upper", "error") >= 6, "failed polls")
        assert host.metrics.server_up.value() == 0
        fake.start()
        task_id = fake.put_task("add", {"a": 1})
        await ended(fake, task_id)
        await until(fake, lambda: host.metrics.server_up.value() == 1)

    play([add, upper], scene)
    texts = [record.getMessage() for record in caplog.records]
    assert sum("is away" in text for text in texts) == 1
    assert sum("is back after" in text for text in texts) == 1


def test_the_first_to_find_the_server_back_wakes_the_others(fake: ConductorFake, play: Play) -> None:
    """Their own pauses are an hour here."""

    async def scene(host: WorkerHost) -> None:
        fake.stop()
        await until(fake, lambda: all(host.metrics.polls.value(name, "error") for name in ("add", "upper")), "both find it away")
        fake.start()
        host._reachability.found()  # as a report or a third worker's poll would
        tasks = [fake.put_task("add", {"a": 1}), fake.put_task("upper", {"text": "x"})]
        await ended(fake, *tasks)

    play([add, upper], scene, backoff_s=(3600, 3600))


def test_faults_of_the_server_are_outlived_and_said_once(fake: ConductorFake, play: Play, caplog: pytest.LogCaptureFixture) -> None:
    fake.fault("GET /tasks/poll/batch/add", 500, {"status": 500, "message": "out of cheese"}, times=4)
    task_id = fake.put_task("add", {"a": 1})

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([add], scene)
    texts = [record.getMessage() for record in caplog.records]
    assert sum("cannot be polled" in text and "out of cheese" in text for text in texts) == 1
    assert sum("can be polled again" in text for text in texts) == 1


def test_an_answer_that_is_no_list_of_tasks_does_not_end_the_polling(fake: ConductorFake, play: Play) -> None:
    fake.fault("GET /tasks/poll/batch/add", 200, [{"no": "task"}])
    fake.fault("GET /tasks/poll/batch/add", 200, b"<html>", content_type="text/html")
    task_id = fake.put_task("add", {"a": 1})

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([add], scene)


def test_a_broken_lane_begins_anew(fake: ConductorFake, play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong in our own code, a worker does not fall silent."""
    from batuta.client import poller

    real, broken = poller.Lane._poll, [3]

    async def breaking(self: Any, *args: Any) -> Any:
        if broken[0]:
            broken[0] -= 1
            raise RuntimeError("a mistake of ours")
        return await real(self, *args)

    monkeypatch.setattr(poller.Lane, "_poll", breaking)
    task_id = fake.put_task("add", {"a": 1})

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([add], scene)
    assert sum("broke, beginning anew" in record.getMessage() for record in caplog.records) == 3


def test_a_blocked_event_loop_is_said(fake: ConductorFake, play: Play, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from batuta.client import runtime

    monkeypatch.setattr(runtime, "LOOP_CHECK_S", 0.02)
    monkeypatch.setattr(runtime, "LOOP_LAG_S_MAX", 0.05)

    @worker("rude")
    async def rude() -> None:
        threading.Event().wait(0.3)  # blocks the loop

    task_id = fake.put_task("rude")

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)
        await until(fake, lambda: any("stood still" in record.getMessage() for record in caplog.records), "the warning")

    play([rude], scene)


# ---- leaving


def test_draining_waits_for_running_tasks_and_reports_them(fake: ConductorFake, play: Play) -> None:
    seen: list[bool] = []

    @worker("long")
    def long(context: TaskContext) -> str:
        pause = threading.Event()
        while not context.is_draining:
            pause.wait(0.01)
        seen.append(True)
        return "finished"

    task_id = fake.put_task("long")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.running.value("long") == 1)

    _, farewell = play([long], scene)
    assert fake.tasks[task_id]["outputData"] == {"result": "finished"}
    assert seen and farewell.is_clean


def test_after_the_drain_time_tasks_are_cut_off_and_reported(fake: ConductorFake, play: Play) -> None:
    cleaned: list[str] = []
    never = threading.Event()

    @worker("gentle")
    async def gentle() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("gentle")

    @worker("deaf")
    def deaf() -> None:
        never.wait(WAIT_S)

    tasks = [fake.put_task("gentle"), fake.put_task("deaf")]

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.running.value("gentle") == host.metrics.running.value("deaf") == 1)

    _, farewell = play([gentle, deaf], scene, drain_s=0.1)
    never.set()
    assert farewell.cut_off == 2 and farewell.unsent == 0 and not farewell.is_clean
    assert cleaned == ["gentle"]
    for task_id in tasks:
        assert fake.tasks[task_id]["status"] == "FAILED"
        assert fake.tasks[task_id]["reasonForIncompletion"] == "the worker process stopped before the task ended"


def test_a_coroutine_that_will_not_be_cancelled_is_reported_all_the_same(
    fake: ConductorFake, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batuta.client import runtime

    monkeypatch.setattr(runtime, "CUT_OFF_GRACE_S", 0.2)
    end = asyncio.Event()

    @worker("stubborn")
    async def stubborn() -> None:
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    task_id = fake.put_task("stubborn")

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: host.metrics.running.value("stubborn") == 1)

    async def run() -> Any:
        from batuta.client import Client

        host = WorkerHost(Client(fake.url), [stubborn], drain_s=0.1)
        await host.start()
        await scene(host)
        farewell = await host.stop()
        end.set()
        return farewell

    assert asyncio.run(run()).cut_off == 1
    assert fake.tasks[task_id]["status"] == "FAILED"


@pytest.mark.parametrize("drain_s", [10.0, 0.0])
def test_a_task_that_comes_with_the_last_poll_is_given_back_untouched(fake: ConductorFake, play: Play, drain_s: float) -> None:
    """However short the drain: a poll given up may still be answered, and its task would be nobody's."""
    ran: list[int] = []

    @worker("late")
    async def late() -> None:
        ran.append(1)

    task_id = fake.put_task("late")
    fake.tasks[task_id]["outputData"] = {"so": "far"}

    async def scene(host: WorkerHost) -> None:
        with fake.held("GET /tasks/poll/batch/late"):
            await until(fake, lambda: fake.seen("GET /tasks/poll/batch/late"))
            host.request_stop()

    _, farewell = play([late], scene, drain_s=drain_s)
    task = fake.tasks[task_id]
    assert not ran and farewell.is_clean
    assert (task["status"], task["pollCount"], task["outputData"]) == ("SCHEDULED", 1, {"so": "far"})


def test_a_poll_that_never_comes_back_does_not_keep_a_host(fake: ConductorFake, play: Play, caplog: pytest.LogCaptureFixture) -> None:
    held = fake.held("GET /tasks/poll/batch/add")
    held.__enter__()

    async def scene(host: WorkerHost) -> None:
        await until(fake, lambda: fake.seen("GET /tasks/poll/batch/add"))

    _, farewell = play([add], scene, drain_s=0.1)
    held.__exit__(None, None, None)
    assert farewell.is_clean
    assert "lane add did not end in time" in caplog.text


def test_a_host_stops_at_once_when_idle_and_only_once(fake: ConductorFake, play: Play) -> None:
    async def scene(host: WorkerHost) -> Any:
        await until(fake, lambda: fake.seen("GET /tasks/poll/batch/add"))
        return await asyncio.gather(host.stop(), host.stop()), await host.stop()

    (together, again), farewell = play([add], scene)
    assert together[0] is together[1] is again is farewell and farewell.is_clean


def test_a_host_runs_until_asked_to_stop_and_not_twice(fake: ConductorFake) -> None:
    from batuta.client import Client

    async def run() -> None:
        async with WorkerHost(Client(fake.url), [add.replace(poll_timeout_s=0.1)]) as host:
            with pytest.raises(RuntimeError, match="started before"):
                await host.start()
        other = WorkerHost(Client(fake.url), [add.replace(poll_timeout_s=0.1)])
        running = asyncio.create_task(other.run())
        await until(fake, lambda: other.metrics.polls.total() >= 1)
        other.request_stop()
        assert (await asyncio.wait_for(running, WAIT_S)).is_clean

    asyncio.run(run())


def test_what_a_function_reports_itself_is_sent_as_it_is(fake: ConductorFake, play: Play) -> None:
    @worker("own")
    async def own() -> TaskResult:
        return TaskResult(status="FAILED_WITH_TERMINAL_ERROR", reason="my own", output={"a": 1}, logs=["my line"])

    task_id = fake.put_task("own")

    async def scene(host: WorkerHost) -> None:
        await ended(fake, task_id)

    play([own], scene)
    task = fake.tasks[task_id]
    assert (task["status"], task["reasonForIncompletion"], task["outputData"]) == ("FAILED_WITH_TERMINAL_ERROR", "my own", {"a": 1})
    assert fake.logs[task_id] == ["my line"]
