"""Both clients: each method's request on the wire, and waiting for an execution."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from conductor_fake import ConductorFake

from batuta.client import Client, NotFound, SyncClient, TaskResult, workflow

RESULT = TaskResult(status="COMPLETED", output={"y": 1}, task_id="t1", execution_id="e1", worker_id="w")
RESULT_JSON = {"workflowInstanceId": "e1", "taskId": "t1", "status": "COMPLETED", "outputData": {"y": 1}, "callbackAfterSeconds": 0, "workerId": "w"}
WF = {"name": "w", "tasks": []}
A_TASK = {"taskId": "t1"}
A_RUN = {"workflowId": "e1", "status": "RUNNING"}

#    method                 arguments                                    request on the wire; its body; the answer
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, Any, Any]] = [
    ("start_workflow",      ("w", {"x": 1}), {},                         "POST /workflow",
     {"name": "w", "input": {"x": 1}, "priority": 0}, b"e1"),
    ("start_workflow",      ("w",), {"version": 2, "correlation_id": "c", "priority": 7, "task_to_domain": {"*": "d"}, "workflow_def": WF,
                                     "idempotency_key": "k", "idempotency_strategy": "FAIL"},
                                                                         "POST /workflow",
     {"name": "w", "input": {}, "priority": 7, "version": 2, "correlationId": "c", "taskToDomain": {"*": "d"}, "workflowDef": WF,
      "idempotencyKey": "k", "idempotencyStrategy": "FAIL"}, b"e1"),
    ("start_workflow",      ("w",), {"idempotency_key": "k"},            "POST /workflow",
     {"name": "w", "input": {}, "priority": 0, "idempotencyKey": "k", "idempotencyStrategy": "RETURN_EXISTING"}, b"e1"),
    ("execute_workflow",    ("w", {"x": 1}), {"version": 3, "wait_s": 5, "wait_until_ref": "a"},
                                                                         "POST /workflow/execute/w/3?waitForSeconds=5&waitUntilTaskRef=a",
     {"name": "w", "input": {"x": 1}, "priority": 0, "version": 3}, {}),
    ("get_workflow",        ("e1",), {},                                 "GET /workflow/e1?includeTasks=true",                    None, A_RUN),
    ("get_workflow",        ("e1", False), {},                           "GET /workflow/e1?includeTasks=false",                   None, A_RUN),
    ("get_workflow_status", ("e1",), {},                                 "GET /workflow/e1/status",                               None, A_RUN),
    ("terminate",           ("e1", "why not"), {},                       "DELETE /workflow/e1?reason=why+not",                    None, b""),
    ("terminate",           ("e1",), {},                                 "DELETE /workflow/e1",                                   None, b""),
    ("pause",               ("e1",), {},                                 "PUT /workflow/e1/pause",                                None, b""),
    ("resume",              ("e1",), {},                                 "PUT /workflow/e1/resume",                               None, b""),
    ("restart",             ("e1",), {"use_latest_definitions": True},   "POST /workflow/e1/restart?useLatestDefinitions=true",   None, b""),
    ("retry",               ("e1",), {"resume_subworkflow_tasks": True}, "POST /workflow/e1/retry?resumeSubworkflowTasks=true",   None, b""),
    ("rerun",               ("e1",), {"from_task_id": "t1", "task_input": {"a": 1}},
                                                                         "POST /workflow/e1/rerun",
     {"reRunFromTaskId": "t1", "taskInput": {"a": 1}}, b"e1"),
    ("push_message",        ("e1", {"a": 1}), {},                        "POST /workflow/e1/messages",                            {"a": 1}, b"m1"),
    ("rerun",               ("e1",), {},                                 "POST /workflow/e1/rerun",                               {}, b"e1"),
    ("skip_task",           ("e1", "a"), {"task_output": {"b": 2}},      "PUT /workflow/e1/skiptask/a",
     {"taskOutput": {"b": 2}}, b""),
    ("remove",              ("e1",), {"archive": False},                 "DELETE /workflow/e1/remove?archiveWorkflow=false",      None, b""),
    ("decide",              ("e1",), {},                                 "PUT /workflow/decide/e1",                               None, b""),
    ("signal",              ("e1", {"a": 1}), {},                        "POST /tasks/e1/COMPLETED/signal",                       {"a": 1}, b""),
    ("search",              ("status IN (FAILED)",), {"size": 5, "sort": "startTime:DESC"},
     "GET /workflow/search?query=status+IN+%28FAILED%29&freeText=%2A&start=0&size=5&sort=startTime%3ADESC",                       None, {"totalHits": 0}),
    ("correlated",          ("w", "c/1"), {},                  "GET /workflow/w/correlated/c%2F1?includeClosed=true&includeTasks=false", None, [A_RUN]),
    ("health",              (), {},                                      "GET /health",                                           None, {"healthy": True}),
    ("version",             (), {},                                      "GET /version",                                          None, b"1"),
    ("request",             ("POST", "/workflow/bulk/pause"), {"body": ["e1"], "query": {"a": 1}},
                                                                         "POST /workflow/bulk/pause?a=1",                         ["e1"], {}),
    ("poll_task",           ("t",), {"worker_id": "w", "domain": "d"},   "GET /tasks/poll/t?workerid=w&domain=d",                 None, A_TASK),
    ("poll_tasks",          ("t",), {"count": 3, "timeout_s": 0.25},     "GET /tasks/poll/batch/t?count=3&timeout=250",           None, [A_TASK]),
    ("update_task",         (RESULT,), {},                               "POST /tasks",                                           RESULT_JSON, b"t1"),
    ("update_task_by_ref",  ("e1", "a", "COMPLETED", {"y": 1}), {},      "POST /tasks/e1/a/COMPLETED",                            {"y": 1}, b"t1"),
    ("get_task",            ("t1",), {},                                 "GET /tasks/t1",                                         None, A_TASK),
    ("payload_uri",         ("p/1", "TASK_INPUT"), {},
                                           "GET /tasks/externalstoragelocation?path=p%2F1&operation=READ&payloadType=TASK_INPUT", None, {"uri": "u"}),
    ("get_task_logs",       ("t1",), {},                                 "GET /tasks/t1/log",                                     None, []),
    ("queue_sizes",         ("a", "b"), {},                              "GET /tasks/queue/sizes?taskType=a&taskType=b",          None, {"a": 1, "b": 0}),
    ("queue_sizes",         (), {},                                      "GET /tasks/queue/all",                                  None, {"a": 1}),
    ("poll_data",           ("a",), {},                                  "GET /tasks/queue/polldata?taskType=a",                  None, []),
    ("poll_data",           (), {},                                      "GET /tasks/queue/polldata/all",                         None, []),
    ("register_workflow",   (WF,), {"overwrite": True},                  "POST /metadata/workflow?overwrite=true",                WF, b""),
    ("register_workflows",  ([WF],), {},                                 "PUT /metadata/workflow",                                [WF], {}),
    ("get_workflow_def",    ("w", 2), {},                                "GET /metadata/workflow/w?version=2",                    None, WF),
    ("get_workflow_def",    ("w",), {},                                  "GET /metadata/workflow/w",                              None, WF),
    ("list_workflow_defs",  (), {},                                      "GET /metadata/workflow",                                None, [WF]),
    ("delete_workflow_def", ("w", 2), {},                                "DELETE /metadata/workflow/w/2",                         None, b""),
    ("register_task_defs",  ([{"name": "t"}],), {},                      "POST /metadata/taskdefs",                               [{"name": "t"}], b""),
    ("get_task_def",        ("t",), {},                                  "GET /metadata/taskdefs/t",                              None, {"name": "t"}),
    ("list_task_defs",      (), {},                                      "GET /metadata/taskdefs",                                None, []),
    ("delete_task_def",     ("t",), {},                                  "DELETE /metadata/taskdefs/t",                           None, b""),
]  # fmt: skip


@pytest.mark.parametrize(("method", "args", "kwargs", "wire", "body", "answer"), CALLS, ids=[call[0] for call in CALLS])
def test_a_method_sends_its_request_and_both_clients_agree(
    fake: ConductorFake, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], wire: str, body: Any, answer: Any
) -> None:
    content_type = "text/plain" if isinstance(answer, bytes) else "application/json"
    path = wire.partition("?")[0]
    fake.fault(path, 200, answer, content_type=content_type, times=2)

    blocking = getattr(SyncClient(fake.url), method)(*args, **kwargs)
    awaited = asyncio.run(_called(fake.url, method, args, kwargs))

    assert blocking == awaited
    assert len(fake.requests) == 2
    for request in fake.requests:
        assert str(request) == path
        assert request.json == body
        assert _query_of(request.query) == _query_text(wire)


async def _called(url: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async with Client(url) as client:
        return await getattr(client, method)(*args, **kwargs)


def _query_of(query: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.items() for value in values]


def _query_text(wire: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(wire.partition("?")[2])


def test_every_method_is_in_the_table() -> None:
    apart = {"send", "close", "sibling", "sync", "url", "wait_for_workflow", "add_task_log", "payload_at"}
    methods = {name for name in dir(Client) if not name.startswith("_")} - apart
    assert methods == {call[0] for call in CALLS}


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    for name in {call[0] for call in CALLS} | {"wait_for_workflow", "add_task_log"}:
        one, other = getattr(Client, name), getattr(SyncClient, name)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters, name
        assert one.__doc__ and other.__doc__, name
        assert inspect.iscoroutinefunction(one) and not inspect.iscoroutinefunction(other), name
        assert "Call[" not in str(inspect.signature(one)), name


def test_empty_answers_read_as_nothing(fake: ConductorFake, sync_client: SyncClient) -> None:
    task_id = fake.put_task("a")
    assert sync_client.poll_task("other") is None
    assert sync_client.poll_tasks("other", timeout_s=0) == []
    assert sync_client.get_task_logs(task_id) == []
    fake.fault("POST /tasks/e1/a", 200, b"", content_type="")
    assert sync_client.update_task_by_ref("e1", "a", "COMPLETED") is None


def test_a_log_entry_is_sent_as_raw_text(fake: ConductorFake, sync_client: SyncClient) -> None:
    task_id = fake.put_task("a")
    sync_client.add_task_log(task_id, '"quoted" and\nü')
    assert [entry["log"] for entry in sync_client.get_task_logs(task_id)] == ['"quoted" and\nü']
    assert fake.seen(f"POST /tasks/{task_id}/log")[0].headers["content-type"].startswith("text/plain")


def test_a_poll_longer_than_servers_hold_is_refused_before_it_is_sent(fake: ConductorFake, sync_client: SyncClient) -> None:
    with pytest.raises(ValueError, match="a server holds a poll for 0 to 5 s"):
        sync_client.poll_tasks("a", timeout_s=6)
    assert not fake.requests


def test_a_result_of_no_task_is_refused_before_it_is_sent(fake: ConductorFake, sync_client: SyncClient) -> None:
    with pytest.raises(ValueError, match="without task_id and execution_id"):
        sync_client.update_task(TaskResult(status="COMPLETED"))
    assert not fake.requests


def test_a_workflow_of_the_builder_is_registered_and_started(fake: ConductorFake, sync_client: SyncClient) -> None:
    flow = workflow("built")
    flow.task("a")
    sync_client.register_workflow(flow)
    execution_id = sync_client.start_workflow("built")
    assert sync_client.get_workflow(execution_id).task("a").status == "SCHEDULED"
    assert sync_client.start_workflow("other", workflow_def=flow)


def test_waiting_ends_with_the_execution(fake: ConductorFake, sync_client: SyncClient) -> None:
    task_id = fake.put_task("a")
    task = sync_client.poll_task("a")
    assert task is not None and task.id == task_id

    async def both() -> str:
        async with Client(fake.url) as client:
            waiting = asyncio.create_task(client.wait_for_workflow(task.execution_id, timeout_s=20))
            await asyncio.to_thread(fake.wait_until, lambda: len(fake.seen("GET /workflow/")) >= 2, "two looks")
            await client.update_task(TaskResult(status="COMPLETED", output={"y": 2}, task_id=task.id, execution_id=task.execution_id))
            return (await waiting).output["y"]

    assert asyncio.run(both()) == 2
    assert sync_client.wait_for_workflow(task.execution_id).output == {"y": 2}


def test_waiting_can_be_for_any_status(fake: ConductorFake, sync_client: SyncClient) -> None:
    fake.put_task("a")
    execution_id = next(iter(fake.executions))
    assert sync_client.wait_for_workflow(execution_id, until={"RUNNING"}).status == "RUNNING"


def test_waiting_in_vain_says_what_the_status_was(fake: ConductorFake, sync_client: SyncClient) -> None:
    fake.put_task("a")
    execution_id = next(iter(fake.executions))
    with pytest.raises(TimeoutError, match=rf"execution '{execution_id}' is RUNNING after 0.05 s; expected COMPLETED or"):
        sync_client.wait_for_workflow(execution_id, timeout_s=0.05)

    async def awaited() -> None:
        async with Client(fake.url) as client:
            await client.wait_for_workflow(execution_id, timeout_s=0.05)

    with pytest.raises(TimeoutError, match="is RUNNING after"):
        asyncio.run(awaited())


def test_waiting_outlasts_an_outage(fake: ConductorFake, sync_client: SyncClient) -> None:
    fake.put_task("a")
    execution_id = next(iter(fake.executions))
    fake.executions[execution_id]["status"] = "COMPLETED"
    fake.fault("GET /workflow/", 503, b"", times=3)
    assert sync_client.wait_for_workflow(execution_id).status == "COMPLETED"


def test_waiting_for_what_does_not_exist_fails_at_once(sync_client: SyncClient) -> None:
    with pytest.raises(NotFound):
        sync_client.wait_for_workflow("no-such-id")


def test_a_cancelled_call_lets_its_coroutine_go(fake: ConductorFake) -> None:
    async def cancelled() -> None:
        async with Client(fake.url) as client:
            with fake.held("GET /version"):
                call = asyncio.create_task(client.version())
                await asyncio.to_thread(fake.wait_until, lambda: fake.seen("GET /version"), "the call")
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            assert await client.version() == "3.32.1"

    asyncio.run(cancelled())


def test_more_calls_than_connections_wait_their_turn(fake: ConductorFake) -> None:
    async def many() -> list[str]:
        async with Client(fake.url, connections=3) as client:
            return await asyncio.gather(*(client.version() for _ in range(40)))

    assert asyncio.run(many()) == ["3.32.1"] * 40


def test_a_client_lives_through_several_event_loops(fake: ConductorFake, client: Client) -> None:
    assert asyncio.run(client.version()) == asyncio.run(client.version()) == "3.32.1"
    assert client.sync.version() == "3.32.1"
