"""
validate: what is wrong with a definition, in Conductor's words.

A rule yields sentences; where a rule stands in the tables below decides the path they are reported under. A new task type brings one
function and one line in `RULES`.

Here: pure rules over definitions in their stored form. Not here: the shape of the JSON (wire/metadata.py), storing (engine/catalog.py).
Source: conductor-rest-api.md §4; golden runs metadata_workflows/, metadata_tasks/, start_forms/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from batuta.core.contract import FIELDS, problem_of
from batuta.core.expr.references import problems
from batuta.core.expr.scope import ALWAYS_CONSTANT
from batuta.core.model.definition import STATE_CHANGES
from batuta.core.model.task import Json
from batuta.core.nodes.pull_workflow_messages import batch_of, waits_of
from batuta.core.nodes.wait import parse_duration, parse_until
from batuta.errors import Violation

SCHEMA_VERSION: Final = 2
ENDINGS: Final = ("COMPLETED", "FAILED", "TERMINATED")  # what TERMINATE may make of a workflow


def _no_template(name: str) -> Json:
    return {}


def _no_syntax(source: str) -> str | None:
    return None


class Surroundings(NamedTuple):
    """
    What a rule may ask besides the definition.

    `template_of`: the input template of the registered task definition of that name, empty when there is none.
    `syntax_error`: why a text is no JavaScript, or None.
    `environment`: names that `${NAME}` may use besides tasks.
    """

    template_of: Callable[[str], Json] = _no_template
    syntax_error: Callable[[str], str | None] = _no_syntax
    environment: Collection[str] = frozenset()


Rule = Callable[[Json, Surroundings], Iterator[str]]


# -- workflows ----------------------------------------------------------------------------------------------------------------------


def workflow_problems(definition: Json, at: str, around: Surroundings | None = None) -> list[Violation]:
    """
    Every rule that the definition breaks; empty when it may be registered.

    *at* is the path of the definition itself in Conductor's counting, such as `registerWorkflowDef.arg0`. Definitions of sub-workflows
    inside are not looked at, as Conductor does not.
    """
    around = around or Surroundings()
    places = list(_walk(definition["tasks"], f"{at}.tasks"))
    found = list(_fields(definition, at))
    for place in places:
        found += _task(place, around)
    references = [place.task.get("taskReferenceName") for place in places]
    found += [Violation(at, sentence) for sentence in _repeated(references, definition.get("name"))]
    found += [Violation(at, sentence) for sentence in _unresolved(definition["tasks"], {r for r in references if r is not None}, around)]
    return found


def _fields(definition: Json, at: str) -> Iterator[Violation]:
    if not definition.get("name"):
        yield Violation(f"{at}.name", "WorkflowDef name cannot be null or empty", definition.get("name"))
    if definition["schemaVersion"] != SCHEMA_VERSION:
        yield Violation(f"{at}.schemaVersion", "workflowDef schemaVersion: 2 is only supported", str(definition["schemaVersion"]))
    if not definition["tasks"]:
        yield Violation(f"{at}.tasks", "WorkflowTask list cannot be empty")
    yield from _contracts(definition, at)
    for n, name in enumerate(definition["maskedFields"]):
        if not name:
            yield Violation(f"{at}.maskedFields[{n}]", "is empty; expected the name of a field", name)
    if (limit := definition.get("rateLimitConfig")) is not None:
        most, key = limit["concurrentExecLimit"], limit.get("rateLimitKey")
        if most < 0:
            yield Violation(f"{at}.rateLimitConfig.concurrentExecLimit", "must be greater than or equal to 0", str(most))
        if most > 0 and not key:
            yield Violation(f"{at}.rateLimitConfig.rateLimitKey", "is empty; expected a text or an expression that tells apart what is limited", key)


class _Place(NamedTuple):
    """A task where it stands. Conductor does not look into loops, though it counts the references there."""

    task: Json
    at: str
    in_loop: bool


def _walk(tasks: list[Json], at: str, in_loop: bool = False) -> Iterator[_Place]:
    """Every task of the list and inside it, parents first."""
    for n, task in enumerate(tasks):
        here = f"{at}[{n}]"
        yield _Place(task, here, in_loop)
        for case, inner in task["decisionCases"].items():
            yield from _walk(inner, f"{here}.decisionCases[{case}].<map value>", in_loop)
        yield from _walk(task["defaultCase"], f"{here}.defaultCase", in_loop)
        for m, branch in enumerate(task["forkTasks"]):
            yield from _walk(branch, f"{here}.forkTasks[{m}].<list element>", in_loop)
        yield from _walk(task["loopOver"], f"{here}.loopOver", True)


def _task(place: _Place, around: Surroundings) -> Iterator[Violation]:
    task, at, in_loop = place
    if not task.get("name"):
        yield Violation(f"{at}.name", "WorkflowTask name cannot be empty or null", task.get("name"))
    if not task.get("taskReferenceName"):
        message = "WorkflowTask taskReferenceName name cannot be empty or null"
        yield Violation(f"{at}.taskReferenceName", message, task.get("taskReferenceName"))
    yield from _configured(task, at)
    yield from _contracts(task.get("taskDefinition") or {}, f"{at}.taskDefinition")
    if in_loop:
        return  # a name and a reference it needs even there: without them it could never run
    if task["startDelay"] < 0:
        yield Violation(f"{at}.startDelay", "must be greater than or equal to 0", str(task["startDelay"]))
    rule = RULES.get(task["type"])
    if rule is not None:
        for sentence in rule(task, around):
            yield Violation(at, sentence)


def _configured(task: Json, at: str) -> Iterator[Violation]:
    """What Conductor takes as it comes, since it never looks at it."""
    if (cache := task.get("cacheConfig")) is not None:
        if not cache.get("key"):
            yield Violation(f"{at}.cacheConfig.key", "is empty; expected a text with ${…} over the task's input parameters", cache.get("key"))
        if cache["ttlInSecond"] <= 0:
            yield Violation(f"{at}.cacheConfig.ttlInSecond", "must be greater than 0", str(cache["ttlInSecond"]))
    for states, events in task["onStateChange"].items():
        where = f"{at}.onStateChange[{states}]"
        for state in states.split(","):
            if state.strip() not in STATE_CHANGES:
                yield Violation(where, f"is not known; expected a comma list of {', '.join(STATE_CHANGES)}", state)
        for n, event in enumerate(events):
            if not event.get("type"):
                yield Violation(f"{where}[{n}].type", "is empty; expected the name of an event", event.get("type"))


def _repeated(references: list[str | None], name: str | None) -> Iterator[str]:
    seen: set[str | None] = set()
    told: set[str | None] = set()
    for reference in references:
        if reference in seen and reference not in told:
            told.add(reference)
            yield f"taskReferenceName: {_shown(reference)} should be unique across tasks for a given workflowDefinition: {_shown(name)}"
        seen.add(reference)


def _unresolved(tasks: list[Json], references: set[str], around: Surroundings) -> Iterator[str]:
    """Expressions in the input of top-level tasks that cannot be read, or that name a task which is not there."""

    def is_constant(name: str) -> bool:
        return name in ALWAYS_CONSTANT or name in around.environment

    told: set[str] = set()
    for task in tasks:
        for problem in problems(task["inputParameters"], references, is_constant):
            sentence = problem.message(_shown(task.get("name")))
            if sentence not in told:
                told.add(sentence)
                yield sentence


def _shown(value: str | None) -> str:
    return "null" if value is None else value


# -- task types ---------------------------------------------------------------------------------------------------------------------


def _lacks(field: str, task: Json) -> str:
    return f"{field} field is required for taskType: {task['type']} taskName: {_shown(task.get('name'))}"


def _no_members(field: str, task: Json) -> str:
    return f"{field} should have atleast one task for taskType: {task['type']} taskName: {_shown(task.get('name'))}"


def _event(task: Json, around: Surroundings) -> Iterator[str]:
    if "sink" not in task:
        yield _lacks("sink", task)


def _decision(task: Json, around: Surroundings) -> Iterator[str]:
    if "caseValueParam" not in task and "caseExpression" not in task:
        yield _lacks("caseValueParam or caseExpression", task)
    yield from _cases(task)
    yield from _script(task.get("caseExpression"), task, around)


def _switch(task: Json, around: Surroundings) -> Iterator[str]:
    if "evaluatorType" not in task:
        yield _lacks("evaluatorType", task)
    elif "expression" not in task:
        yield _lacks("expression", task)
    yield from _cases(task)
    if task.get("evaluatorType") == "javascript":
        yield from _script(task.get("expression"), task, around)


def _cases(task: Json) -> Iterator[str]:
    if not task["decisionCases"]:
        yield _no_members("decisionCases", task)


def _script(source: str | None, task: Json, around: Surroundings) -> Iterator[str]:
    why = around.syntax_error(source) if source else None
    if why is not None:
        yield f"Expression is not well formatted: {why}, taskType: {task['type']} taskName {_shown(task.get('name'))}"


def _dynamic(task: Json, around: Surroundings) -> Iterator[str]:
    if "dynamicTaskNameParam" not in task:
        yield _lacks("dynamicTaskNameParam", task)


def _fork(task: Json, around: Surroundings) -> Iterator[str]:
    if not task["forkTasks"]:
        yield _no_members("forkTasks", task)


def _dynamic_fork(task: Json, around: Surroundings) -> Iterator[str]:
    """Branches come from forkTaskInputs, or from one parameter, or from a pair of them."""
    if "forkTaskInputs" in task["inputParameters"]:
        return
    pair = ("dynamicForkTasksParam", "dynamicForkTasksInputParamName")
    if "dynamicForkJoinTasksParam" not in task:
        yield from (_lacks(field, task) for field in pair if field not in task)
    elif any(field in task for field in pair):
        yield (
            "dynamicForkJoinTasksParam or combination of dynamicForkTasksInputParamName and dynamicForkTasksParam cam be used for "
            f"taskType: {task['type']} taskName: {_shown(task.get('name'))}"
        )


def _http(task: Json, around: Surroundings) -> Iterator[str]:
    given = task["inputParameters"]
    if not {"http_request", "uri", "method"} & given.keys() and "http_request" not in _template(task, around):
        yield _lacks("inputParameters.http_request or inputParameters.uri", task)


def _needs_input(key: str) -> Rule:
    def rule(task: Json, around: Surroundings) -> Iterator[str]:
        if key not in task["inputParameters"] and key not in _template(task, around):
            yield _lacks(f"inputParameters.{key}", task)

    return rule


def _template(task: Json, around: Surroundings) -> Json:
    """What the task's definition adds to its input: the one it carries, else the registered one."""
    own = task.get("taskDefinition")
    template: Json = around.template_of(task.get("name") or "") if own is None else own["inputTemplate"]
    return template


def _terminate(task: Json, around: Surroundings) -> Iterator[str]:
    if task["optional"]:
        yield f"terminate task cannot be optional, taskName: {_shown(task.get('name'))}"
    if task["inputParameters"].get("terminationStatus") not in ENDINGS:
        yield (f"terminate task must have an terminationStatus parameter and must be set to COMPLETED or FAILED, taskName: {_shown(task.get('name'))}")


def _do_while(task: Json, around: Surroundings) -> Iterator[str]:
    if "loopCondition" not in task:
        yield _lacks("loopCondition", task)
    if not task["loopOver"]:
        yield _lacks("loopOver", task)


def _sub_workflow(task: Json, around: Surroundings) -> Iterator[str]:
    if "subWorkflowParam" not in task:
        yield _lacks("subWorkflowParam", task)


def _wait(task: Json, around: Surroundings) -> Iterator[str]:
    """One end at most; a literal must read as one, an expression is left for the run."""
    duration, until = (task["inputParameters"].get(key) for key in ("duration", "until"))
    if duration not in (None, "") and until not in (None, ""):
        yield "Both 'duration' and 'until' specified. Please provide only one input"
    elif duration not in (None, "") and "${" not in str(duration) and parse_duration(str(duration)) is None:
        yield "Either date or duration is passed as null "
    elif until not in (None, "") and "${" not in str(until) and parse_until(str(until)) is None:
        yield "Unable to parse date "


def _pull(task: Json, around: Surroundings) -> Iterator[str]:
    """Literals must read as what they say; expressions are left for the run."""
    for key, read in (("batchSize", batch_of), ("blocking", waits_of)):
        if "${" not in str(task["inputParameters"].get(key)):
            try:
                read(task["inputParameters"])
            except ValueError as wrong:
                yield f"{wrong}; found in task {task.get('taskReferenceName')}"


RULES: Final[dict[str, Rule]] = {
    "EVENT": _event,
    "DECISION": _decision,
    "SWITCH": _switch,
    "DYNAMIC": _dynamic,
    "FORK_JOIN": _fork,
    "FORK_JOIN_DYNAMIC": _dynamic_fork,
    "HTTP": _http,
    "KAFKA_PUBLISH": _needs_input("kafka_request"),
    "JSON_JQ_TRANSFORM": _needs_input("queryExpression"),
    "TERMINATE": _terminate,
    "DO_WHILE": _do_while,
    "SUB_WORKFLOW": _sub_workflow,
    "WAIT": _wait,
    "PULL_WORKFLOW_MESSAGES": _pull,
}


# -- task definitions ---------------------------------------------------------------------------------------------------------------

# field, least value, what is said below it ({value}: the value found)
LIMITS: Final = (
    ("retryCount", 0, "TaskDef retryCount: 0 must be >= 0"),
    ("responseTimeoutSeconds", 1, "TaskDef responseTimeoutSeconds: {value} should be minimum 1 second"),
    ("pollTimeoutSeconds", 0, "TaskDef pollTimeoutSeconds: 0 must be >= 0"),
    ("backoffScaleFactor", 1, "Backoff scale factor. Applicable for LINEAR_BACKOFF"),
    ("maxRetryDelaySeconds", 0, "TaskDef maxRetryDelaySeconds: 0 must be >= 0"),
    ("backoffJitterMs", 0, "TaskDef backoffJitterMs: 0 must be >= 0"),
    ("totalTimeoutSeconds", 0, "TaskDef totalTimeoutSeconds: 0 must be >= 0"),
)


def task_problems(definition: Json, at: str) -> list[Violation]:
    """Every rule that the task definition breaks. *at* is its path in Conductor's counting, such as `registerTaskDef.arg0[0]`."""
    found = []
    if not definition.get("name"):
        found.append(Violation(f"{at}.name", "TaskDef name cannot be null or empty", definition.get("name")))
    for field, least, sentence in LIMITS:
        value = definition.get(field)
        if value is not None and value < least:
            found.append(Violation(f"{at}.{field}", sentence.format(value=value), str(value)))
    name = _shown(definition.get("name"))
    response, timeout, total = (definition[f"{word}Seconds"] for word in ("responseTimeout", "timeout", "totalTimeout"))
    if 0 < timeout < response:
        found.append(Violation(at, f"TaskDef: {name} responseTimeoutSeconds: {response} must be less than timeoutSeconds: {timeout}"))
    if 0 < total < timeout:
        message = f"TaskDef: {name} timeoutSeconds: {timeout} must be less than or equal to totalTimeoutSeconds: {total}"
        found.append(Violation(at, message))
    found += _contracts(definition, at)
    return found


# -- schemas ------------------------------------------------------------------------------------------------------------------------


def _contracts(definition: Json, at: str) -> Iterator[Violation]:
    """Schemas that stand in a definition and could not be enforced. One that is only named may be registered later."""
    for field in FIELDS:
        if (raw := definition.get(field)) is not None and (problem := problem_of(raw)) is not None:
            yield Violation(f"{at}.{field}.data", problem)


def schema_problems(schema: Json, at: str) -> list[Violation]:
    """Every rule that a schema to be registered breaks."""
    found = []
    if not schema.get("name"):
        found.append(Violation(f"{at}.name", "the schema's name is empty or null", schema.get("name")))
    if schema["version"] < 1:
        found.append(Violation(f"{at}.version", "must be greater than or equal to 1", str(schema["version"])))
    if (problem := problem_of(schema)) is not None:
        found.append(Violation(f"{at}.data", problem))
    return found
