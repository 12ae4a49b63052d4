"""
Definitions on the wire: a posted WorkflowDef or TaskDef as Conductor stores it and gives it back.

The stored form is a plain dict with every default in place, nulls left out and unknown members dropped, in the order in which Conductor
writes the members. Reading the stored form again changes nothing.

Here: the tables of the models and who sets which time stamp. Not here: rules between fields (core/validate.py), where definitions are
kept (engine/catalog.py).
Source: conductor-rest-api.md §1.3, §3.1-3.3.
"""

from __future__ import annotations

from typing import Any, Final

from batuta.wire.shape import (
    Anything,
    Choice,
    Field,
    Json,
    Kind,
    ListOf,
    Record,
    Table,
    Text,
    choice,
    flag,
    integer,
    listing,
    misfit,
    optional,
    table,
    text,
)

# Accepted by the write-only alias `workflowTaskType`; `type` itself takes any word.
# fmt: off
TASK_TYPES: Final = (
    "SIMPLE", "DYNAMIC", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "DECISION", "SWITCH", "JOIN", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW",
    "EVENT", "WAIT", "HUMAN", "USER_DEFINED", "HTTP", "LAMBDA", "INLINE", "EXCLUSIVE_JOIN", "TERMINATE", "KAFKA_PUBLISH",
    "JSON_JQ_TRANSFORM", "SET_VARIABLE", "NOOP", "LLM_TEXT_COMPLETE", "LLM_CHAT_COMPLETE", "LLM_INDEX_TEXT", "LLM_SEARCH_INDEX",
    "LLM_GENERATE_EMBEDDINGS", "LLM_STORE_EMBEDDINGS", "LLM_GET_EMBEDDINGS", "LIST_MCP_TOOLS", "CALL_MCP_TOOL", "PULL_WORKFLOW_MESSAGES",
    "AGENT", "GET_AGENT_CARD", "CANCEL_AGENT",
)
# fmt: on
IDEMPOTENCY: Final = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")
RESPONSE_TIMEOUT_S: Final = 3600  # of a task definition that names none

_AUDIT: Final = (
    text("ownerApp"),
    integer("createTime", 0, bits=64),
    integer("updateTime", 0, bits=64),
    text("createdBy"),
    text("updatedBy"),
)


def _within_timeout(out: Json, sent: Json, at: str) -> None:
    """
    A task that may run for less than the default response timeout must answer within that.

    Conductor refuses such a definition unless responseTimeoutSeconds is sent along; our users' guide does not send it.
    """
    if "responseTimeoutSeconds" not in sent and 0 < out["timeoutSeconds"] < RESPONSE_TIMEOUT_S:
        out["responseTimeoutSeconds"] = out["timeoutSeconds"]


def _typed(out: Json, sent: Json, at: str) -> None:
    """The type may come by its alias; it is never null."""
    lead = f"{at}." if at else ""
    if "workflowTaskType" in sent:
        out["type"] = Choice(*TASK_TYPES).read(sent["workflowTaskType"], f"{lead}workflowTaskType")
    elif sent.get("type", "") is None:
        raise misfit(f"{lead}type", None, "a task type")


def _named_as_embedded(out: Json, sent: Json, at: str) -> None:
    """Name and version of a child come from the definition itself where it stands inside."""
    child = out.get("workflowDefinition")
    if isinstance(child, dict):
        out.pop("name", None)
        if "name" in child:
            out["name"] = child["name"]
        out["version"] = child["version"]


class _Child:
    """A definition, or an expression that will give one."""

    def read(self, value: Any, at: str) -> Any:
        if isinstance(value, str):
            if value.startswith("${") and value.endswith("}"):
                return value
            raise misfit(at, value, "a workflow definition or an expression ${…}")
        return WORKFLOW_DEF.read(value, at)

    def schema(self) -> Json:
        return {"anyOf": [WORKFLOW_DEF.schema(), {"type": "string", "pattern": r"^\$\{.*\}$"}]}


SCHEMA_DEF: Final = Record(
    "SchemaDef",
    *_AUDIT,
    text("name"),
    integer("version", 1),
    choice("type", "JSON", "AVRO", "PROTOBUF"),
    optional("data", Table()),
    text("externalRef"),
)
RATE_LIMIT: Final = Record("RateLimitConfig", text("rateLimitKey"), integer("concurrentExecLimit", 0), choice("policy", "QUEUE", "REJECT", default="QUEUE"))
CACHE: Final = Record("CacheConfig", text("key"), integer("ttlInSecond", 0))
STATE_CHANGE: Final = Record("StateChangeEvent", text("type"), optional("payload", Table()))

TASK_DEF: Final = Record(
    "TaskDef",
    *_AUDIT,
    text("name"),
    text("description"),
    integer("retryCount", 3),
    integer("timeoutSeconds", 0, bits=64),
    listing("inputKeys", Text()),
    listing("outputKeys", Text()),
    listing("runtimeMetadata", Text()),
    choice("timeoutPolicy", "RETRY", "TIME_OUT_WF", "ALERT_ONLY", default="TIME_OUT_WF"),
    choice("retryLogic", "FIXED", "EXPONENTIAL_BACKOFF", "LINEAR_BACKOFF", default="FIXED"),
    integer("retryDelaySeconds", 60),
    integer("responseTimeoutSeconds", RESPONSE_TIMEOUT_S, bits=64),
    integer("concurrentExecLimit"),
    table("inputTemplate"),
    integer("rateLimitPerFrequency", 0),
    integer("rateLimitFrequencyInSeconds", 1),
    text("isolationGroupId"),
    text("executionNameSpace"),
    text("ownerEmail"),
    integer("pollTimeoutSeconds"),
    integer("backoffScaleFactor", 1),
    integer("maxRetryDelaySeconds", 0),
    integer("backoffJitterMs", 0),
    text("baseType"),
    integer("totalTimeoutSeconds", 0, bits=64),
    flag("taskStatusListenerEnabled", True),
    optional("inputSchema", SCHEMA_DEF),
    optional("outputSchema", SCHEMA_DEF),
    flag("enforceSchema", False),
    refine=_within_timeout,
    required=("name",),
)

WORKFLOW_TASK: Final = Record("WorkflowTask", refine=_typed, required=("name", "taskReferenceName"))
WORKFLOW_DEF: Final = Record("WorkflowDef", required=("name", "tasks"))
_TASKS: Final[Kind] = ListOf(WORKFLOW_TASK)

SUB_WORKFLOW: Final = Record(
    "SubWorkflowParams",
    text("name"),
    integer("version"),
    optional("taskToDomain", Table(Text())),
    optional("workflowDefinition", _Child()),
    text("idempotencyKey"),
    choice("idempotencyStrategy", *IDEMPOTENCY),
    optional("priority", Anything()),
    refine=_named_as_embedded,
)

WORKFLOW_TASK.define(
    text("name"),
    text("taskReferenceName"),
    text("description"),
    table("inputParameters"),
    Field("type", Text(), "SIMPLE", "SIMPLE"),
    text("dynamicTaskNameParam"),
    text("caseValueParam"),
    text("caseExpression"),
    text("scriptExpression"),
    table("decisionCases", _TASKS),
    text("dynamicForkJoinTasksParam"),
    text("dynamicForkTasksParam"),
    text("dynamicForkTasksInputParamName"),
    listing("defaultCase", WORKFLOW_TASK),
    listing("forkTasks", _TASKS),
    integer("startDelay", 0),
    optional("subWorkflowParam", SUB_WORKFLOW),
    listing("joinOn", Text()),
    text("sink"),
    flag("optional", False),
    optional("taskDefinition", TASK_DEF),
    flag("rateLimited"),
    listing("defaultExclusiveJoinTask", Text()),
    flag("asyncComplete", False),
    text("loopCondition"),
    listing("loopOver", WORKFLOW_TASK),
    text("items"),
    integer("retryCount"),
    text("evaluatorType"),
    text("expression"),
    table("onStateChange", ListOf(STATE_CHANGE)),
    text("joinStatus"),
    optional("cacheConfig", CACHE),
    flag("permissive", False),
    choice("joinMode", "SYNC", "ASYNC"),
    table("metadata"),
)

WORKFLOW_DEF.define(
    *_AUDIT,
    text("name"),
    text("description"),
    integer("version", 1),
    listing("tasks", WORKFLOW_TASK),
    listing("inputParameters", Text()),
    table("outputParameters"),
    text("failureWorkflow"),
    integer("failureWorkflowVersion"),
    integer("schemaVersion", 2),
    flag("restartable", True),
    flag("workflowStatusListenerEnabled", False),
    text("workflowStatusListenerSink"),
    text("ownerEmail"),
    choice("timeoutPolicy", "TIME_OUT_WF", "ALERT_ONLY", default="ALERT_ONLY"),
    integer("timeoutSeconds", 0, bits=64),
    table("variables"),
    table("inputTemplate"),
    optional("rateLimitConfig", RATE_LIMIT),
    optional("inputSchema", SCHEMA_DEF),
    optional("outputSchema", SCHEMA_DEF),
    flag("enforceSchema", True),
    table("metadata"),
    optional("cacheConfig", CACHE),
    listing("maskedFields", Text()),
)

RECORDS: Final = (WORKFLOW_DEF, WORKFLOW_TASK, TASK_DEF, SUB_WORKFLOW, SCHEMA_DEF, RATE_LIMIT, CACHE, STATE_CHANGE)


def read_workflow(value: Any, at: str = "") -> Json:
    """
    A workflow definition in its stored form.

    Raises:
        Invalid: a member cannot be meant; the message gives its path, what was found and what was expected.
    """
    return WORKFLOW_DEF.read(value, at)


def read_task(value: Any, at: str = "") -> Json:
    """A task definition in its stored form. Raises Invalid as `read_workflow` does."""
    return TASK_DEF.read(value, at)


def read_workflows(value: Any) -> list[Json]:
    """A list of workflow definitions in their stored form. Raises Invalid as `read_workflow` does."""
    read: list[Json] = ListOf(WORKFLOW_DEF).read(value, "")
    return read


def read_tasks(value: Any) -> list[Json]:
    """A list of task definitions in their stored form. Raises Invalid as `read_workflow` does."""
    read: list[Json] = ListOf(TASK_DEF).read(value, "")
    return read


def read_schema(value: Any, at: str = "") -> Json:
    """A schema in its stored form. Raises Invalid as `read_workflow` does."""
    return SCHEMA_DEF.read(value, at)


def saved_schema(schema: Json, former: Json | None, now: int) -> Json:
    """As it is stored: created now, or updated now where there was one of its name and version."""
    times = {"createTime": now} if former is None else {"createTime": former["createTime"], "updateTime": now}
    return {**schema, **times}


def created_workflow(definition: Json, now: int) -> Json:
    """As POST stores it: created now; updateTime stays as the client sent it."""
    return {**definition, "createTime": now}


def replaced_workflow(definition: Json, now: int) -> Json:
    """As PUT or an overwriting POST stores it: updated now; createTime stays as the client sent it."""
    return {**definition, "updateTime": now}


def created_task(definition: Json, now: int) -> Json:
    """As POST stores it: created now by nobody named, never updated."""
    return _in_order({**definition, "createTime": now, "updateTime": 0, "createdBy": ""}, without="updatedBy")


def replaced_task(definition: Json, former: Json, now: int) -> Json:
    """As PUT stores it: creation is kept from the former one, updated now by nobody named."""
    kept: Json = {key: former[key] for key in ("createTime", "createdBy") if key in former}
    return _in_order({**definition, **kept, "updateTime": now, "updatedBy": ""})


def _in_order(definition: Json, *, without: str = "") -> Json:
    """The same members in the order of the table, so that what was added does not stand last."""
    return {field.name: definition[field.name] for field in TASK_DEF.fields if field.name in definition and field.name != without}


def classifier_of(definition: Json) -> str:
    """What kind of workflow it is: the word in its metadata, else `agent` when an agent SDK made it, else `workflow`."""
    metadata = definition["metadata"]
    word = metadata.get("classifier")
    if isinstance(word, str):
        return word
    return "agent" if "agent_sdk" in metadata or "agentDef" in metadata else "workflow"
