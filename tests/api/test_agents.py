"""Agents: their definitions, what becomes of them without a model, and the verbs under the names agents have for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from edgework import Caller, Edge

from batuta.core.model.status import TaskStatus

GREETER = {"name": "greeter", "model": "openai/gpt-4o-mini", "instructions": "You greet.", "description": "greets"}
DAY_MS = 24 * 3600 * 1000


def start(edge: Edge, **fields: Any) -> str:
    answer = edge.call("POST", "/api/agent/start", {"agentConfig": GREETER, "prompt": "hello", **fields})
    assert answer.status == 200, answer.text
    found: str = answer.json["executionId"]
    return found


def person(edge: Edge) -> str:
    """An execution of an agent that waits for a person."""
    edge.register("asks", {"name": "ask", "taskReferenceName": "ask", "type": "HUMAN", "inputParameters": {"tool_name": "pay", "parameters": {"sum": 3}}},
                  metadata={"agent_sdk": "conductor", "agentDef": {"name": "asks"}})  # fmt: skip
    return edge.start("asks")


# -- definitions ------------------------------------------------------------------------------------------------------------------


def test_an_agent_that_only_talks_becomes_one_question_to_its_model_as_conductor_compiles_it(edge: Edge) -> None:
    made = edge.call("POST", "/api/agent/compile", {"agentConfig": GREETER}).json
    definition = made["workflowDef"]
    assert made["requiredWorkers"] == []
    assert (definition["name"], definition["version"], definition["timeoutSeconds"]) == ("greeter", 1, 60)
    assert definition["inputParameters"] == ["prompt", "session_id", "media", "cwd"]
    assert definition["outputParameters"] == {
        "result": "${greeter_llm.output.result}", "finishReason": "${greeter_llm.output.finishReason}", "context": "${workflow.input.context}",
    }  # fmt: skip
    [task] = definition["tasks"]
    assert (task["name"], task["taskReferenceName"], task["type"]) == ("llm_chat_complete", "greeter_llm", "LLM_CHAT_COMPLETE")
    assert task["inputParameters"] == {
        "llmProvider": "openai", "model": "gpt-4o-mini", "maxTokens": 16384, "messages": [
            {"role": "system", "message": "You greet."},
            {"message": "${workflow.input.prompt}", "role": "user", "media": "${workflow.input.media}"},
        ],
    }  # fmt: skip
    assert {"retryCount": 3, "retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 2, "backoffScaleFactor": 2}.items() <= task["taskDefinition"].items()
    metadata = definition["metadata"]
    assert (metadata["classifier"], metadata["agent_sdk"], metadata["agent_capabilities"]) == ("agent", "conductor", ["simple"])
    assert metadata["agentDef"] == {**GREETER, "strategy": "handoff", "maxTurns": 100, "timeoutSeconds": 0, "external": False}
    assert edge.call("GET", "/api/metadata/workflow").json == [], "compiling stores nothing"


def test_an_agent_with_tools_becomes_a_task_for_who_can_run_it(edge: Edge) -> None:
    tools = [{"name": "look_up", "toolType": "worker"}, {"name": "fetch", "toolType": "http"}]
    made = edge.call("POST", "/api/agent/compile", {"agentConfig": {**GREETER, "tools": tools}}).json
    [task] = made["workflowDef"]["tasks"]
    assert (task["type"], task["inputParameters"]["agentName"]) == ("AGENT", "greeter")
    assert made["requiredWorkers"] == ["look_up"] and made["workflowDef"]["metadata"]["agent_capabilities"] == ["tool-calling"]
    framework = edge.call("POST", "/api/agent/compile", {"framework": "langgraph", "rawConfig": {"name": "graph", "nodes": []}}).json["workflowDef"]
    assert framework["metadata"]["agent_sdk"] == "langgraph" and framework["tasks"][0]["type"] == "AGENT"


def test_a_deployed_agent_is_listed_shown_and_deleted(edge: Edge) -> None:
    edge.register("no_agent")
    assert edge.call("GET", "/api/agent/list").json == []
    assert edge.call("POST", "/api/agent/deploy", {"agentConfig": GREETER}).json == {"agentName": "greeter", "requiredWorkers": []}
    [listed] = edge.call("GET", "/api/agent/list").json
    assert (listed["name"], listed["version"], listed["type"], listed["tags"]) == ("greeter", 1, "conductor", ["simple"])
    assert len(listed["checksum"]) == 64 and listed["createTime"] > 0 and listed["description"] == "Agent workflow for greeter"
    assert edge.call("GET", "/api/agent/greeter").json["instructions"] == "You greet."
    assert edge.call("GET", "/api/agent/definitions/greeter?version=1").json["tasks"][0]["type"] == "LLM_CHAT_COMPLETE"
    assert edge.call("GET", "/api/metadata/workflow?classifier=agent").json[0]["name"] == "greeter"
    assert edge.call("DELETE", "/api/agent/no_agent").status == 404, "a workflow is no agent"
    assert edge.call("DELETE", "/api/agent/greeter").status == 200
    assert edge.call("GET", "/api/agent/greeter").json["message"] == "Agent not found: greeter"


def test_deploying_the_same_agent_again_changes_nothing(edge: Edge) -> None:
    edge.call("POST", "/api/agent/deploy", {"agentConfig": GREETER})
    before = edge.call("GET", "/api/agent/list").json
    edge.clock.advance(1000)
    edge.call("POST", "/api/agent/deploy", {"agentConfig": GREETER})
    assert edge.call("GET", "/api/agent/list").json == before
    edge.call("POST", "/api/agent/deploy", {"agentConfig": {**GREETER, "instructions": "You shout."}})
    [after] = edge.call("GET", "/api/agent/list").json
    assert after["checksum"] != before[0]["checksum"] and after["createTime"] == before[0]["createTime"]


#    path                         body                                                     status  says
REFUSED = [
    ("/api/agent/compile",        {},                                                      400,    "agentConfig is required when framework is not specified"),
    ("/api/agent/compile",        {"framework": "langgraph"},                              400,    "rawConfig is required"),
    ("/api/agent/compile",        {"agentConfig": {"name": "x"}},                          400,    "Model string cannot be null or empty"),
    ("/api/agent/compile",        {"agentConfig": {"name": "x", "model": "gpt"}},          400,    "Expected 'provider/model'"),
    ("/api/agent/compile",        {"agentConfig": {"name": 5, "model": "a/b"}},            400,    "agentConfig.name"),
    ("/api/agent/start",          {},                                                      400,    "requires a non-empty prompt"),
    ("/api/agent/start",          {"prompt": "x"},                                         400,    "requires agentName or inline"),
    ("/api/agent/start",          {"prompt": "x", "version": 2},                           400,    "agentVersion requires agentName"),
    ("/api/agent/start",          {"prompt": "x", "name": "greeter", "agentConfig": {}},   404,    "Agent not found: greeter"),
    ("/api/agent/start",          {"prompt": "x", "name": "a", "agentConfig": GREETER},    400,    "not both"),
    ("/api/agent/start",          {"prompt": "x", "agentName": "none"},                    404,    "Agent not found: none"),
    ("/api/agent/inspect-plan",   {},                                                      400,    "agentConfig is required"),
    ("/api/agent/inspect-plan",   {"agentConfig": {}, "plan": {}},                         400,    "no agent runtime"),
    ("/api/a2a/agent-card",       {},                                                      400,    "requires 'agentUrl'"),
    ("/api/a2a/agent-card",       {"agentUrl": "http://127.0.0.1:1/"},                     400,    "does not speak to agents"),
    ("/api/a2a/callback/t1",      {},                                                      404,    "'t1'"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "says"), REFUSED)
def test_what_is_refused_says_why(edge: Edge, path: str, body: dict[str, Any], status: int, says: str) -> None:
    answer = edge.call("POST", path, body)
    assert answer.status == status and says in answer.json["message"]


def test_plans_are_not_compiled(edge: Edge) -> None:
    refused = edge.call("POST", "/api/agent/inspect-plan", {"agentConfig": {}, "plan": {}})
    assert refused.status == 400 and "PLAN_AND_COMPILE" in refused.json["message"]


def test_no_provider_of_models_is_configured(edge: Edge) -> None:
    assert edge.call("GET", "/api/providers/status").json == {"managedByHost": False, "providers": []}


# -- executions -------------------------------------------------------------------------------------------------------------------


def test_starting_an_agent_registers_it_and_starts_its_workflow(edge: Edge) -> None:
    answer = edge.call("POST", "/api/agent/start", {"agentConfig": GREETER, "prompt": "hello"}).json
    assert (answer["agentName"], answer["requiredWorkers"]) == ("greeter", [])
    started = edge.call("GET", f"/api/workflow/{answer['executionId']}").json
    assert started["input"] == {"prompt": "hello", "media": [], "context": {}, "session_id": "", "cwd": "."}
    assert started["tasks"][0]["inputData"]["messages"][1]["message"] == "hello"
    again = edge.call("POST", "/api/agent/start", {"agentName": "greeter", "prompt": "hi", "model": "mistral/large", "timeoutSeconds": 9}).json
    other = edge.call("GET", f"/api/workflow/{again['executionId']}").json
    assert other["tasks"][0]["inputData"]["llmProvider"] == "mistral" and other["workflowDefinition"]["timeoutSeconds"] == 9
    assert edge.call("GET", "/api/agent/definitions/greeter").json["timeoutSeconds"] == 60, "what one run wants changes no definition"


def test_one_idempotency_key_starts_one_execution(edge: Edge) -> None:
    assert start(edge, idempotencyKey="k1") == start(edge, idempotencyKey="k1") != start(edge, idempotencyKey="k2")


def test_executions_of_agents_are_found(edge: Edge) -> None:
    edge.register("flow")
    edge.start("flow")
    execution = start(edge)
    [found] = edge.call("GET", "/api/agent/executions").json["results"]
    assert (found["executionId"], found["agentName"], found["status"]) == (execution, "greeter", "RUNNING")
    assert edge.call("GET", "/api/agent/executions?agentName=greeter&status=RUNNING&classifier=agent").json["totalHits"] == 1
    assert edge.call("GET", "/api/agent/executions?status=FAILED").json == {"totalHits": 0, "results": []}
    assert edge.call("GET", "/api/agent/executions/search").json["totalHits"] == 2
    [summary] = edge.call("GET", "/api/agent/executions/search?classifier=agent&query=status%20IN%20(RUNNING)").json["results"]
    assert (summary["workflowId"], summary["classifier"]) == (execution, "agent")
    assert edge.call("GET", "/api/agent/executions?size=5001").status == 400


def test_an_execution_is_shown_in_four_ways(edge: Edge) -> None:
    execution = start(edge)
    detail = edge.call("GET", f"/api/agent/executions/{execution}").json
    assert (detail["agentName"], detail["currentTask"]["taskRefName"], detail["currentTask"]["status"]) == ("greeter", "greeter_llm", "SCHEDULED")
    assert edge.call("GET", f"/api/agent/executions/{execution}/full").json["workflowId"] == execution
    page = edge.call("GET", f"/api/agent/executions/{execution}/tasks?status=SCHEDULED").json
    assert (page["totalHits"], page["summary"], page["results"][0]["referenceTaskName"]) == (1, {"SCHEDULED": 1}, "greeter_llm")
    task = edge.take("LLM_CHAT_COMPLETE")
    edge.report(task, outputData={"result": "Hi!", "promptTokens": 5, "completionTokens": 2})
    run = edge.call("GET", f"/api/agent/execution/{execution}").json
    assert run["tokenUsage"] == {"promptTokens": 5, "completionTokens": 2, "totalTokens": 7}
    assert run["output"]["result"] == "Hi!" and run["tasks"][0]["taskType"] == "LLM_CHAT_COMPLETE"
    ended = edge.call("GET", f"/api/agent/{execution}/status").json
    assert (ended["isComplete"], ended["isRunning"], ended["isWaiting"], ended["status"]) == (True, False, False, "COMPLETED")
    assert edge.call("GET", f"/api/agent/tasks/{task['taskId']}/log").json == []
    edge.raw("POST", f"/api/tasks/{task['taskId']}/log", b"thinking", headers=((b"content-type", b"text/plain"),))
    assert edge.call("GET", f"/api/agent/tasks/{task['taskId']}/log").json[0]["log"] == "thinking"


def test_tokens_are_counted_over_the_whole_family(edge: Edge) -> None:
    chat = {"name": "chat", "taskReferenceName": "chat", "type": "LLM_CHAT_COMPLETE"}
    child = {"name": "sub", "taskReferenceName": "sub", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "inner", "version": 1}}
    edge.register("inner", chat)
    edge.register("outer", chat, child)
    execution = edge.start("outer")
    for used in (10, 5):
        edge.report(edge.take("LLM_CHAT_COMPLETE"), outputData={"promptTokens": used, "completionTokens": 1, "tokenUsed": used + 1})
    assert edge.call("GET", f"/api/agent/executions/{execution}/full").json["aggregateTokenUsage"] == {
        "promptTokens": 15, "completionTokens": 2, "totalTokens": 17,
    }  # fmt: skip


def test_a_person_is_waited_for_and_answers(edge: Edge) -> None:
    execution = person(edge)
    status = edge.call("GET", f"/api/agent/{execution}/status").json
    assert status["isWaiting"] and (status["pendingTool"]["taskRefName"], status["pendingTool"]["tool_name"]) == ("ask", "pay")
    assert edge.call("POST", f"/api/agent/{execution}/respond", {"approved": True}).status == 200
    assert edge.call("GET", f"/api/workflow/{execution}").json["output"]["approved"] is True
    late = edge.call("POST", f"/api/agent/{execution}/respond", {"approved": True})
    assert late.status == 409 and "No pending HUMAN task" in late.json["message"]


def test_the_operators_verbs_have_names_of_their_own(edge: Edge) -> None:
    execution = start(edge)
    for method, path, becomes in (
        ("PUT", f"/api/agent/{execution}/pause", "PAUSED"),
        ("PUT", f"/api/agent/{execution}/resume", "RUNNING"),
        ("DELETE", f"/api/agent/{execution}/cancel", "TERMINATED"),
        ("POST", f"/api/agent/executions/{execution}/restart", "RUNNING"),
        ("DELETE", f"/api/agent/executions/{execution}?reason=enough", "TERMINATED"),
        ("POST", f"/api/agent/executions/{execution}/retry", "RUNNING"),
        ("DELETE", f"/api/agent/{execution}/cancel", "TERMINATED"),
    ):
        answer = edge.call(method, path)
        assert (answer.status, edge.status(execution)) == (200, becomes), path
    rerun = edge.call("POST", f"/api/agent/executions/{execution}/rerun", {})
    assert (rerun.status, rerun.text, edge.status(execution)) == (200, execution, "RUNNING")
    edge.call("DELETE", f"/api/agent/{execution}/cancel")
    assert edge.call("GET", f"/api/workflow/{execution}").json["reasonForIncompletion"] == "Cancelled by user"
    assert edge.call("DELETE", f"/api/agent/executions/{execution}/record").status == 200
    assert edge.call("GET", f"/api/agent/{execution}/status").status == 404


def test_verbs_of_many_go_on_up_to_the_first_that_cannot(edge: Edge) -> None:
    one, two = start(edge), start(edge)
    for method, verb, becomes in (("PUT", "pause", "PAUSED"), ("PUT", "resume", "RUNNING"), ("POST", "terminate", "TERMINATED"),
                                  ("POST", "restart", "RUNNING"), ("POST", "terminate", "TERMINATED"), ("POST", "retry", "RUNNING")):  # fmt: skip
        assert edge.call(method, f"/api/agent/executions/bulk/{verb}", [one, two]).status == 200
        assert (edge.status(one), edge.status(two)) == (becomes, becomes), verb
    refused = edge.call("PUT", "/api/agent/executions/bulk/pause", [one, "nothing", two])
    assert refused.status == 404 and "nothing" in refused.json["message"]
    assert (edge.status(one), edge.status(two)) == ("PAUSED", "RUNNING")


def test_stop_and_signal_are_variables_that_its_next_turn_reads(edge: Edge) -> None:
    execution = start(edge)
    assert edge.call("POST", f"/api/agent/{execution}/signal", {"message": "hurry"}).status == 200
    assert edge.call("POST", f"/api/agent/{execution}/stop").status == 200
    assert edge.call("GET", f"/api/workflow/{execution}").json["variables"] == {"_stop_requested": True, "_signal_injection": "hurry"}
    assert edge.call("POST", f"/api/agent/{execution}/signal", {"message": 5}).status == 400
    edge.call("DELETE", f"/api/agent/{execution}/cancel")
    assert edge.call("POST", f"/api/agent/{execution}/stop").status == 200, "what has ended has stopped"
    assert edge.call("POST", f"/api/agent/{execution}/signal", {"message": "late"}).status == 409


def test_old_executions_of_agents_are_pruned_and_nothing_else(edge: Edge) -> None:
    edge.register("flow")
    other, old, running = edge.start("flow"), start(edge), start(edge)
    for ended in (other, old):
        edge.call("DELETE", f"/api/workflow/{ended}")
    edge.clock.advance(31 * DAY_MS)
    young = start(edge)
    edge.call("DELETE", f"/api/workflow/{young}")
    assert edge.call("POST", "/api/agent/executions/prune").json == {"deleted": 1}
    assert [edge.call("GET", f"/api/workflow/{one}").status for one in (other, old, running, young)] == [200, 404, 200, 200]
    assert edge.call("POST", "/api/agent/executions/prune?olderThanDays=0").status == 400


# -- what an SDK records ----------------------------------------------------------------------------------------------------------


def test_tasks_are_shown_beside_the_flow_and_fail_nothing(edge: Edge) -> None:
    execution = start(edge)
    look_up = {"taskDefName": "look_up", "referenceTaskName": "look_1", "type": "SIMPLE", "inputData": {"a": 1}}
    added = edge.call("POST", f"/api/agent/{execution}/tasks", look_up)
    assert added.status == 200
    task = edge.call("GET", f"/api/tasks/{added.json['taskId']}").json
    assert (task["status"], task["taskDefName"], task["inputData"]) == ("IN_PROGRESS", "look_up", {"a": 1})
    twice = edge.call("POST", f"/api/agent/{execution}/tasks", look_up)
    assert twice.status == 409 and "look_1" in twice.json["message"]
    edge.report(edge.take("LLM_CHAT_COMPLETE"), outputData={"result": "Hi!"})
    assert edge.status(execution) == "RUNNING", "one task is still open"
    assert edge.call("POST", f"/api/agent/tasks/{execution}/look_1/FAILED", {"why": "no answer"}).status == 200
    ended = edge.call("GET", f"/api/workflow/{execution}").json
    assert (ended["status"], ended["tasks"][1]["status"], ended["tasks"][1]["outputData"]) == ("COMPLETED", "COMPLETED_WITH_ERRORS", {"why": "no answer"})
    for path, status in (("nothing/COMPLETED", 404), ("look_1/DONE", 400)):
        assert edge.call("POST", f"/api/agent/tasks/{execution}/{path}", {}).status == status


def test_what_is_done_elsewhere_is_tracked_by_an_execution(edge: Edge) -> None:
    parent = start(edge)
    child = edge.call("POST", "/api/agent/execution", {"workflowName": "helper", "input": {"prompt": "p"}}).json["executionId"]
    shown = {"taskDefName": "helper", "referenceTaskName": "helper_1", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "helper", "executionId": child}}
    edge.call("POST", f"/api/agent/{parent}/tasks", {**shown, "inputData": {"prompt": "p"}})
    task = edge.call("GET", f"/api/workflow/{parent}").json["tasks"][1]
    assert (task["subWorkflowId"], task["inputData"]["workflowInput"]) == (child, {"prompt": "p"})
    edge.call("POST", f"/api/agent/{child}/tasks", {"taskDefName": "look_up", "referenceTaskName": "look_1", "type": "SIMPLE"})
    assert edge.call("POST", f"/api/agent/execution/{child}/complete", {"result": "found"}).status == 200
    ended = edge.call("GET", f"/api/workflow/{child}").json
    assert (ended["status"], ended["output"], {t["status"] for t in ended["tasks"]}) == ("COMPLETED", {"result": "found"}, {"COMPLETED"})
    assert edge.call("POST", f"/api/agent/execution/{child}/complete").status == 409
    assert edge.call("POST", f"/api/agent/execution/{parent}/complete").status == 409, "this one tracks nothing"
    assert edge.call("POST", f"/api/agent/events/{parent}", {"type": "thinking"}).status == 200


def test_a_task_added_from_outside_outlives_a_restart_of_the_server(edge: Edge) -> None:
    execution = start(edge)
    edge.call("POST", f"/api/agent/{execution}/tasks", {"taskDefName": "look_up", "referenceTaskName": "look_1", "type": "SIMPLE"})
    edge.engine.lives.drop(edge.engine.lives.get(execution))  # type: ignore[arg-type]
    assert edge.call("POST", f"/api/agent/tasks/{execution}/look_1/COMPLETED", {"found": 1}).status == 200
    assert edge.call("GET", f"/api/workflow/{execution}").json["tasks"][1]["outputData"] == {"found": 1}


# -- the stream -------------------------------------------------------------------------------------------------------------------


def told(text: str) -> list[tuple[str, str]]:
    """Ids and names of the events."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("id:")]
    return [(lines[0].removeprefix("id:"), lines[1].removeprefix("event:")) for lines in blocks]


def test_a_stream_tells_what_happens_until_the_execution_ends(edge: Edge) -> None:
    execution = person(edge)

    async def listen() -> str:
        caller = Caller("GET", f"/api/agent/stream/{execution}")
        listening = asyncio.ensure_future(caller.answer(edge.application))
        while not any(b"waiting" in message.get("body", b"") for message in caller.sent) or not edge.engine.watchers.get(execution):
            await asyncio.sleep(0)
        assert not listening.done()
        await edge.engine.report_by_ref(execution, "ask", TaskStatus.COMPLETED, {"approved": True}, None)
        answer = await asyncio.wait_for(listening, 5)
        assert answer is not None and answer.kind == "text/event-stream" and "content-length" not in answer.headers
        return answer.text

    text = edge.run(listen())
    assert told(text) == [("1", "waiting"), ("2", "done")] and '"approved":true' in text
    assert not edge.engine.watchers and edge.application.watched == 0


def test_a_stream_is_taken_up_again_after_an_event(edge: Edge) -> None:
    execution = start(edge)
    edge.report(edge.take("LLM_CHAT_COMPLETE"), outputData={"result": "Hi!"})
    whole = edge.call("GET", f"/api/agent/stream/{execution}")
    rest = edge.raw("GET", f"/api/agent/stream/{execution}", headers=((b"last-event-id", b"1"),))
    assert told(whole.text) == [("1", "thinking"), ("2", "done")] and told(rest.text) == [("2", "done")]
    assert told(edge.raw("GET", f"/api/agent/stream/{execution}", headers=((b"last-event-id", b"2"),)).text) == []


def test_a_stream_whose_client_has_left_ends(edge: Edge) -> None:
    execution = person(edge)

    async def leave() -> None:
        caller = Caller("GET", f"/api/agent/stream/{execution}")
        listening = asyncio.ensure_future(caller.answer(edge.application))
        await caller.watched.wait()
        caller.leave()
        await asyncio.wait_for(listening, 5)

    edge.run(leave())
    assert not edge.engine.watchers and edge.application.watched == 0


def test_tools_and_failures_are_told(edge: Edge) -> None:
    edge.register("works", edge.task("look_up"), edge.task("pay"), metadata={"agent_sdk": "conductor", "agentDef": {"name": "works"}})
    execution = edge.start("works")
    edge.report(edge.take("look_up"), outputData={"result": 42})
    edge.report(edge.take("pay"), "FAILED_WITH_TERMINAL_ERROR", reasonForIncompletion="no money")
    text = edge.call("GET", f"/api/agent/stream/{execution}").text
    assert [kind for _, kind in told(text)] == ["tool_call", "tool_result", "error", "error"]
    assert '"result":42' in text and "no money" in text
