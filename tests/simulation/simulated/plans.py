"""
Plans: a random small world to play in. Task definitions, workflow definitions over all node types, an input to start with.

Here: growing a plan from a source of chance, and the scripts that plans use, answered by a table. A plan is plain JSON, as a client would
post it, so that a shrinker can cut pieces out of it (`tidy` puts right what a cut leaves behind).
Not here: playing it (family.py, engine_run.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from batuta.core.expr.script import Script, ScriptFailed, ScriptValue
from batuta.core.model.task import Json

TASK_NAMES = ("a", "b", "c", "d", "e", "f")
UNREGISTERED = "stray"
MARKS: tuple[Json, ...] = ({}, {}, {}, {}, {"optional": True}, {"permissive": True}, {"retryCount": 1}, {"startDelay": 5})
KEYS = ("x", "y", "z")


class Plan(msgspec.Struct):
    """What is registered before a schedule begins, and what the first execution is started with."""

    tasks: list[Json]
    workflows: list[Json]  # later ones may call earlier ones; the last is the one that is started
    given: Json

    @property
    def main(self) -> str:
        name: str = self.workflows[-1]["name"]
        return name


class Scripts:
    """A script engine that knows a handful of words; the same script over the same data always ends the same way."""

    def evaluate(self, script: Script) -> ScriptValue | ScriptFailed:
        word, *rest = script.source.split()
        data: Any = script.data
        match word:
            case "turns" if "iteration" in data.get(rest[0], ()):  # turns LOOP N: another turn while the loop has had fewer than N
                return ScriptValue(data[rest[0]]["iteration"] < int(rest[1]))
            case "given":
                found = data.get(rest[0])
                return ScriptValue([found, found] if script.language == "jq" else found)
            case "late":
                return ScriptFailed("the script took too long", "timeout")
            case "never":
                return ScriptValue(False)
        return ScriptFailed(f"Error evaluating the script `{word}`", "error")

    def syntax_error(self, language: str, source: str) -> str | None:
        return None


def plan_of(chance: Random) -> Plan:
    """A plan; the same source of chance makes the same one."""
    tasks = [_task_definition(chance, name) for name in TASK_NAMES]
    workflows: list[Json] = []
    for name in ("leaf", "middle", "main")[chance.choice((0, 1, 1, 2)) :]:
        grower = _Grower(chance, [w["name"] for w in workflows])
        workflows.append({"name": name, "version": 1, "tasks": grower.row(0), **_workflow_fields(chance, workflows)})
    return Plan(tasks, workflows, {"k": chance.choice((*KEYS, None)), "xs": list(range(chance.randint(0, 3))), "n": chance.randint(0, 3)})


def _task_definition(chance: Random, name: str) -> Json:
    fields: Json = {
        "name": name, "retryCount": chance.choice((0, 0, 1, 2)), "retryDelaySeconds": chance.choice((0, 0, 1, 7)),
        "retryLogic": chance.choice(("FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF")), "timeoutPolicy": chance.choice(("RETRY", "TIME_OUT_WF", "ALERT_ONLY")),
        "responseTimeoutSeconds": 3600, "ownerEmail": "t@example.com",
    }  # fmt: skip
    if chance.random() < 0.25:
        fields |= {"timeoutSeconds": 60, "responseTimeoutSeconds": 20}
    if chance.random() < 0.15:
        fields["pollTimeoutSeconds"] = 30
    if chance.random() < 0.15:
        fields["totalTimeoutSeconds"] = 90
    if chance.random() < 0.1:
        fields["backoffJitterMs"] = 500
    if chance.random() < 0.15:
        fields["concurrentExecLimit"] = chance.choice((1, 2))
    if chance.random() < 0.1:
        fields |= {"rateLimitPerFrequency": 2, "rateLimitFrequencyInSeconds": 5}
    return fields


def _workflow_fields(chance: Random, known: list[Json]) -> Json:
    fields: Json = {"ownerEmail": "t@example.com"}
    if chance.random() < 0.15:
        fields |= {"timeoutSeconds": 600, "timeoutPolicy": chance.choice(("TIME_OUT_WF", "ALERT_ONLY"))}
    if chance.random() < 0.15 and known:
        fields["failureWorkflow"] = known[0]["name"]
    if chance.random() < 0.2:
        fields["outputParameters"] = {"status": "${workflow.status}", "n": "${workflow.variables.v}"}
    if chance.random() < 0.1:
        fields["restartable"] = False
    return fields


class _Grower:
    """Grows one workflow; `left` bounds its nodes, so that a schedule can reach its end."""

    def __init__(self, chance: Random, children: list[str]) -> None:
        self.chance, self.children = chance, children
        self.left = chance.randint(1, 12)
        self.made = 0

    def row(self, depth: int) -> list[Json]:
        """One to three nodes in a row, with the joins that forks need."""
        out: list[Json] = []
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            out += self.some(depth)
        return out

    def some(self, depth: int) -> list[Json]:
        self.left -= 1
        nested = ("fork", "fork", "dynamic_fork", "switch", "loop", "exclusive")
        leaves = ("simple",) * 8 + (
            "exotic",
            "http",
            "inline",
            "wait",
            "human",
            "event",
            "variable",
            "noop",
            "dynamic",
            "jq",
            "start",
            "terminate",
            "child",
            "child",
        )
        kind = self.chance.choice(nested if depth < 3 and self.left > 0 and self.chance.random() < 0.4 else leaves)
        made: list[Json] = getattr(self, f"_{kind}")(depth)
        return made

    def ref(self, stem: str) -> str:
        self.made += 1
        return f"{stem}{self.made}"

    def node(self, stem: str, kind: str, given: Json | None = None, **fields: Any) -> Json:
        ref = self.ref(stem)
        return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": given or {}, **fields}

    def lone(self, depth: int) -> Json:
        """One node that needs no neighbour: a branch of a dynamic fork."""
        return self.some(3 if self.chance.random() < 0.8 else depth)[0]

    # -- leaves ---------------------------------------------------------------------------------------------------------------------

    def _simple(self, depth: int) -> list[Json]:
        name = self.chance.choice((*TASK_NAMES, UNREGISTERED))
        return [{**self.node("t", "SIMPLE", {"k": "${workflow.input.k}", "me": "${CPEWF_TASK_ID}"}), "name": name, **self.chance.choice(MARKS)}]

    def _exotic(self, depth: int) -> list[Json]:
        return [{**self.node("o", "EXOTIC"), "name": self.chance.choice(TASK_NAMES), **self.chance.choice(MARKS)}]

    def _http(self, depth: int) -> list[Json]:
        return [{**self.node("h", "HTTP", {"http_request": {"uri": "http://127.0.0.1/", "method": "GET"}}), **self.chance.choice(MARKS)}]

    def _inline(self, depth: int) -> list[Json]:
        script = self.chance.choice(("given k", "given k", "given k", "late", "broken"))
        if self.chance.random() < 0.2:
            return [{**self.node("l", "LAMBDA", {"scriptExpression": script, "k": "v"}), **self.chance.choice(MARKS)}]
        return [{**self.node("i", "INLINE", {"expression": script, "k": "v"}), **self.chance.choice(MARKS)}]

    def _jq(self, depth: int) -> list[Json]:
        return [{**self.node("q", "JSON_JQ_TRANSFORM", {"queryExpression": self.chance.choice(("given k", "broken")), "k": 1}), **self.chance.choice(MARKS)}]

    def _wait(self, depth: int) -> list[Json]:
        given: Json = self.chance.choice(({"duration": "10s"}, {"duration": "2m"}, {}, {"until": "2001-01-01"}, {"duration": "soon"}))
        return [{**self.node("w", "WAIT", given), **self.chance.choice(MARKS), **self._perhaps_known()}]

    def _human(self, depth: int) -> list[Json]:
        return [{**self.node("p", "HUMAN"), **self.chance.choice(MARKS), **self._perhaps_known()}]

    def _perhaps_known(self) -> Json:
        """Now and then the name of a registered task definition, whose retries and timeouts then apply."""
        return {"name": self.chance.choice(TASK_NAMES)} if self.chance.random() < 0.25 else {}

    def _event(self, depth: int) -> list[Json]:
        sink = self.chance.choice(("conductor", "conductor:news", "kafka:topic", "nowhere"))
        return [self.node("v", "EVENT", {"k": 1}, sink=sink, asyncComplete=self.chance.random() < 0.2)]

    def _variable(self, depth: int) -> list[Json]:
        return [self.node("s", "SET_VARIABLE", {"v": "${workflow.input.n}"})]

    def _noop(self, depth: int) -> list[Json]:
        return [self.node("n", "NOOP")]

    def _dynamic(self, depth: int) -> list[Json]:
        name = self.chance.choice((*TASK_NAMES, "NOOP", "HTTP", "WAIT", "SET_VARIABLE", "HUMAN"))
        return [{**self.node("y", "DYNAMIC", {"which": name}, dynamicTaskNameParam="which"), **self.chance.choice(MARKS)}]

    def _start(self, depth: int) -> list[Json]:
        name = self.chance.choice((*self.children, "nobody")) if self.children else "nobody"
        return [{**self.node("g", "START_WORKFLOW", {"startWorkflow": {"name": name, "input": {"k": "x"}}}), **self.chance.choice(MARKS)}]

    def _terminate(self, depth: int) -> list[Json]:
        status = self.chance.choice(("COMPLETED", "FAILED", "TERMINATED", "WRONG"))
        return [self.node("x", "TERMINATE", {"terminationStatus": status})] if self.chance.random() < 0.3 else self._simple(depth)

    def _child(self, depth: int) -> list[Json]:
        if not self.children:
            return self._simple(depth)
        param: Json = {"name": self.chance.choice(self.children), "version": self.chance.choice((1, 1, 1, 0, None, 9))}
        if self.chance.random() < 0.15:
            param = {"name": "inner", "version": 1, "workflowDefinition": {"name": "inner", "version": 1, "tasks": self._simple(depth)}}
        return [{**self.node("c", "SUB_WORKFLOW", {"k": "${workflow.input.k}"}, subWorkflowParam=param), **self.chance.choice(MARKS), **self._perhaps_known()}]

    # -- operators ------------------------------------------------------------------------------------------------------------------

    def _fork(self, depth: int) -> list[Json]:
        branches = [self.row(depth + 1) for _ in range(self.chance.choice((1, 2, 2, 3)))]
        fork, join = self.node("f", "FORK_JOIN", forkTasks=branches), self.node("j", "JOIN", joinOn=[])
        if self.chance.random() < 0.15:
            join["waitsFor"] = self.chance.randint(0, len(branches) - 1)  # a join that ignores some branches; see `tidy`
        return [fork, join]

    def _dynamic_fork(self, depth: int) -> list[Json]:
        form = self.chance.choice(("lists", "lists", "simple", "old", "wrong"))
        if form == "simple":
            given: Json = {"forkTaskName": self.chance.choice(TASK_NAMES), "forkTaskInputs": [{"i": i} for i in range(self.chance.randint(0, 3))]}
            if self.children and self.chance.random() < 0.3:
                given = {"forkTaskWorkflow": self.children[0], "forkTaskInputs": given["forkTaskInputs"]}
            fields: Json = {}
        elif form == "old":
            listed = [{"taskName": self.chance.choice(TASK_NAMES), "referenceName": self.ref("old"), "input": {"i": 1}} for _ in range(2)]
            given, fields = {"listed": {"dynamicTasks": listed}}, {"dynamicForkJoinTasksParam": "listed"}
        else:
            branches: Any = [self.lone(depth + 1) for _ in range(self.chance.choice((0, 1, 2, 3)))] if form == "lists" else {"not": "a list"}
            given = {"branches": branches, "inputs": {b["taskReferenceName"]: {"more": 1} for b in branches} if form == "lists" else {}}
            fields = {"dynamicForkTasksParam": "branches", "dynamicForkTasksInputParamName": "inputs"}
        return [self.node("df", "FORK_JOIN_DYNAMIC", given, **fields), self.node("dj", "JOIN")]

    def _switch(self, depth: int) -> list[Json]:
        cases = {key: self.row(depth + 1) if self.chance.random() < 0.8 else [] for key in KEYS[: self.chance.randint(1, 2)]}
        default = self.row(depth + 1) if self.chance.random() < 0.5 else []
        if self.chance.random() < 0.2:
            return [self.node("sd", "DECISION", {"on": "${workflow.input.k}"}, caseValueParam="on", decisionCases=cases, defaultCase=default)]
        evaluator, expression = self.chance.choice((("value-param", "on"), ("value-param", "on"), ("javascript", "given on"), ("javascript", "broken")))
        return [
            self.node("sw", "SWITCH", {"on": "${workflow.input.k}"}, evaluatorType=evaluator, expression=expression, decisionCases=cases, defaultCase=default)
        ]

    def _exclusive(self, depth: int) -> list[Json]:
        cases = {key: self._simple(depth) for key in KEYS}
        switch = self.node("sx", "SWITCH", {"on": "${workflow.input.k}"}, evaluatorType="value-param", expression="on", decisionCases=cases)
        switch["defaultCase"] = self._simple(depth)
        refs = [row[-1]["taskReferenceName"] for row in (*cases.values(), switch["defaultCase"])]
        return [switch, self.node("ej", "EXCLUSIVE_JOIN", joinOn=refs)]

    def _loop(self, depth: int) -> list[Json]:
        body = self.row(depth + 1)
        loop = self.node("lp", "DO_WHILE", loopOver=body, loopCondition="")
        ref = loop["taskReferenceName"]
        if self.chance.random() < 0.3:
            loop["items"] = "${workflow.input.xs}"
        if "items" not in loop or self.chance.random() < 0.3:
            loop["loopCondition"] = self.chance.choice((f"turns {ref} 2", f"turns {ref} 3", "never", "broken"))
        if self.chance.random() < 0.25:
            loop["inputParameters"] = {"keepLastN": 1}
        return [loop]


def rows_in(definition: Json) -> Iterator[list[Json]]:
    """Every list of nodes in a workflow definition, outermost first; also those that a dynamic fork takes from its input."""
    yield from _rows(definition["tasks"])


def _rows(row: list[Json]) -> Iterator[list[Json]]:
    yield row
    for node in row:
        inside = [*(node.get("decisionCases") or {}).values(), node.get("defaultCase") or [], *(node.get("forkTasks") or []), node.get("loopOver") or []]
        branches = (node.get("inputParameters") or {}).get("branches")
        for inner in (*inside, branches if isinstance(branches, list) else []):
            yield from _rows(inner)


def tidy(plan: Plan) -> Plan:
    """The plan with joins waiting for what is there: the last node of every branch of their fork (`waitsFor`: of so many branches)."""
    for workflow in plan.workflows:
        for row in rows_in(workflow):
            for fork, join in zip(row, row[1:], strict=False):
                if fork["type"] == "FORK_JOIN" and join["type"] == "JOIN":
                    tails = [branch[-1]["taskReferenceName"] for branch in fork["forkTasks"] if branch]
                    join["joinOn"] = tails[: join.get("waitsFor", len(tails))]
    return plan


def limited(plan: Plan, chance: Random) -> Plan:
    """
    The plan with rate limits on some workflows of every third one, and nodes of others that tell of their states or cache; the source of chance is its
    own, so that plans stay what they were without them.
    """
    if chance.random() < 0.3:
        for node in (node for workflow in plan.workflows for row in rows_in(workflow) for node in row):
            if chance.random() < 0.3:
                node["onStateChange"] = {"onScheduled,onStart,onSuccess,onFailed,onCancelled": [{"type": "told", "payload": {"s": "${workflow.status}"}}]}
            if chance.random() < 0.15:
                node["cacheConfig"] = {"key": "${k}", "ttlInSecond": 60}
    if chance.random() < 0.35:
        for workflow in plan.workflows:
            if chance.random() < 0.6:
                key, policy = chance.choice(("k", "${workflow.input.k}")), chance.choice(("QUEUE", "QUEUE", "QUEUE", "REJECT"))
                workflow["rateLimitConfig"] = {"rateLimitKey": key, "concurrentExecLimit": chance.choice((1, 1, 2)), "policy": policy}
    return plan
