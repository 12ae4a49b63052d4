"""
Calls that wait: start and wait in one, signals, and trying a definition out with mocked outputs.

Source: conductor-rest-api.md §1.1.1, §1.2 (signals), §3.7 (WorkflowTestRequest).
"""

from __future__ import annotations

import uuid
from collections import deque
from typing import Any, Final

import msgspec

from batuta.api.http import JSON, Request, Response, empty_response, json_response
from batuta.api.services import Services
from batuta.core.model.definition import INTEGRATIONS, OPERATORS, Definition
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.engine.watches import Blocked
from batuta.errors import Invalid, NotFound
from batuta.wire import requests
from batuta.wire.codec import decode, encode
from batuta.wire.execution import workflow_view
from batuta.wire.mask import masked
from batuta.wire.requests import ReportedStatus, StartRequest, TaskResult
from batuta.wire.shape import Json
from batuta.wire.signal import OF_TASKS, ReturnStrategy, run_view, task_run_view

WAIT_S: Final = 10
WAIT_S_MAX: Final = 3_600
_OPTIONS: Final = ("requestId", "waitUntilTaskRef", "waitForSeconds")  # of a workflow that is called like a function: in the query, or as headers
TEST_STEPS_MAX: Final = 20_000
TEST_IDLE_S: Final = 0.2  # how long a test waits for work of the server's own before it stops


async def execute(
    services: Services,
    name: str,
    version: int,
    body: bytes,
    *,
    request_id: str = "",
    wait_until_task_ref: str = "",
    wait_for_seconds: int = WAIT_S,
    return_strategy: ReturnStrategy = "TARGET_WORKFLOW",
) -> Response:
    """Start an execution and answer when it ends, blocks, or the time is over."""
    request = requests.read_execute(body, name, version or None)
    if request.definition is not None:
        await services.catalog.check_workflow(request.definition, "startWorkflow.arg0.workflowDef")
        if request.definition.get("tasks"):
            request = msgspec.structs.replace(request, input={**(request.input or {}), "_systemMetadata": {"dynamic": True}})
    execution_id = await services.engine.start(request)
    blocked = await _until_blocked(services, execution_id, wait_until_task_ref, wait_for_seconds)
    return _answer(services, blocked, return_strategy, request_id or str(uuid.uuid4()))


async def _until_blocked(services: Services, execution_id: str, refs: str, seconds: int) -> Blocked:
    wait_s = min(seconds if seconds > 0 else WAIT_S, WAIT_S_MAX)
    return await services.engine.until_blocked(execution_id, {ref.strip() for ref in refs.split(",") if ref.strip()}, wait_s)


async def execute_as_call(services: Services, name: str, body: bytes, request: Request, *, version: int | None = None) -> Response:
    """Start an execution with the body as its input, and answer with its output when it ends, blocks, or the time is over; the headers say how it stands."""
    return await _called(services, name, version, requests.read_object(body) if body.strip() else {}, request)


async def execute_as_get(services: Services, name: str, request: Request, *, version: int | None = None) -> Response:
    """The same for a client that can only GET: the other parameters of the query are the input, as texts."""
    given = {key: texts[0] if len(texts) == 1 else texts for key, texts in request.query().items() if key not in _OPTIONS and key != "version"}
    return await _called(services, name, version, given, request)


async def _called(services: Services, name: str, version: int | None, given: Json, request: Request) -> Response:
    query = request.query()
    _, refs, seconds = (query[key][0] if key in query else request.header(key.lower().encode()).decode("latin-1") for key in _OPTIONS)
    if seconds and not (seconds.isascii() and seconds.isdigit()):
        raise Invalid(f"waitForSeconds is the text {seconds!r}; expected a whole number")
    execution_id = await services.engine.start(StartRequest(name=name, version=version or None, input=given))
    root = (await _until_blocked(services, execution_id, refs, min(int(seconds or 0), WAIT_S_MAX))).root
    stands = ((b"x-workflow-id", execution_id.encode()), (b"x-workflow-status", root.head.status.value.encode()))
    return Response(200, encode(masked(root.head.output, root.definition.masked)), JSON, *stands)


async def update_state(
    services: Services, workflow_id: str, body: bytes, *, request_id: str = "", wait_until_task_ref: str = "", wait_for_seconds: int = WAIT_S
) -> Response:
    """Set variables and report a task in one, and answer when the execution ends, blocks, or the time is over; with 0 seconds at once."""
    update = requests.read_state(body)
    await services.engine.update_state(workflow_id, update)
    refs = {ref.strip() for ref in wait_until_task_ref.split(",") if ref.strip()}
    blocked = await services.engine.until_blocked(workflow_id, refs, min(max(wait_for_seconds, 0), WAIT_S_MAX))
    return _answer(services, blocked, "TARGET_WORKFLOW", request_id or str(uuid.uuid4()))


def _answer(services: Services, blocked: Blocked, strategy: str, request_id: str) -> Response:
    """The run or the task that the strategy asks for; with no blocking task, the two task strategies have nothing to show."""
    if strategy in OF_TASKS:
        if blocked.task is None:
            return empty_response()
        return json_response(encode(task_run_view(blocked.holder, blocked.task, blocked.root, strategy, request_id, timed_out=blocked.timed_out)))
    shown = blocked.holder if strategy == "BLOCKING_WORKFLOW" else blocked.root
    return json_response(encode(run_view(shown, blocked.root, strategy, request_id, services.now(), timed_out=blocked.timed_out)))


async def signal(services: Services, workflow_id: str, status: ReportedStatus, body: bytes) -> Response:
    """Report the WAIT that holds the execution; fine also when nothing does."""
    await services.engine.signal(workflow_id, TaskStatus(status), requests.read_object(body))
    return empty_response()


async def signal_sync(
    services: Services,
    workflow_id: str,
    status: ReportedStatus,
    body: bytes,
    *,
    return_strategy: ReturnStrategy = "TARGET_WORKFLOW",
    timeout_millis: int = 5_000,
) -> Response:
    """The same, answered when the execution blocks again or ends; 404 when nothing held it."""
    if not await services.engine.signal(workflow_id, TaskStatus(status), requests.read_object(body)):
        raise NotFound(f"Found no blocked task in workflow {workflow_id} to signal")
    blocked = await services.engine.until_blocked(workflow_id, (), min(max(timeout_millis, 0) / 1000, WAIT_S_MAX))
    return _answer(services, blocked, return_strategy, str(uuid.uuid4()))


# -- trying a definition out ------------------------------------------------------------------------------------------------------


class _Mocks:
    """Outputs by reference, used up in turn, and those of sub-workflows by the reference of their task."""

    def __init__(self, request: Json, where: str) -> None:
        self.outputs: dict[str, deque[Json]] = {}
        self.children: dict[str, _Mocks] = {}
        for ref, listed in _table(request, "taskRefToMockOutput", where).items():
            if not isinstance(listed, list) or not all(isinstance(m, dict) for m in listed):
                raise Invalid(f"{where}taskRefToMockOutput.{ref} is {listed!r}; expected a list of objects with status and output")
            self.outputs[ref] = deque(listed)
        for ref, inner in _table(request, "subWorkflowTestRequest", where).items():
            if not isinstance(inner, dict):
                raise Invalid(f"{where}subWorkflowTestRequest.{ref} is {inner!r}; expected a test request")
            self.children[ref] = _Mocks(inner, f"{where}subWorkflowTestRequest.{ref}.")

    def next(self, task: Task) -> Json | None:
        """The next mocked end of this task, or None."""
        listed = self.outputs.get(task.ref) or self.outputs.get(task.base_ref)
        return listed.popleft() if listed else None


def _table(request: Json, name: str, where: str) -> Json:
    found: Any = request.get(name) or {}
    if not isinstance(found, dict):
        raise Invalid(f"{where}{name} is {found!r}; expected an object by task reference")
    return found


async def test(services: Services, body: bytes) -> Response:
    """Run a definition with mocked outputs in place of workers; stops where a mock is missing."""
    request = requests.read_start(body)
    mocks = _Mocks(decode(body), "")
    if request.definition is not None:
        await services.catalog.check_workflow(request.definition, "startWorkflow.arg0.workflowDef")
    # A domain nobody polls: no real worker takes part, and `*` is not meant for integrations.
    alone = str(uuid.uuid4())
    domains = {"*": alone, **dict.fromkeys(sorted(_integrations(services, request)), alone)}
    execution_id = await services.engine.start(msgspec.structs.replace(request, task_to_domain=domains))
    for _ in range(TEST_STEPS_MAX):
        x = await services.engine.read(execution_id)
        if x.head.status.is_terminal:
            break
        if await _mock_one(services, x, mocks):
            continue
        x = await services.engine.read(execution_id)
        if not _may_go_on_alone(x, mocks) or (await services.engine.until_blocked(execution_id, (), TEST_IDLE_S)).timed_out:
            break
    return json_response(encode(workflow_view(await services.engine.read(execution_id), services.now())))


def _integrations(services: Services, request: requests.StartRequest) -> set[str]:
    """The types of integrations that the definition names."""
    raw = request.definition or services.catalog.workflow(request.name or "", request.version or None) or {}
    return {node.type for node in Definition(raw, "").walk() if node.type in INTEGRATIONS}


async def _mock_one(services: Services, x: Execution, mocks: _Mocks) -> bool:
    """Report one open task from its mocks, here or in a child; whether there was one."""
    for task in x.ordered():
        if task.status.is_terminal:
            continue
        if task.type == "SUB_WORKFLOW" and task.ref in mocks.children and task.sub_execution_id:
            child = await services.engine.read(task.sub_execution_id)
            if await _mock_one(services, child, mocks.children[task.ref]):
                return True
            continue
        mock = mocks.next(task)
        if mock is not None:
            status, output = mock.get("status") or "COMPLETED", mock.get("output") or {}
            if status not in requests.REPORTABLE or not isinstance(output, dict):
                raise Invalid(f"taskRefToMockOutput.{task.ref} is {mock!r}; expected a status of {', '.join(requests.REPORTABLE)} and an object as output")
            await services.engine.report(TaskResult(execution_id=x.head.id, task_id=task.id, status=TaskStatus(status), output=output, worker="test"))
            return True
    return False


def _may_go_on_alone(x: Execution, mocks: _Mocks) -> bool:
    """Whether something of the server's own (a timer, a child, an HTTP call) may still move it, and nothing waits for a mock."""
    waiting = [t for t in x.tasks.values() if not t.status.is_terminal]
    return all(t.type in OPERATORS or t.type == "HTTP" for t in waiting) and any(t.type in ("HTTP", "SUB_WORKFLOW") or t.wait_until for t in waiting)
