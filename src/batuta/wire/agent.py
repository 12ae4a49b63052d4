"""
Agents on the wire: a request to start one, the workflow it becomes, and what is shown of its executions.

An agent is a workflow definition that carries its description in its metadata. One that only talks becomes a single LLM_CHAT_COMPLETE task, as Conductor
compiles it; one with tools, other agents or guardrails becomes an AGENT task, for a worker that knows how to run it.
Source: conductor-rest-api.md §1.11; a running server's answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.errors import Invalid
from batuta.wire.codec import decode, encode
from batuta.wire.execution import workflow_view
from batuta.wire.mask import masked
from batuta.wire.metadata import classifier_of, read_workflow
from batuta.wire.shape import Field, Json, ListOf, Record, Table, Text, integer, optional, text
from batuta.wire.summary import ExecutionSummary

AGENT_REQUEST: Final = Record(
    "AgentStartRequest",
    text("name"),
    text("agentName"),
    integer("version"),
    optional("agentConfig", Table()),
    text("prompt"),
    text("model"),
    text("sessionId"),
    Field("media", ListOf(Text()), list, list),
    Field("context", Table(), dict, dict),
    text("idempotencyKey"),
    text("framework"),
    optional("rawConfig", Table()),
    optional("skillRef", Table()),
    integer("timeoutSeconds"),
    text("runId"),
    optional("static_plan", Table()),
)
INJECTED: Final = Record("InjectTaskRequest", text("taskDefName"), text("referenceTaskName"), text("type"), optional("inputData", Table()),
                         text("status"), optional("subWorkflowParam", Table()), required=("taskDefName", "referenceTaskName", "type"))  # fmt: skip
TRACKED: Final = Record(
    "CreateTrackingWorkflowRequest", text("workflowName"), optional("input", Table()), text("parentWorkflowId"), text("parentWorkflowTaskId"),
    required=("workflowName",),
)  # fmt: skip
RECORDS: Final = (AGENT_REQUEST, INJECTED, TRACKED)

INPUTS: Final = ("prompt", "session_id", "media", "cwd")
TOKENS_MAX: Final = 16384
TIMEOUT_S: Final = 60
# What an agent may say of itself and still be one question to a model.
_PLAIN: Final = frozenset({"name", "description", "model", "baseUrl", "instructions", "strategy", "maxTurns", "maxTokens", "temperature", "timeoutSeconds",
                           "metadata", "external", "includeContents", "synthesize"})  # fmt: skip
_DEFAULTS: Final = {"strategy": "handoff", "maxTurns": 100, "timeoutSeconds": 0, "external": False}
_CHAT_POLICY: Final = {
    "name": "LLM_CHAT_COMPLETE", "retryCount": 3, "retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 2, "backoffScaleFactor": 2,
    "responseTimeoutSeconds": 3600, "timeoutSeconds": 0,
}  # fmt: skip


def read_agent_request(body: bytes) -> Json:
    """A request to compile, register or start an agent; `agentName` has become `name`. Raises Invalid."""
    request = AGENT_REQUEST.read(decode(body))
    if alias := request.pop("agentName", None):
        request.setdefault("name", alias)
    return request


# -- from an agent to a workflow --------------------------------------------------------------------------------------------------


def compiled(request: Json) -> Json:
    """
    The workflow definition, in its stored form, of the agent that the request describes.

    Raises:
        Invalid: it describes none, or one that no definition could be made of.

    Source: POST /api/agent/compile.
    """
    framework, raw = request.get("framework"), request.get("rawConfig")
    config = request.get("agentConfig") if not framework else raw
    if config is None:
        raise Invalid("agentConfig is required when framework is not specified" if not framework else "rawConfig is required when framework is specified")
    config = {key: value for key, value in config.items() if value is not None}
    name = config.get("name") or "agent_plan"
    if not isinstance(name, str):
        raise Invalid(f"agentConfig.name is {name!r}; expected a text")
    whole = {**config, "name": name, **{key: config.get(key, value) for key, value in _DEFAULTS.items()}}
    chats = not framework and _only_talks(config)
    task = _chat(name, whole) if chats or not (framework or config.get("model")) else _run(name)
    ref = task["taskReferenceName"]
    described = {"agentDef": raw} if framework else {"agentDef": whole}
    return read_workflow({
        "name": name, "version": 1, "description": f"Agent workflow for {name}", "tasks": [task], "inputParameters": list(INPUTS),
        "outputParameters": {
            "result": f"${{{ref}.output.result}}", "finishReason": f"${{{ref}.output.finishReason}}", "context": "${workflow.input.context}",
        },
        "timeoutSeconds": TIMEOUT_S if chats else whole["timeoutSeconds"] or TIMEOUT_S,
        "metadata": {
            "classifier": "agent", "agent_capabilities": ["simple"] if chats else _capabilities(config), **described,
            "agent_sdk": framework or "conductor", "normalizedAgentDef": whole,
        },
    })  # fmt: skip


def _only_talks(config: Json) -> bool:
    said = {key for key, value in config.items() if value not in ([], {}, False, "")}
    return said <= _PLAIN and isinstance(config.get("instructions", ""), str) and bool(config.get("model"))


def _capabilities(config: Json) -> list[str]:
    found = [word for word in ("agents", "guardrails", "handoffs", "memory", "planner") if config.get(word)]
    return (["tool-calling"] if config.get("tools") else []) + found or ["agent"]


def _ref(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _chat(name: str, config: Json) -> Json:
    """The task of an agent that only talks: one question to its model."""
    model = config.get("model")
    if not isinstance(model, str) or not model.strip():
        raise Invalid("Model string cannot be null or empty")
    provider, slash, model_name = model.partition("/")
    if not (provider and slash and model_name):
        raise Invalid(f"Invalid model format: {model!r}. Expected 'provider/model'.")
    instructions = config.get("instructions") or ""
    system = [{"role": "system", "message": instructions}] if instructions else []
    user = {"message": "${workflow.input.prompt}", "role": "user", "media": "${workflow.input.media}"}
    given: Json = {"llmProvider": provider, "model": model_name}
    given |= {key: config[key] for key in ("baseUrl", "temperature") if config.get(key) not in (None, "")}
    given |= {"messages": [*system, user], "maxTokens": config.get("maxTokens") or TOKENS_MAX}
    return {
        "name": "llm_chat_complete", "taskReferenceName": f"{_ref(name)}_llm", "type": "LLM_CHAT_COMPLETE", "inputParameters": given,
        "taskDefinition": _CHAT_POLICY,
    }  # fmt: skip


def _run(name: str) -> Json:
    """The task of any other agent: whoever serves the type AGENT finds its description under its name."""
    given = {"agentType": "conductor", "agentName": name, **{key: f"${{workflow.input.{key}}}" for key in (*INPUTS, "context", "static_plan")}}
    return {"name": "agent", "taskReferenceName": f"{_ref(name)}_agent", "type": "AGENT", "inputParameters": given}


def with_model(definition: Json, model: str) -> Json:
    """The definition with another model in its chats, for one execution."""
    provider, _, name = model.partition("/")
    if not provider or not name:
        raise Invalid(f"Invalid model format: {model!r}. Expected 'provider/model'.")
    changed: Json = decode(encode(definition))
    for task in changed["tasks"]:
        if task["type"] == "LLM_CHAT_COMPLETE":
            task["inputParameters"] |= {"llmProvider": provider, "model": name}
    return changed


def workers_of(definition: Json) -> list[str]:
    """The task types that somebody must serve for the agent to run: its SIMPLE tasks, and its tools that are workers."""
    config = (definition.get("metadata") or {}).get("normalizedAgentDef") or {}
    named = [task["name"] for task in definition["tasks"] if task["type"] == "SIMPLE"]
    return list(dict.fromkeys([*named, *_declared(config)]))


def _declared(config: Json) -> Iterable[str]:
    for tool in config.get("tools") or ():
        if isinstance(tool, dict) and tool.get("toolType") == "worker" and isinstance(tool.get("name"), str):
            yield tool["name"]
    for agent in config.get("agents") or ():
        if isinstance(agent, dict):
            yield from _declared(agent)


def input_of(request: Json) -> Json:
    """
    The input of an agent's execution.

    Raises:
        Invalid: there is nothing in it to begin with.
    """
    if not (str(request.get("prompt") or "").strip() or any(str(one).strip() for one in request["media"]) or request["context"]):
        raise Invalid("Agent execution requires a non-empty prompt, at least one media item, or non-empty context.")
    directory = (request.get("rawConfig") or {}).get("cwd")
    given = {"prompt": request.get("prompt"), "media": request["media"], "context": request["context"], "session_id": request.get("sessionId") or ""}
    plan = {"static_plan": request["static_plan"]} if request.get("static_plan") is not None else {}
    return {**given, **plan, "cwd": directory if isinstance(directory, str) else "."}


# -- what is shown ----------------------------------------------------------------------------------------------------------------


def is_agent(definition: Json) -> bool:
    """Whether the definition is an agent's."""
    return classifier_of(definition) == "agent"


def agent_summary(definition: Json) -> Json:
    """Conductor's AgentSummary."""
    metadata = definition.get("metadata") or {}
    tags = metadata.get("agent_capabilities")
    shown = {
        "name": definition["name"], "version": definition["version"], "type": metadata.get("agent_sdk"), "tags": tags if isinstance(tags, list) else None,
        "createTime": definition.get("createTime", 0), "updateTime": definition.get("updateTime", 0), "description": definition.get("description"),
        "checksum": hashlib.sha256(encode(definition)).hexdigest(),
        **{key: definition.get(key) for key in (
            "schemaVersion", "restartable", "workflowStatusListenerEnabled", "ownerEmail", "inputParameters", "outputParameters", "timeoutPolicy",
            "timeoutSeconds", "failureWorkflow",
        )},
    }  # fmt: skip
    return {key: value for key, value in shown.items() if value is not None}


def run_summary(found: ExecutionSummary) -> Json:
    """Conductor's AgentExecutionSummary."""
    shown = {
        "executionId": found.workflowId, "agentName": found.workflowType, "version": found.version, "status": found.status, "startTime": found.startTime,
        "endTime": found.endTime or None, "updateTime": found.updateTime, "executionTime": found.executionTime, "input": found.input, "output": found.output,
        "createdBy": found.createdBy or None,
    }  # fmt: skip
    return {key: value for key, value in shown.items() if value is not None}


def run_detail(x: Execution) -> Json:
    """Conductor's AgentExecutionDetail: the execution and the task it is at."""
    head, names = x.head, x.definition.masked
    at = next((task for task in reversed(list(x.ordered())) if not task.status.is_terminal), None)
    current = {} if at is None else {"currentTask": {
        "taskRefName": at.ref, "taskType": at.type, "status": at.status, "inputData": masked(at.input, names), "outputData": masked(at.output, names),
    }}  # fmt: skip
    return {"executionId": head.id, "agentName": head.name, "version": head.definition_version, "status": head.status,
            "input": masked(head.input, names), "output": masked(head.output, names), **current}  # fmt: skip


def run_view(x: Execution, now: int) -> Json:
    """Conductor's AgentRun: the execution with its tasks in short, and the tokens its chats have counted."""
    view, counted = workflow_view(x, now), chats_of(x)
    usage = {} if not counted else {"tokenUsage": tokens(counted)}
    tasks = [
        {"taskType": t.taskType, "referenceTaskName": t.referenceTaskName, "status": t.status, "outputData": t.outputData,
         **({"subWorkflowId": t.subWorkflowId} if t.subWorkflowId else {})}
        for t in view.tasks
    ]  # fmt: skip
    return {"executionId": view.workflowId, "agentName": view.workflowName, "version": view.workflowVersion, "status": view.status,
            "startTime": view.startTime, "endTime": view.endTime, "input": view.input, "output": view.output, **usage, "tasks": tasks}  # fmt: skip


def chats_of(x: Execution) -> list[Json]:
    """What the execution's chats with models have put out."""
    return [task.output for task in x.ordered() if task.type == "LLM_CHAT_COMPLETE"]


def tokens(outputs: list[Json]) -> Json:
    """How many tokens these chats have used together."""

    def total(name: str) -> int:
        return sum(value for output in outputs if isinstance(value := output.get(name), int))

    prompt, completion = total("promptTokens"), total("completionTokens")
    return {"promptTokens": prompt, "completionTokens": completion, "totalTokens": total("tokenUsed") or prompt + completion}


def waiting_task(x: Execution) -> Task | None:
    """The task that waits for a person or a message, if any."""
    return next((t for t in x.ordered() if t.type in ("HUMAN", "PULL_WORKFLOW_MESSAGES") and t.status is TaskStatus.IN_PROGRESS), None)


def run_status(x: Execution) -> Json:
    """Conductor's AgentStatusResponse: whether it has ended, runs, or waits, and for what."""
    head, names = x.head, x.definition.masked
    waiting = waiting_task(x)
    ended = head.status.is_terminal
    shown: dict[str, Any] = {
        "executionId": head.id, "status": head.status, "isComplete": ended, "isRunning": head.status == "RUNNING", "isWaiting": waiting is not None,
        "output": masked(head.output, names) if ended else None, "reasonForIncompletion": head.reason,
        "pendingTool": None if waiting is None else pending_tool(x, waiting), "startTime": head.created_at, "endTime": head.ended_at or None,
    }  # fmt: skip
    return {key: value for key, value in shown.items() if value is not None}


def pending_tool(x: Execution, task: Task) -> Json:
    """What a waiting task asks for."""
    asked = masked(task.input, x.definition.masked)
    found = {"taskRefName": task.ref, "tool_name": asked.get("tool_name"), "parameters": asked.get("parameters"), "toolCalls": asked.get("tool_calls")}
    return {**found, **{key: asked[key] for key in ("response_schema", "response_ui_schema") if asked.get(key) is not None}}


Key = tuple[int, int, str]


class Told(msgspec.Struct):
    """One event of an agent's stream; `rank` orders the events of one task, and `n` is the task's row, 0 for the execution itself."""

    at: int
    n: int
    rank: int
    kind: str
    said: Json

    @property
    def key(self) -> Key:
        """What it is about: an event with the same key is the same event."""
        return self.n, self.rank, self.kind


def told(x: Execution) -> list[Told]:
    """
    What a stream tells of the execution so far, in its order: its tasks as they began and ended, and its end.

    Made from the rows, so that a stream can be taken up again at any event after a restart. Source: Conductor's AgentSSEEvent.
    """
    names, events = x.definition.masked, []
    for task in x.ordered():
        if task.type == "LLM_CHAT_COMPLETE":
            events.append(Told(task.scheduled_at, task.n, 0, "thinking", {"content": task.ref}))
        elif task.type == "SUB_WORKFLOW" and task.sub_execution_id:
            events.append(Told(task.started_at, task.n, 0, "handoff", {"target": task.ref}))
        elif task.type in ("HUMAN", "PULL_WORKFLOW_MESSAGES"):
            events.append(Told(task.scheduled_at, task.n, 0, "waiting", {"pendingTool": pending_tool(x, task)}))
        if task.status in (TaskStatus.FAILED, TaskStatus.FAILED_WITH_TERMINAL_ERROR, TaskStatus.TIMED_OUT):
            events.append(Told(task.ended_at, task.n, 2, "error", {"content": task.reason or "", "toolName": task.ref}))
        elif task.status.is_successful and task.status.is_terminal and x.node_of(task).type == "SIMPLE":
            output = masked(task.output, names)
            events.append(Told(task.ended_at, task.n, 1, "tool_call", {"toolName": task.def_name, "args": masked(task.input, names)}))
            events.append(Told(task.ended_at, task.n, 2, "tool_result", {"toolName": task.def_name, "result": output.get("result", output)}))
    events.sort(key=lambda e: (e.at, e.n, e.rank))
    if x.head.status == "COMPLETED":
        events.append(Told(x.head.ended_at, 0, 0, "done", {"output": masked(x.head.output, names)}))
    elif x.head.status.is_terminal:
        events.append(Told(x.head.ended_at, 0, 0, "error", {"content": x.head.reason or "Workflow terminated", "toolName": "workflow"}))
    return events
