"""
Definition: a workflow definition made ready to run. Parsed once per snapshot, shared by all its executions, never changed.

Here: the tree of nodes, what follows what, and each node's policy (retries, timeouts). `resolve` pins what a start pins.
Not here: whether a definition is a good one (validate.py), Conductor's defaults for absent fields (wire/metadata.py has filled them in).
Source: conductor-semantics.md §1.1, §2.4, §2.5, §5 (successor rule).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from batuta.core.contract import NOTHING, Contract, Registered, contract_of, settled
from batuta.core.expr.secrets import has_secrets, secret_names
from batuta.core.expr.template import Template
from batuta.core.expr.template import compile as compile_template
from batuta.core.model.task import Json

OPERATORS = frozenset({
    "DECISION", "SWITCH", "FORK", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN", "DO_WHILE", "DYNAMIC", "SUB_WORKFLOW", "START_WORKFLOW",
    "TERMINATE", "SET_VARIABLE", "INLINE", "LAMBDA", "JSON_JQ_TRANSFORM", "WAIT", "HUMAN", "NOOP", "EVENT",
    "PULL_WORKFLOW_MESSAGES",
})  # fmt: skip
CACHED = frozenset({"INLINE", "LAMBDA", "JSON_JQ_TRANSFORM", "DYNAMIC"})  # operators whose output may be cached, besides every worker's
# What Conductor does through an integration with something outside; what becomes of them here is builtin/absent.py's.
INTEGRATIONS = frozenset({
    "KAFKA_PUBLISH", "JDBC", "LLM_TEXT_COMPLETE", "LLM_CHAT_COMPLETE", "LLM_GENERATE_EMBEDDINGS", "LLM_STORE_EMBEDDINGS", "LLM_GET_EMBEDDINGS",
    "LLM_SEARCH_EMBEDDINGS", "LLM_INDEX_TEXT", "LLM_SEARCH_INDEX", "GENERATE_IMAGE", "GENERATE_AUDIO", "GENERATE_VIDEO", "GENERATE_PDF",
    "LIST_MCP_TOOLS", "CALL_MCP_TOOL", "LIST_API_TOOLS", "AGENT", "GET_AGENT_CARD", "CANCEL_AGENT", "PLAN_AND_COMPILE", "PLANNER_CONTEXT_FETCH",
})  # fmt: skip
BUILTIN_WORKERS = INTEGRATIONS | {"HTTP"}
SYSTEM_TYPES = OPERATORS | BUILTIN_WORKERS
# Their ad-hoc task definition has no retries and no response timeout; a SIMPLE task's keeps the defaults.
_TEMPLATED = BUILTIN_WORKERS | {"SIMPLE", "DYNAMIC", "INLINE", "LAMBDA", "JSON_JQ_TRANSFORM", "DO_WHILE"}
# What these take and put out is the flow's own doing; a schema in a task definition of their name asks nothing of them.
_FLOW = OPERATORS - {"DYNAMIC", "INLINE", "LAMBDA", "JSON_JQ_TRANSFORM", "WAIT", "HUMAN", "NOOP", "EVENT"}


# What a workflow task may name in onStateChange.
STATE_CHANGES = ("onScheduled", "onStart", "onSuccess", "onFailed", "onCancelled")


class Policy(msgspec.Struct, frozen=True, rename="camel"):
    """How a node's attempts are retried and timed: the part of a task definition the decider obeys. Seconds unless the name says Ms."""

    name: str = ""
    retry_count: int = 3
    retry_logic: str = "FIXED"
    retry_delay_seconds: int = 60
    backoff_scale_factor: int = 1
    max_retry_delay_seconds: int = 0
    backoff_jitter_ms: int = 0
    timeout_seconds: int = 0
    timeout_policy: str = "TIME_OUT_WF"
    response_timeout_seconds: int = 3600
    poll_timeout_seconds: int | None = None
    total_timeout_seconds: int = 0
    concurrent_exec_limit: int | None = None
    rate_limit_per_frequency: int = 0
    rate_limit_frequency_in_seconds: int = 1
    input_template: Json = {}
    runtime_metadata: list[str] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether tasks are held back that could be handed out."""
        return bool(self.concurrent_exec_limit) or self.rate_limit_per_frequency > 0


_NONE: frozenset[str] = frozenset()
NO_POLICY = Policy(retry_count=0, response_timeout_seconds=0)


class Cache(msgspec.Struct, frozen=True):
    """Under which key a node's output is remembered, for how long, and the members of the task's input that the key speaks of."""

    key: Template
    names: frozenset[str]
    ttl_s: int


class RateLimit(msgspec.Struct, frozen=True):
    """How many executions of the workflow may be open at once under one value of the key, and whether one too many is refused or waits."""

    key: Template
    most: int
    rejects: bool


class Node:
    """One place in the definition. `ref` is unique; `following` is what runs after it in the same list."""

    __slots__ = (
        "async_complete", "body", "branches", "cache", "cases", "default", "following", "fork", "has_policy", "input", "input_contract", "input_fallback",
        "is_operator", "join_on", "loop", "name", "on_change", "optional", "output_contract", "parent", "permissive", "policy", "raw", "ref", "retry_count",
        "secrets", "start_delay_s", "task_definition_raw", "times_out", "type", "wire",
    )  # fmt: skip

    def __init__(self, raw: Json, parent: Node | None, loop: Node | None) -> None:
        self.raw = raw
        self.ref: str = raw["taskReferenceName"]
        self.name: str = raw["name"]
        self.type: str = raw.get("type") or "SIMPLE"
        self.parent, self.loop = parent, loop
        self.following: Node | None = None
        self.fork = ""  # the dynamic fork that made this branch at run time
        self.task_definition_raw: Json | None = raw.get("taskDefinition")
        self.has_policy = self.task_definition_raw is not None
        self.policy = NO_POLICY if self.task_definition_raw is None else msgspec.convert(self.task_definition_raw, Policy)
        p = self.policy  # whether time alone ends an attempt, however its worker answers
        self.times_out = p.timeout_policy != "ALERT_ONLY" and max(p.timeout_seconds, p.total_timeout_seconds, p.poll_timeout_seconds or 0) > 0
        asked = self.task_definition_raw if self.task_definition_raw is not None and self.type not in _FLOW else {}
        self.input_contract: Contract | None = contract_of(asked, "input")
        self.output_contract: Contract | None = contract_of(asked, "output")
        self.is_operator = self.type in OPERATORS
        self.optional: bool = bool(raw.get("optional"))
        self.permissive: bool = bool(raw.get("permissive"))
        self.retry_count: int | None = raw.get("retryCount")
        self.start_delay_s: int = raw.get("startDelay") or 0
        self.async_complete: bool = bool(raw.get("asyncComplete"))
        self.join_on: list[str] = raw.get("joinOn") or []
        self.cache = _cache(raw.get("cacheConfig")) if self.type not in OPERATORS or self.type in CACHED else None
        # A key that is absent or null is taken from the task definition's template; what then evaluates to null gets the template's raw value.
        self.input_fallback: Json = self.policy.input_template if self.type in _TEMPLATED or self.type not in SYSTEM_TYPES else {}
        written = raw.get("inputParameters") or {}
        missing = {k: v for k, v in self.input_fallback.items() if written.get(k) is None}
        self.input: Template = compile_template({**written, **missing})
        self.secrets = _NONE  # names of secrets that the task definition asks for: in its template, or for the worker
        if self.policy.input_template or self.policy.runtime_metadata:
            self.secrets = secret_names(self.policy.input_template).union(self.policy.runtime_metadata or ())
        self.on_change = _on_change(raw.get("onStateChange"))
        self.cases: dict[str, list[Node]] = {}
        self.default: list[Node] = []
        self.branches: list[list[Node]] = []
        self.body: list[Node] = []
        self.wire: dict[str, Any] = {}  # room for encoded forms of this node, filled by whoever needs them

    @property
    def has_contracts(self) -> bool:
        """Whether its tasks' payloads must fit a schema."""
        return self.input_contract is not None or self.output_contract is not None

    def children(self) -> Iterator[list[Node]]:
        """Every list of nodes directly inside this one."""
        yield from self.cases.values()
        yield self.default
        yield from self.branches
        yield self.body


def _build(raws: list[Json], parent: Node | None, loop: Node | None) -> list[Node]:
    nodes = [Node(raw, parent, loop) for raw in raws]
    for node, following in pairwise(nodes):
        node.following = following
    for node in nodes:
        grow(node)
    return nodes


def grow(node: Node) -> None:
    """Build what stands inside a node."""
    raw, loop = node.raw, node.loop
    if node.type in ("SWITCH", "DECISION"):
        node.cases = {k: _build(v, node, loop) for k, v in (raw.get("decisionCases") or {}).items()}
        node.default = _build(raw.get("defaultCase") or [], node, loop)
    elif node.type == "FORK_JOIN":
        node.branches = [_build(b, node, loop) for b in raw.get("forkTasks") or []]
    elif node.type == "DO_WHILE":
        node.body = _build(raw.get("loopOver") or [], node, node)


def lone(raw: Json, fork: Node | None) -> Node:
    """A node that stands in no definition: a branch of a dynamic fork, a task from outside (beside.py), what an upgrade left. Nothing follows it."""
    node = Node(raw, None, None if fork is None else fork.loop)
    node.fork = "" if fork is None else fork.ref
    grow(node)
    return node


class Definition:
    """
    A snapshot ready to run: what `GET /metadata/workflow` returned at the start, with every task definition put in its place.

    `raw` is Conductor's JSON, `hash` names it. `has_contracts`: payloads of some task must fit a schema. `has_scripts`: deciding it runs code of the
    user's (scripts, but also schemas), and is done on another thread. `status_sink`: where its changes of status are published, empty when nowhere.
    `secrets`: the names of all secrets that it asks for, anywhere.
    """

    __slots__ = (
        "_snapshot", "by_ref", "caches", "first", "has_contracts", "has_scripts", "hash", "input_contract", "limit", "masked", "nodes", "output",
        "output_contract", "raw", "secrets", "status_sink", "tells", "timeout_s", "times_out", "wire",
    )  # fmt: skip

    def __init__(self, raw: Json, hash_: str) -> None:
        self.raw, self.hash = raw, hash_
        self._snapshot: tuple[str, bytes] | None = None
        self.nodes = _build(raw.get("tasks") or [], None, None)
        self.first: Node | None = self.nodes[0] if self.nodes else None
        self.by_ref: dict[str, Node] = {}
        self.output: Template | None = compile_template(raw["outputParameters"]) if raw.get("outputParameters") else None
        self.input_contract: Contract | None = contract_of(raw, "input")
        self.output_contract: Contract | None = contract_of(raw, "output")
        self.masked = frozenset(raw.get("maskedFields") or ())  # names of members whose values no view shows
        self.caches = self.tells = False
        self.limit = _rate_limit(raw.get("rateLimitConfig"))
        self.timeout_s = int(raw.get("timeoutSeconds") or 0)
        self.times_out = self.timeout_s > 0 and raw.get("timeoutPolicy") == "TIME_OUT_WF"  # ends the execution; else it is only noted
        self.has_contracts = False
        self.has_scripts = self.output_contract is not None
        self.status_sink: str = (raw.get("workflowStatusListenerSink") or "") if raw.get("workflowStatusListenerEnabled") else ""
        self.secrets = secret_names(raw)
        self.wire: dict[str, Any] = {}
        for node in self.walk():
            self.by_ref[node.ref] = node
            self.tells |= bool(node.on_change) or node.type == "FORK_JOIN_DYNAMIC"
            self.caches |= node.cache is not None or node.type == "FORK_JOIN_DYNAMIC"
            self.has_contracts |= node.has_contracts
            self.has_scripts |= runs_scripts(node) or node.has_contracts
            if not node.secrets <= self.secrets:
                self.secrets |= node.secrets

    def walk(self, nodes: list[Node] | None = None) -> Iterator[Node]:
        """Every node, parents first."""
        for node in self.nodes if nodes is None else nodes:
            yield node
            for inner in node.children():
                yield from self.walk(inner)

    @property
    def snapshot(self) -> tuple[str, bytes]:
        """The hash and the JSON text, as a store keeps them."""
        if self._snapshot is None:
            self._snapshot = self.hash, digest(self.raw)[1]
        return self._snapshot

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def version(self) -> int:
        return int(self.raw.get("version", 1))


def _on_change(raw: Json | None) -> dict[str, list[tuple[str, Template]]]:
    """By state, the types of the events to publish and what they hold."""
    found: dict[str, list[tuple[str, Template]]] = {}
    for states, events in (raw or {}).items():
        told = [(event["type"], compile_template(event.get("payload") or {})) for event in events if event.get("type")]
        for state in states.split(","):
            found[state.strip()] = found.get(state.strip(), []) + told
    return found


def _cache(raw: Json | None) -> Cache | None:
    if raw is None or not raw.get("key") or raw.get("ttlInSecond", 0) <= 0:
        return None
    key = compile_template(raw["key"])
    return Cache(key, key.references(), raw["ttlInSecond"])


def _rate_limit(raw: Json | None) -> RateLimit | None:
    """None also for a limit of 0, which is none."""
    if raw is None or raw.get("concurrentExecLimit", 0) <= 0:
        return None
    return RateLimit(compile_template(raw.get("rateLimitKey")), raw["concurrentExecLimit"], raw.get("policy") == "REJECT")


def runs_scripts(node: Node) -> bool:
    """Whether this node may hand code to the script engine."""
    match node.type:
        case "INLINE" | "LAMBDA" | "JSON_JQ_TRANSFORM":
            return True
        case "SWITCH":
            return node.raw.get("evaluatorType") != "value-param"
        case "DECISION":
            return bool(node.raw.get("caseExpression"))
        case "DO_WHILE":
            return bool(node.raw.get("loopCondition"))
        case "FORK_JOIN_DYNAMIC" | "DYNAMIC":
            return True  # what its branches are is known only when it runs
    return False


AD_HOC: Json = {
    "retryCount": 3, "timeoutSeconds": 0, "inputKeys": [], "outputKeys": [], "runtimeMetadata": [], "timeoutPolicy": "TIME_OUT_WF", "retryLogic": "FIXED",
    "retryDelaySeconds": 60, "responseTimeoutSeconds": 3600, "inputTemplate": {}, "rateLimitPerFrequency": 0, "rateLimitFrequencyInSeconds": 1,
    "backoffScaleFactor": 1, "maxRetryDelaySeconds": 0, "backoffJitterMs": 0, "totalTimeoutSeconds": 0, "taskStatusListenerEnabled": True,
    "enforceSchema": False, "createTime": 0, "updateTime": 0,
}  # fmt: skip


class ChildMissing(Exception):
    """A sub-workflow named without a version is not registered; the start must fail."""


def resolve(raw: Json, task_definition: Callable[[str], Json | None], latest: Callable[[str], int | None], registered: Registered = NOTHING) -> Json:
    """
    The definition as an execution keeps it: task definitions and registered schemas embedded, unversioned sub-workflows pinned to their latest version.

    A task's own `taskDefinition` wins over the registered one; with neither, a SIMPLE task gets the defaults and any other type no retries and no timeouts.

    Raises:
        ChildMissing: a SUB_WORKFLOW without version names a workflow that is not registered.
    """

    def one(task: Json) -> Json:
        kind = task.get("type") or "SIMPLE"
        out = _with_children(task, one)
        if out.get("taskDefinition") is None:
            found = task_definition(task["name"])
            if found is None:
                found = {**AD_HOC, "name": task["name"]}
                if kind != "SIMPLE":
                    found |= {"retryCount": 0, "responseTimeoutSeconds": 0}
            out["taskDefinition"] = found
        out["taskDefinition"] = settled(out["taskDefinition"], registered)
        if kind == "SUB_WORKFLOW" and task.get("subWorkflowParam"):
            out["subWorkflowParam"] = _pinned(task["subWorkflowParam"], latest)
        return out

    return {**settled(raw, registered), "tasks": [one(t) for t in raw.get("tasks") or []]}


def embed(task: Json, task_definition: Callable[[str], Json | None], registered: Registered) -> Json:
    """
    A task that joins a running execution (a dynamic fork's branch), registered task definitions put in their places; nothing is made up.

    Such a task is data. A task definition that it brings along itself is kept, but asks for no secrets.
    """

    def one(task: Json) -> Json:
        out = _with_children(task, one)
        brought = out.get("taskDefinition")
        if brought is not None:
            out["taskDefinition"] = {key: _without_secrets(key, value) for key, value in brought.items()}
        elif (found := task_definition(task["name"])) is not None:
            out["taskDefinition"] = found
        if out.get("taskDefinition") is not None:
            out["taskDefinition"] = settled(out["taskDefinition"], registered)
        return out

    return one(task)


def _without_secrets(key: str, value: Any) -> Any:
    return [] if key == "runtimeMetadata" else {} if key == "inputTemplate" and has_secrets(value) else value


def _with_children(task: Json, one: Callable[[Json], Json]) -> Json:
    out = dict(task)
    if task.get("decisionCases"):
        out["decisionCases"] = {k: [one(t) for t in v] for k, v in task["decisionCases"].items()}
    for key in ("defaultCase", "loopOver"):
        if task.get(key):
            out[key] = [one(t) for t in task[key]]
    if task.get("forkTasks"):
        out["forkTasks"] = [[one(t) for t in branch] for branch in task["forkTasks"]]
    return out


def _pinned(param: Json, latest: Callable[[str], int | None]) -> Json:
    name = param.get("name")
    if param.get("version") is not None or not isinstance(name, str) or "${" in name or isinstance(param.get("workflowDefinition"), dict):
        return param
    version = latest(name)
    if version is None:
        raise ChildMissing(f"The Workflow {name} was not found.")
    return {**param, "version": version}


_encode = msgspec.json.Encoder(order=None).encode


def digest(raw: Json) -> tuple[str, bytes]:
    """The definition's JSON text and the hash that names it."""
    text = _encode(raw)
    return hashlib.blake2b(text, digest_size=16).hexdigest(), text
