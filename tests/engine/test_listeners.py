"""What listeners are told: each change once, in its order, and nothing where nobody listens."""

from __future__ import annotations

from typing import Any

import pytest
from eventwork import World, play, start_workflow, task
from webhookwork import Told, told

from batuta.core.model.status import TaskStatus
from batuta.engine.listeners import CHANGES, TASK_CHANGES, read_changes
from batuta.errors import Invalid
from batuta.wire.metadata import read_task
from batuta.wire.notification import TEXT_MAX
from batuta.wire.requests import RerunRequest, TaskResult

ALL = " ".join(CHANGES)
ALL_OF_TASKS = " ".join(TASK_CHANGES)


async def report(world: World, name: str, status: TaskStatus = TaskStatus.COMPLETED, **fields: Any) -> None:
    [(x, claimed)] = await world.engine.claim(name, worker="w")
    await world.engine.report(TaskResult(execution_id=x.head.id, task_id=claimed.id, status=status, output={}, **fields))


async def failed(world: World, id: str) -> None:
    await report(world, "job", TaskStatus.FAILED_WITH_TERMINAL_ERROR)


async def done(world: World, id: str) -> None:
    await report(world, "job")


async def paused(world: World, id: str) -> None:
    await world.engine.pause(id)
    await world.engine.pause(id)


async def resumed(world: World, id: str) -> None:
    await world.engine.resume(id)


async def retried(world: World, id: str) -> None:
    await world.engine.retry(id)


async def restarted(world: World, id: str) -> None:
    await world.engine.restart(id, False)


async def rerun(world: World, id: str) -> None:
    await world.engine.rerun(id, RerunRequest())


async def terminated(world: World, id: str) -> None:
    await world.engine.terminate(id, "enough")


#    what is done to it                   what is told after `started`
STORIES = [
    ([done],                              "completed finalized"),
    ([failed],                            "finalized terminated"),
    ([failed, terminated],                "finalized terminated finalized terminated"),
    ([paused, resumed, done],             "paused resumed completed finalized"),
    ([paused, done, resumed],             "paused resumed completed finalized"),
    ([paused, terminated],                "paused finalized terminated"),
    ([failed, retried, done],             "finalized terminated retried completed finalized"),
    ([done, restarted, done],             "completed finalized restarted completed finalized"),
    ([terminated, rerun, done],           "finalized terminated reran completed finalized"),
]  # fmt: skip


@pytest.mark.parametrize(("deeds", "expected"), STORIES)
def test_every_change_of_a_workflow_is_told_once_and_in_order(deeds: list[Any], expected: str) -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("job", taskDefinition={"name": "job", "retryCount": 0}), workflowStatusListenerEnabled=True)
        id = await world.start("flow")
        for deed in deeds:
            await deed(world, id)
        await world.settle()
        assert world.receiver.words() == ["started", *expected.split()]

    told(scenario, workflows=ALL)


def test_an_execution_revived_and_ended_in_one_decision_is_told_of_both() -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("nothing", "NOOP"), workflowStatusListenerEnabled=True)
        await world.engine.restart(await world.start("flow"), False)
        await world.settle()
        assert world.receiver.words() == ["started", "completed", "finalized", "restarted", "completed", "finalized"]
        assert {body["status"] for _, body in world.receiver.taken} == {"COMPLETED"}

    told(scenario, workflows=ALL)


def test_without_the_flag_only_ends_are_told_and_only_those_asked_for() -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("job"))
        ended, stopped = await world.start("flow"), await world.start("flow")
        await done(world, ended)
        await world.engine.terminate(stopped, "enough")
        await world.settle()
        assert (world.receiver.words(ended), world.receiver.words(stopped)) == (["completed"], ["terminated"])

    told(scenario, workflows=ALL)


def test_parent_and_child_are_told_of_as_they_fall_and_rise() -> None:
    async def scenario(world: Told) -> None:
        await world.register("child", task("job", taskDefinition={"name": "job", "retryCount": 0}), workflowStatusListenerEnabled=True)
        await world.register("parent", task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}), workflowStatusListenerEnabled=True)
        parent = await world.start("parent")
        [child] = [x.head.id for x in await world.started("child")]
        await failed(world, child)
        await world.engine.retry(child)
        await done(world, child)
        await world.settle()
        expected = ["started", "finalized", "terminated", "retried", "completed", "finalized"]
        assert (world.receiver.words(parent), world.receiver.words(child)) == (expected, expected)

    told(scenario, workflows=ALL)


def test_tasks_are_told_of_as_each_commit_leaves_them() -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("job", taskDefinition={"name": "job", "retryDelaySeconds": 0}), task("skip", "NOOP"), task("last"))
        id = await world.start("flow")
        await world.engine.skip_task(id, "last", None, None)
        await report(world, "job", TaskStatus.FAILED, reason="too hot")
        await done(world, id)
        await world.settle()
        words = ["job scheduled", "last skipped", "job in_progress", "job failed", "job scheduled", "job in_progress", "job completed", "skip completed"]
        assert world.receiver.words() == [*words, "completed"]
        bodies = [body for _, body in world.receiver.taken if body.get("eventType") == "failed"]
        assert [(b["reasonForIncompletion"], b["status"], b["retryCount"], b["taskDefName"], b["workflowTaskType"]) for b in bodies] == [
            ("too hot", "FAILED", 0, "job", "SIMPLE")
        ]

    told(scenario, tasks=ALL_OF_TASKS)


def test_a_claim_that_waits_for_its_report_is_told_of_with_it() -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("job"))
        await world.start("flow")
        [(x, claimed)] = await world.engine.claim("job", worker="w")
        await world.settle()
        assert world.receiver.words() == []
        await world.engine.report(TaskResult(execution_id=x.head.id, task_id=claimed.id, status=TaskStatus.COMPLETED, output={}))
        await world.settle()
        assert world.receiver.words() == ["job in_progress", "job completed", "completed"]

    told(scenario, tasks="IN_PROGRESS COMPLETED")


def test_a_task_definition_and_a_sub_workflow_keep_their_tasks_to_themselves() -> None:
    async def scenario(world: Told) -> None:
        await world.catalog.create_tasks([read_task({"name": "quiet", "ownerEmail": "t@example.com", "taskStatusListenerEnabled": False})])
        await world.register("child", task("quiet"))
        await world.register("flow", task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
        await world.start("flow")
        await report(world, "quiet")
        await world.settle()
        assert world.receiver.words() == ["completed", "completed"]

    told(scenario, tasks=ALL_OF_TASKS)


def test_what_was_told_before_a_restart_of_the_server_is_not_told_again() -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("job"), task("last"), workflowStatusListenerEnabled=True)
        id = await world.start("flow")
        await done(world, id)
        await world.settle()
        before = len(world.receiver.taken)
        again = Told(world.store, world.clock, world.receiver, workflows=ALL, tasks=ALL_OF_TASKS)
        await again.open()
        await report(again, "last")
        await again.settle()
        assert world.receiver.words()[before:] == ["last in_progress", "last completed", "completed", "finalized"]
        again.webhooks.stop()

    told(scenario, workflows=ALL, tasks=ALL_OF_TASKS)


def test_texts_are_cut_and_halves_of_characters_mended() -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("nothing", "NOOP"))
        await world.start("flow", {"long": "x" * 2 * TEXT_MAX})
        await world.start("flow", {"half": "\ud800"})
        await world.settle()
        long, half = sorted((body for _, body in world.receiver.taken), key=lambda body: -body["inputSize"])
        assert (len(long["input"]), long["inputSize"], half["input"]) == (TEXT_MAX, 2 * TEXT_MAX + len("{long=}"), "{half=?}")

    told(scenario)


def test_a_fault_of_a_listener_fails_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: Told) -> None:
        await world.register("flow", task("nothing", "NOOP"))
        monkeypatch.setattr("batuta.engine.listeners.workflow_notification", lambda *_: 1 / 0)
        assert (await world.engine.read(await world.start("flow"))).head.status == "COMPLETED"
        assert world.receiver.taken == [] and "were not told" in caplog.text

    told(scenario)


def test_nothing_is_remembered_where_nobody_listens() -> None:
    async def scenario(world: World) -> None:
        await world.register("flow", task("job"), workflowStatusListenerEnabled=True)
        await world.register("sunk", task("job"), workflowStatusListenerEnabled=True, workflowStatusListenerSink="conductor:told")
        await world.start("flow")
        await world.start("sunk")
        assert {live.x.head.name: live.heard is not None for live in world.engine.lives} == {"flow": False, "sunk": True}

    play(scenario)


def test_a_sink_is_told_of_every_change_and_handlers_react() -> None:
    async def scenario(world: World) -> None:
        await world.register("note", task("nothing", "NOOP"))
        await world.register("flow", task("job"), workflowStatusListenerEnabled=True, workflowStatusListenerSink="conductor:told")
        given = {"what": "${eventType}", "id": "${workflowId}", "status": "${status}"}
        await world.handler("noted", "conductor:flow:told", start_workflow("note", given))
        id = await world.start("flow")
        await paused(world, id)
        await resumed(world, id)
        await done(world, id)
        await world.settle()
        notes = [x.head.input for x in await world.started("note")]
        expected = {("started", "RUNNING"), ("paused", "PAUSED"), ("resumed", "RUNNING"), ("completed", "COMPLETED"), ("finalized", "COMPLETED")}
        assert {(note["what"], note["status"]) for note in notes} == expected and len(notes) == 5 and {note["id"] for note in notes} == {id}

    play(scenario)


def test_a_sink_that_leads_nowhere_is_set_aside_and_fails_nobody() -> None:
    async def scenario(world: World) -> None:
        await world.register("flow", task("nothing", "NOOP"), workflowStatusListenerEnabled=True, workflowStatusListenerSink="nowhere")
        id = await world.start("flow")
        await world.settle()
        assert (await world.engine.read(id)).head.status == "COMPLETED"
        dead = await world.events.journal.dead()
        assert {d.event for d in dead} == {"nowhere"} and "no event queue provider 'nowhere'" in dead[0].failures[0].reason

    play(scenario)


def test_a_restart_with_a_definition_that_has_a_sink_is_told() -> None:
    async def scenario(world: World) -> None:
        await world.register("note", task("nothing", "NOOP"))
        await world.handler("noted", "conductor:flow:told", start_workflow("note", {"what": "${eventType}"}))
        await world.register("flow", task("nothing", "NOOP"))
        id = await world.start("flow")
        await world.register("flow", task("nothing", "NOOP"), workflowStatusListenerEnabled=True, workflowStatusListenerSink="conductor:told")
        await world.engine.restart(id, True)
        await world.settle()
        assert {x.head.input["what"] for x in await world.started("note")} == {"restarted", "completed", "finalized"}

    play(scenario)


def test_the_words_of_the_settings() -> None:
    assert read_changes(" running, completed ,", CHANGES, "s") == {"STARTED", "COMPLETED"}
    with pytest.raises(Invalid, match="setting webhook_tasks: found 'DONE', expected some of SCHEDULED"):
        read_changes("COMPLETED,done", TASK_CHANGES, "webhook_tasks")
