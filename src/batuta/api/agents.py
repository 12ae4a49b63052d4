"""
/api/agent: agents as definitions, and starting them. /api/providers and /api/a2a, of which this server has nothing.

An agent is a workflow of the classifier `agent`. What it needs a model or an agent runtime for is a task that says so when it fails, unless a worker of
yours serves its type. Not here: what is done with executions (agent_runs.py), how an agent becomes a workflow (wire/agent.py).
Source: conductor-rest-api.md §1.11; a running server's answers.
"""

from __future__ import annotations

from typing import Final

from batuta.api.http import Response, empty_response, json_response
from batuta.api.services import Services
from batuta.engine.catalog import Catalog
from batuta.errors import Invalid, NotFound
from batuta.wire import agent
from batuta.wire.codec import encode
from batuta.wire.requests import StartRequest, read_object
from batuta.wire.shape import Json

_NO_VERSION: Final = ("createTime", "updateTime")


def list_agents(services: Services) -> Response:
    """The latest version of every agent."""
    return json_response(encode([agent.agent_summary(one.value) for one in services.catalog.latest_workflows() if agent.is_agent(one.value)]))


def read(services: Services, name: str, *, version: int | None = None) -> Response:
    """What an agent says of itself, as it was registered."""
    described = (_agent(services.catalog, name, version).get("metadata") or {}).get("agentDef")
    if not isinstance(described, dict):
        raise NotFound(f"No agent definition found for: {name}")
    return json_response(encode(described))


def definition(services: Services, name: str, *, version: int | None = None) -> Response:
    """The workflow that an agent has become."""
    found = services.catalog.workflow(name, version)
    if found is None:
        raise NotFound(f"Definition not found: {name}")
    return json_response(encode(found))


async def delete(services: Services, name: str, *, version: int | None = None) -> Response:
    """Forget an agent, its latest version unless asked; what runs goes on."""
    found = _agent(services.catalog, name, version)
    await services.catalog.delete_workflow(name, found["version"])
    return empty_response()


def _agent(catalog: Catalog, name: str, version: int | None) -> Json:
    found = catalog.workflow(name, version)
    if found is None or not agent.is_agent(found):
        raise NotFound(f"Agent not found: {name}" + ("" if version is None else f" v{version}"))
    return found


async def compile(services: Services, body: bytes) -> Response:
    """The workflow that an agent would become; nothing is stored."""
    made = agent.compiled(agent.read_agent_request(body))
    await services.catalog.check_workflow(made, "compileAgent.arg0")
    return json_response(encode({"workflowDef": made, "requiredWorkers": agent.workers_of(made)}))


def inspect_plan(services: Services, body: bytes) -> Response:
    """Refused: plans are compiled by the agent runtime that makes them, and this server has none."""
    asked = read_object(body)
    for name in ("agentConfig", "plan"):
        if not isinstance(asked.get(name), dict):
            raise Invalid(f"inspectPlan: {name} is required")
    raise Invalid("inspectPlan: this server has no agent runtime to compile a plan; a worker of the type PLAN_AND_COMPILE may do it in a workflow")


async def deploy(services: Services, body: bytes) -> Response:
    """Register an agent, in place of a former one of its name, without starting it."""
    made = await _registered(services.catalog, agent.read_agent_request(body))
    return json_response(encode({"agentName": made["name"], "requiredWorkers": agent.workers_of(made)}))


async def _registered(catalog: Catalog, request: Json) -> Json:
    """The workflow of the agent that the request describes, registered; the same description again changes nothing."""
    made = agent.compiled(request)
    former = catalog.workflow(made["name"], made["version"])
    if former is None or {**former, **{key: made.get(key) for key in _NO_VERSION}} != {**made, **{key: made.get(key) for key in _NO_VERSION}}:
        await catalog.create_workflow(made if former is None else {**made, "createTime": former.get("createTime", 0)}, overwrite=True)
    return catalog.workflow(made["name"], made["version"]) or made


async def start(services: Services, body: bytes) -> Response:
    """Start a registered agent by its name, or the one that the request describes."""
    request = agent.read_agent_request(body)
    given = agent.input_of(request)
    inline = any(request.get(key) for key in ("agentConfig", "framework", "rawConfig", "skillRef"))
    name = request.get("name")
    if request.get("version") is not None and not name:
        raise Invalid("agentVersion requires agentName")
    if name and inline:
        raise Invalid("Specify either agentName/agentVersion or inline agent construction details, not both")
    if name:
        found = _agent(services.catalog, name, request.get("version"))
    elif inline:
        found = await _registered(services.catalog, request)
    else:
        raise Invalid("Agent start requires agentName or inline agent construction details")
    workers = agent.workers_of(found)
    key = request.get("idempotencyKey") or None
    started = await services.engine.start(StartRequest(
        name=found["name"], version=found["version"], input=given, definition=_for_this_run(found, request), correlation_id=key, idempotency_key=key,
        task_to_domain=dict.fromkeys(workers, str(request["runId"])) if request.get("runId") else {},
    ))  # fmt: skip
    return json_response(encode({"executionId": started, "agentName": found["name"], "requiredWorkers": workers}))


def _for_this_run(found: Json, request: Json) -> Json | None:
    """The definition with what the request wants otherwise; None: as it is registered."""
    changed = agent.with_model(found, request["model"]) if request.get("model") and request.get("name") else found
    if (request.get("timeoutSeconds") or 0) > 0:
        changed = {**changed, "timeoutSeconds": request["timeoutSeconds"]}
    return None if changed is found else changed


def providers(services: Services) -> Response:
    """Providers of models: there is none here."""
    return json_response(encode({"managedByHost": False, "providers": []}))


def agent_card(services: Services, body: bytes) -> Response:
    """Refused: agents of other systems are not asked by this server."""
    if not read_object(body).get("agentUrl"):
        raise Invalid("A2A agent-card discovery requires 'agentUrl'")
    raise Invalid("this server does not speak to agents of other systems; a worker of the type GET_AGENT_CARD may do it in a workflow")


async def agent_called_back(services: Services, task_id: str, body: bytes) -> Response:
    """Refused: no AGENT task waits for an agent of another system here."""
    read_object(body)
    raise NotFound(f"no AGENT task {task_id!r} waits to be called back")
