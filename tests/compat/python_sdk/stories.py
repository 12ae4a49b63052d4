"""
What a user of the official Python SDK does, told as stories: `story_*` functions that assert on what comes back.

The interpreter that runs this holds one version of `conductor-python` and nothing of Batuta. `python stories.py URL` plays every story against the
server at that URL (…/api), with the SDK's own TaskHandler and its processes, and prints one JSON line for each: its name, whether it held, what was
wrong. test_client_python.py reads these lines. More stories: resources.py.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import resources
import workers
from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.configuration.settings.authentication_settings import AuthenticationSettings
from conductor.client.http.api.event_resource_api import EventResourceApi
from conductor.client.http.api_client import ApiClient
from conductor.client.http.models.event_handler import EventHandler
from conductor.client.http.models.rerun_workflow_request import RerunWorkflowRequest
from conductor.client.http.models.save_schedule_request import SaveScheduleRequest
from conductor.client.http.models.schema_def import SchemaDef, SchemaType
from conductor.client.http.models.skip_task_request import SkipTaskRequest
from conductor.client.http.models.start_workflow_request import IdempotencyStrategy, StartWorkflowRequest
from conductor.client.http.models.task_def import TaskDef
from conductor.client.http.models.task_result import TaskResult
from conductor.client.http.models.workflow import Workflow
from conductor.client.http.models.workflow_def import WorkflowDef
from conductor.client.http.models.workflow_task import WorkflowTask
from conductor.client.http.models.workflow_test_request import WorkflowTestRequest
from conductor.client.orkes.models.metadata_tag import MetadataTag
from conductor.client.orkes_clients import OrkesClients
from conductor.client.workflow.conductor_workflow import ConductorWorkflow
from conductor.client.workflow.task.do_while_task import LoopTask
from conductor.client.workflow.task.dynamic_fork_task import DynamicForkTask
from conductor.client.workflow.task.human_task import HumanTask
from conductor.client.workflow.task.inline import InlineTask
from conductor.client.workflow.task.join_task import JoinTask
from conductor.client.workflow.task.json_jq_task import JsonJQTask
from conductor.client.workflow.task.set_variable_task import SetVariableTask
from conductor.client.workflow.task.simple_task import SimpleTask
from conductor.client.workflow.task.sub_workflow_task import SubWorkflowTask
from conductor.client.workflow.task.switch_task import SwitchTask
from conductor.client.workflow.task.wait_task import WaitForDurationTask, WaitTask
from telling import NotHere, equal, field, refused

END_S = 30.0
OWNER = "sdk@example.com"
T = TypeVar("T")


class Sdk:
    """The SDK's clients for one server."""

    def __init__(self, url: str) -> None:
        self.configuration = Configuration(server_api_url=url)
        clients = OrkesClients(self.configuration)
        self.workflows = clients.get_workflow_client()
        self.tasks = clients.get_task_client()
        self.metadata = clients.get_metadata_client()
        self.scheduler = clients.get_scheduler_client()
        self.secrets = clients.get_secret_client()
        self.schemas = clients.get_schema_client()
        self.executor = clients.get_workflow_executor()
        self.events = EventResourceApi(ApiClient(self.configuration))

    def task(self, name: str, **fields: Any) -> TaskDef:
        """A task definition that is registered now: no waiting between attempts."""
        made = TaskDef(
            name=name, **{"retry_count": 2, "retry_delay_seconds": 0, "timeout_seconds": 60, "response_timeout_seconds": 30, "owner_email": OWNER, **fields}
        )
        self.metadata.register_task_def(made)
        return made

    def flow(self, name: str, *tasks: Any, version: int = 1) -> ConductorWorkflow:
        """A workflow put together with the SDK's builder, not registered yet."""
        made = ConductorWorkflow(executor=self.executor, name=name, version=version).owner_email(OWNER)
        for task in tasks:
            made >> task
        return made

    def start(self, name: str, given: dict[str, Any] | None = None, **fields: Any) -> str:
        return self.workflows.start_workflow(StartWorkflowRequest(name=name, version=1, input=given or {}, **fields))

    def ended(self, execution_id: str) -> Workflow:
        """The execution as soon as it has ended."""
        return until(lambda: self.workflows.get_workflow(execution_id), lambda w: w.status not in ("RUNNING", "PAUSED"))

    def scheduled(self, execution_id: str, ref: str) -> Any:
        """The task of this reference as soon as it is open."""
        return until(lambda: by_ref(self.workflows.get_workflow(execution_id)).get(ref), lambda t: t is not None and t.status in ("SCHEDULED", "IN_PROGRESS"))


def until(look: Callable[[], T], accept: Callable[[T], bool]) -> T:
    """What *look* finds as soon as it is acceptable."""
    end = time.monotonic() + END_S
    while not accept(found := look()):
        assert time.monotonic() < end, f"still {found} after {END_S} s"
        time.sleep(0.02)
    return found


def by_ref(execution: Workflow) -> dict[str, Any]:
    """Its tasks, the last attempt of each, by reference."""
    return {task.reference_task_name: task for task in execution.tasks}


# -- definitions ------------------------------------------------------------------------------------------------------------------


def story_definitions_come_back_as_they_went_in(sdk: Sdk) -> None:
    sdk.task("py_defined", description="as it was", retry_logic="EXPONENTIAL_BACKOFF", timeout_policy="TIME_OUT_WF", input_template={"a": {"b": [1, None]}})
    found = sdk.metadata.get_task_def("py_defined")
    equal(
        (found.name, found.retry_logic, found.timeout_policy, found.input_template),
        ("py_defined", "EXPONENTIAL_BACKOFF", "TIME_OUT_WF", {"a": {"b": [1, None]}}),
    )
    found.description = "as it is"
    sdk.metadata.update_task_def(found)
    equal([t.description for t in sdk.metadata.get_all_task_defs() if t.name == "py_defined"], ["as it is"])

    by_hand = WorkflowDef(
        name="py_defined_flow", version=1, schema_version=2, owner_email=OWNER, timeout_seconds=60, timeout_policy="TIME_OUT_WF",
        output_parameters={"x": "${one.output}"},
        tasks=[WorkflowTask(name="py_defined", task_reference_name="one", type="SIMPLE", input_parameters={"n": "${workflow.input.n}"})],
    )  # fmt: skip
    sdk.metadata.register_workflow_def(by_hand, overwrite=True)
    by_hand.version = 2
    sdk.metadata.update_workflow_def(by_hand)
    latest = sdk.metadata.get_workflow_def("py_defined_flow")
    equal((latest.version, latest.tasks[0].input_parameters, latest.output_parameters), (2, {"n": "${workflow.input.n}"}, {"x": "${one.output}"}))
    equal(sdk.metadata.get_workflow_def("py_defined_flow", version=1).version, 1)
    equal(sorted(w.version for w in sdk.metadata.get_all_workflow_defs() if w.name == "py_defined_flow"), [1, 2])

    sdk.metadata.unregister_workflow_def("py_defined_flow", 2)
    equal(sdk.metadata.get_workflow_def("py_defined_flow").version, 1)
    sdk.metadata.unregister_workflow_def("py_defined_flow", 1)
    sdk.metadata.unregister_task_def("py_defined")
    refused(404, "py_defined_flow", lambda: sdk.metadata.get_workflow_def("py_defined_flow"))
    refused(404, "py_defined", lambda: sdk.metadata.get_task_def("py_defined"))


def story_what_is_wrong_is_told(sdk: Sdk) -> None:
    refused(404, "No such workflow", lambda: sdk.start("py_no_such_flow"))
    refused(404, "no-such-id", lambda: sdk.workflows.get_workflow("no-such-id"))
    refused(400, "", lambda: sdk.metadata.register_workflow_def(WorkflowDef(name="py_empty", version=1, tasks=[], owner_email=OWNER)))
    sdk.task("py_twice")
    sdk.flow("py_twice_flow", SimpleTask("py_twice", "one")).register(overwrite=True)
    again = sdk.metadata.get_workflow_def("py_twice_flow")
    refused(409, "already exists", lambda: sdk.metadata.register_workflow_def(again, overwrite=False))


# -- running ----------------------------------------------------------------------------------------------------------------------


def story_workers_take_what_they_are_given(sdk: Sdk) -> None:
    greeting = SimpleTask("py_greet", "greeting").input_parameter("name", "${workflow.input.name}").input_parameter("times", 2)
    packing = SimpleTask("py_pack", "packing").input_parameter("label", "${greeting.output.result}").input_parameter("grams", "${workflow.input.grams}")
    flow = sdk.flow("py_row", greeting, packing).output_parameters({"said": "${greeting.output.result}", "parcel": "${packing.output}"})
    flow.register(overwrite=True)
    ended = sdk.ended(sdk.start("py_row", {"name": "Ada", "grams": 5}))
    equal(ended.status, "COMPLETED")
    equal(ended.output, {"said": "Hello, Ada!Hello, Ada!", "parcel": {"label": "HELLO, ADA!HELLO, ADA!", "grams": 15}})
    assert ended.workflow_name == "py_row" and ended.start_time > 0 and ended.end_time >= ended.start_time, ended
    equal([(t.status, t.poll_count, t.retry_count) for t in ended.tasks], [("COMPLETED", 1, 0)] * 2)


def story_the_builder_builds_what_runs(sdk: Sdk) -> None:
    sdk.flow("py_child", SimpleTask("py_greet", "hello").input_parameter("name", "${workflow.input.name}")).output_parameters(
        {"said": "${hello.output.result}"}
    ).register(True)
    left, right = (SimpleTask("py_greet", ref).input_parameter("name", ref) for ref in ("left", "right"))
    choice = (
        SwitchTask("choice", "${workflow.input.kind}")
        .switch_case("big", SetVariableTask("big").input_parameter("size", 100))
        .default_case([SetVariableTask("small").input_parameter("size", 1)])
    )
    sums = InlineTask("sums", "(function () { return $.a + $.b; })()", {"a": "${workflow.variables.size}", "b": 2})
    names = JsonJQTask("names", "[.people[].name]").input_parameter("people", "${workflow.input.people}")
    child = SubWorkflowTask("child", "py_child", version=1).input_parameter("name", "child")
    loop = LoopTask("loop", 3, [SimpleTask("py_greet", "turn").input_parameter("name", "${loop.output.iteration}")])
    flow = sdk.flow("py_blocks", [[left], [right]], choice, sums, names, child, loop)
    flow.output_parameters(
        {
            "left": "${left.output.result}",
            "right": "${right.output.result}",
            "sum": "${sums.output.result}",
            "names": "${names.output.result}",
            "child": "${child.output.said}",
        }
    )
    run = flow.execute({"kind": "big", "people": [{"name": "Eva"}, {"name": "Jan"}]}, wait_for_seconds=20)
    equal(run.status, "COMPLETED")
    equal(run.output, {"left": "Hello, left!", "right": "Hello, right!", "sum": 102, "names": ["Eva", "Jan"], "child": "Hello, child!"})
    ended = sdk.workflows.get_workflow(run.workflow_id)
    equal(by_ref(ended)["loop"].output_data["iteration"], 3)
    equal([t.reference_task_name for t in ended.tasks if t.reference_task_name.startswith("turn")], ["turn__1", "turn__2", "turn__3"])
    equal(by_ref(ended)["turn__3"].iteration, 3)
    equal(ended.variables, {"size": 100})
    parent = sdk.workflows.get_workflow(by_ref(ended)["child"].sub_workflow_id)
    equal((parent.parent_workflow_id, parent.status), (ended.workflow_id, "COMPLETED"))


def story_branches_made_at_run_time(sdk: Sdk) -> None:
    fork = DynamicForkTask("fork", "branches", "inputs", JoinTask("gather")).input_parameter("branches", "${workflow.input.branches}")
    flow = sdk.flow("py_many", fork.input_parameter("inputs", "${workflow.input.inputs}")).to_workflow_def()
    legacy = WorkflowTask.attribute_map["dynamic_fork_join_tasks_param"] == "dynamicForkJoinTasksParam" and flow.tasks[0].dynamic_fork_join_tasks_param
    if legacy:  # after 1.1 and before 2.0 the builder names a field that does not go with the other one; Conductor refuses it as well
        refused(400, "", lambda: sdk.metadata.register_workflow_def(flow, overwrite=True))
        flow.tasks[0].dynamic_fork_tasks_param, flow.tasks[0].dynamic_fork_join_tasks_param = "branches", None
    sdk.metadata.register_workflow_def(flow, overwrite=True)
    branches = [{"name": "py_greet", "taskReferenceName": f"g{n}", "type": "SIMPLE"} for n in range(5)]
    ended = sdk.ended(sdk.start("py_many", {"branches": branches, "inputs": {f"g{n}": {"name": str(n)} for n in range(5)}}))
    equal(ended.status, "COMPLETED")
    said = {f"g{n}": {"result": f"Hello, {n}!"} for n in range(5)}
    equal({ref: task.output_data for ref, task in by_ref(ended).items() if ref in said}, said)
    equal(by_ref(ended)["gather"].output_data, said)


def story_a_failure_is_tried_again(sdk: Sdk) -> None:
    sdk.flow(
        "py_failing",
        SimpleTask("py_flaky", "try").input_parameter("failures", "${workflow.input.failures}").input_parameter("for_good", "${workflow.input.for_good}"),
    ).register(True)
    ended = sdk.ended(sdk.start("py_failing", {"failures": 2}))
    equal(ended.status, "COMPLETED")
    equal([(t.status, t.retry_count, t.retried) for t in ended.tasks], [("FAILED", 0, True), ("FAILED", 1, True), ("COMPLETED", 2, False)])
    equal((ended.tasks[0].reason_for_incompletion, ended.tasks[2].output_data, ended.tasks[2].worker_id), ("attempt 0 failed", {"attempt": 2}, "flaky-worker"))
    assert "RuntimeError" in sdk.tasks.get_task_logs(ended.tasks[0].task_id)[0].log
    equal([line.log for line in sdk.tasks.get_task_logs(ended.tasks[2].task_id)], ["it worked"])


def story_a_failure_for_good_is_not(sdk: Sdk) -> None:
    ended = sdk.ended(sdk.start("py_failing", {"for_good": True, "failures": 0}))
    equal((ended.status, [t.status for t in ended.tasks]), ("FAILED", ["FAILED_WITH_TERMINAL_ERROR"]))
    equal((ended.tasks[0].reason_for_incompletion, list(ended.failed_reference_task_names)), ("no use in trying again", ["try"]))
    assert ended.reason_for_incompletion.endswith("failed with status: FAILED and reason: 'no use in trying again'"), ended.reason_for_incompletion


def story_what_failed_is_retried_restarted_and_rerun(sdk: Sdk) -> None:
    execution_id = sdk.start("py_failing", {"failures": 3})
    equal(sdk.ended(execution_id).status, "FAILED")
    sdk.workflows.retry_workflow(execution_id)
    ended = sdk.ended(execution_id)
    equal((ended.status, ended.tasks[-1].retry_count, ended.tasks[-1].output_data), ("COMPLETED", 3, {"attempt": 3}))
    sdk.workflows.restart_workflow(execution_id)
    ended = sdk.ended(execution_id)
    equal((ended.status, [t.retry_count for t in ended.tasks]), ("FAILED", [0, 1, 2]))
    rerun = RerunWorkflowRequest(re_run_from_task_id=ended.tasks[-1].task_id, task_input={"failures": 0})
    equal(sdk.workflows.rerun_workflow(execution_id, rerun), execution_id)
    equal(sdk.ended(execution_id).status, "COMPLETED")


def story_a_long_task_is_called_again(sdk: Sdk) -> None:
    sdk.flow("py_long", SimpleTask("py_patient", "wait")).register(True)
    began = time.monotonic()
    ended = sdk.ended(sdk.start("py_long"))
    [task] = ended.tasks
    equal((ended.status, task.status, task.poll_count, task.output_data, task.worker_id), ("COMPLETED", "COMPLETED", 3, {"polls": 3}, "patient-worker"))
    assert time.monotonic() - began >= 1.0, "the callback of one second was not kept"


def story_a_worker_speaks_through_its_context(sdk: Sdk) -> None:
    if workers.get_task_context is None:
        raise NotHere("the SDK has no task context before 1.2")
    until(lambda: [t for t in sdk.metadata.get_all_task_defs() if t.name == "py_context"], bool)  # the worker registers its own definition
    sdk.flow("py_spoken", SimpleTask("py_context", "speak").input_parameter("steps", 3)).register(True)
    ended = sdk.ended(sdk.start("py_spoken"))
    [task] = ended.tasks
    equal((ended.status, task.output_data), ("COMPLETED", {"polls": 3, "workflow": ended.workflow_id}))
    equal([line.log for line in sdk.tasks.get_task_logs(task.task_id)], ["poll 1", "poll 2", "poll 3"])


def story_a_domain_has_its_own_workers(sdk: Sdk) -> None:
    sdk.flow("py_domains", SimpleTask("py_greet", "g").input_parameter("name", "Bo")).register(True)
    ended = sdk.ended(sdk.start("py_domains", task_to_domain={"py_greet": "night"}))
    equal((ended.tasks[0].output_data, ended.tasks[0].domain, ended.task_to_domain), ({"result": "Good night, Bo."}, "night", {"py_greet": "night"}))


# -- starting and finding ---------------------------------------------------------------------------------------------------------


def story_a_start_says_more_than_a_name(sdk: Sdk) -> None:
    sdk.flow("py_held", WaitTask("hold")).register(True)
    first = sdk.start("py_held", {"n": 1}, correlation_id="order-1", priority=7)
    second = sdk.workflows.start_workflow_by_name("py_held", {"n": 2}, version=1, correlationId="order-1", priority=8)
    third = sdk.start("py_held", {"n": 3}, correlation_id="order-2", created_by="ada")
    found = sdk.workflows.get_workflow(first)
    equal((found.correlation_id, found.priority, found.input, found.status), ("order-1", 7, {"n": 1}, "RUNNING"))
    equal((sdk.workflows.get_workflow(second).priority, sdk.workflows.get_workflow(third).created_by), (8, "ada"))
    correlated = sdk.workflows.get_by_correlation_ids("py_held", ["order-1", "order-2", "order-3"], include_tasks=True)
    equal({key: sorted(field(w, "workflow_id") for w in value) for key, value in correlated.items()},
          {"order-1": sorted([first, second]), "order-2": [third], "order-3": []})  # fmt: skip
    for execution_id in (first, second, third):
        sdk.workflows.terminate_workflow(execution_id, reason="told enough")
    equal(sdk.workflows.get_workflow(first, include_tasks=False).reason_for_incompletion, "told enough")
    status = sdk.workflows.get_workflow_status(first, include_output=True, include_variables=True)
    equal((status.status, status.workflow_id, status.correlation_id), ("TERMINATED", first, "order-1"))


def story_a_start_with_a_key_starts_once(sdk: Sdk) -> None:
    sdk.flow("py_once", WaitTask("hold")).register(True)
    ids = [sdk.start("py_once", {"n": n}, idempotency_key="k1", idempotency_strategy=IdempotencyStrategy.RETURN_EXISTING) for n in range(2)]
    equal((sdk.workflows.get_workflow(ids[0]).status, ids[1]), ("RUNNING", ids[0]))
    refused(409, "", lambda: sdk.start("py_once", idempotency_key="k1", idempotency_strategy=IdempotencyStrategy.FAIL))


def story_an_execution_is_found_by_search(sdk: Sdk) -> None:
    sdk.flow("py_sought", WaitTask("hold")).register(True)
    execution_id = sdk.start("py_sought", correlation_id="sought")
    found = sdk.workflows.search(query="workflowType = 'py_sought' AND status IN (RUNNING)", size=5).results
    equal([(w.workflow_id, w.status, w.correlation_id, w.workflow_type) for w in found], [(execution_id, "RUNNING", "sought", "py_sought")])
    equal(sdk.workflows.search(query="workflowType = 'py_never'").results, [])
    sdk.workflows.terminate_workflow(execution_id)
    sdk.workflows.delete_workflow(execution_id)
    refused(404, execution_id, lambda: sdk.workflows.get_workflow(execution_id))


def story_execute_answers_when_it_is_done(sdk: Sdk) -> None:
    sdk.flow("py_sync", SimpleTask("py_greet", "g").input_parameter("name", "Cy"), WaitTask("hold")).register(True)
    run = sdk.workflows.execute_workflow(
        StartWorkflowRequest(name="py_sync", version=1, input={}), request_id="r1", wait_until_task_ref="g", wait_for_seconds=10
    )
    equal((run.status, by_ref(run)["g"].output_data), ("RUNNING", {"result": "Hello, Cy!"}))
    if hasattr(sdk.workflows, "execute_workflow_with_return_strategy"):
        request = StartWorkflowRequest(name="py_sync", version=1, input={})
        blocked = sdk.workflows.execute_workflow_with_return_strategy(request, wait_for_seconds=10, return_strategy="BLOCKING_TASK")
        equal((blocked.response_type, blocked.reference_task_name, blocked.target_workflow_status), ("BLOCKING_TASK", "hold", "RUNNING"))


def story_a_definition_is_tried_with_mocks(sdk: Sdk) -> None:
    flow = sdk.flow("py_mocked", SimpleTask("py_nobody_does_it", "one"), SimpleTask("py_nobody_does_it", "two").input_parameter("n", "${one.output.n}"))
    sdk.task("py_nobody_does_it")
    mocks = {"one": [{"status": "COMPLETED", "output": {"n": 1}}], "two": [{"status": "FAILED", "output": {}}, {"status": "COMPLETED", "output": {"m": 2}}]}
    request = WorkflowTestRequest(name="py_mocked", version=1, input={}, workflow_def=flow.to_workflow_def(), task_ref_to_mock_output=mocks)
    tried = sdk.workflows.test_workflow(request)
    equal((tried.status, [t.status for t in tried.tasks], by_ref(tried)["two"].input_data), ("COMPLETED", ["COMPLETED", "FAILED", "COMPLETED"], {"n": 1}))


# -- steering and tasks by hand ---------------------------------------------------------------------------------------------------


def story_an_execution_is_steered(sdk: Sdk) -> None:
    sdk.flow(
        "py_steered",
        WaitTask("first"),
        SimpleTask("py_greet", "second").input_parameter("name", "Di"),
        SimpleTask("py_greet", "third").input_parameter("name", "Ed"),
    ).register(True)
    execution_id = sdk.start("py_steered")
    sdk.workflows.pause_workflow(execution_id)
    equal(sdk.workflows.get_workflow(execution_id).status, "PAUSED")
    sdk.tasks.update_task_by_ref_name(execution_id, "first", "COMPLETED", {"by": "hand"})
    equal([t.reference_task_name for t in sdk.workflows.get_workflow(execution_id).tasks], ["first"])
    sdk.workflows.resume_workflow(execution_id)
    ended = sdk.ended(execution_id)
    equal((ended.status, [t.status for t in ended.tasks]), ("COMPLETED", ["COMPLETED"] * 3))
    equal(by_ref(ended)["first"].output_data, {"result": {"by": "hand"}})
    refused(409, "", lambda: sdk.workflows.terminate_workflow(execution_id))


def story_a_task_is_skipped(sdk: Sdk) -> None:
    sdk.flow("py_skipping", WaitTask("first"), SimpleTask("py_nobody_takes_it", "second")).register(True)
    sdk.task("py_nobody_takes_it")
    execution_id = sdk.start("py_skipping")
    sdk.workflows.skip_task_from_workflow(execution_id, "second", SkipTaskRequest(task_input={"a": 1}, task_output={"b": 2}))
    answered = sdk.tasks.update_task_sync(execution_id, "first", "COMPLETED", {"c": 3})
    equal((answered.status, by_ref(answered)["second"].status, by_ref(answered)["second"].output_data), ("COMPLETED", "SKIPPED", {"b": 2}))


def story_tasks_are_done_by_hand(sdk: Sdk) -> None:
    sdk.task("py_by_hand")
    sdk.flow("py_hand", SimpleTask("py_by_hand", "one"), SimpleTask("py_by_hand", "two")).register(True)
    ids = [sdk.start("py_hand", priority=n) for n in range(3)]
    equal(sdk.tasks.get_queue_size_for_task("py_by_hand"), 3)
    first = sdk.tasks.poll_task("py_by_hand", worker_id="hand")
    equal((first.workflow_instance_id in ids, first.status, first.worker_id, first.workflow_type), (True, "IN_PROGRESS", "hand", "py_hand"))
    batch = sdk.tasks.batch_poll_tasks("py_by_hand", worker_id="hand", count=10, timeout_in_millisecond=200)
    equal(len(batch), 2)
    equal(sdk.tasks.batch_poll_tasks("py_by_hand", worker_id="hand", count=1, timeout_in_millisecond=10), [])
    sdk.tasks.add_task_log(first.task_id, "half way")
    sdk.tasks.update_task(
        TaskResult(workflow_instance_id=first.workflow_instance_id, task_id=first.task_id, status="COMPLETED", worker_id="hand", output_data={"n": [1, None]})
    )
    done = sdk.tasks.get_task(first.task_id)
    equal((done.status, done.output_data), ("COMPLETED", {"n": [1, None]}))
    assert "half way" in sdk.tasks.get_task_logs(first.task_id)[0].log
    sdk.scheduled(first.workflow_instance_id, "two")
    [seen] = sdk.tasks.get_task_poll_data("py_by_hand")
    equal((seen.queue_name, seen.worker_id), ("py_by_hand", "hand"))
    for execution_id in ids:
        sdk.workflows.terminate_workflow(execution_id)
    equal(sdk.tasks.get_queue_size_for_task("py_by_hand"), 0)
    nothing = sdk.tasks.poll_task("py_by_hand", worker_id="hand")
    assert nothing is None or nothing.task_id is None, nothing


def story_waits_end_by_time_and_by_hand(sdk: Sdk) -> None:
    sdk.flow("py_waits", WaitForDurationTask("nap", 1), HumanTask("person", display_name="Sign here")).register(True)
    execution_id = sdk.start("py_waits")
    sdk.scheduled(execution_id, "person")
    answered = sdk.tasks.update_task_sync(execution_id, "person", "COMPLETED", {"signed": True})
    equal((answered.status, by_ref(answered)["person"].output_data["signed"]), ("COMPLETED", True))


# -- beside workflows and tasks ---------------------------------------------------------------------------------------------------


def story_schedules_start_executions(sdk: Sdk) -> None:
    sdk.flow("py_timed", SetVariableTask("v").input_parameter("x", 1)).register(True)
    start = StartWorkflowRequest(name="py_timed", version=1, input={"by": "clock"}, correlation_id="timed")
    sdk.scheduler.save_schedule(SaveScheduleRequest(name="py_schedule", cron_expression="* * * * * *", start_workflow_request=start, paused=False))
    saved = sdk.scheduler.get_schedule("py_schedule")
    equal((field(saved, "name"), field(saved, "cron_expression")), ("py_schedule", "* * * * * *"))
    equal(field(field(saved, "start_workflow_request"), "name"), "py_timed")
    equal([s.name for s in sdk.scheduler.get_all_schedules("py_timed")], ["py_schedule"])
    until(lambda: sdk.workflows.search(query="workflowType = 'py_timed'").results, bool)
    sdk.scheduler.pause_schedule("py_schedule")
    equal(field(sdk.scheduler.get_schedule("py_schedule"), "paused"), True)
    sdk.scheduler.resume_schedule("py_schedule")
    equal(field(sdk.scheduler.get_schedule("py_schedule"), "paused"), False)
    times = sdk.scheduler.get_next_few_schedule_execution_times("0 0 12 * * *", limit=3)
    equal([b - a for a, b in itertools.pairwise(times)], [86_400_000] * 2)
    sdk.scheduler.delete_schedule("py_schedule")
    equal([s.name for s in sdk.scheduler.get_all_schedules("py_timed")], [])


def story_event_handlers_are_kept(sdk: Sdk) -> None:
    action = {"action": "start_workflow", "start_workflow": {"name": "py_row", "input": {"name": "${name}"}}}
    sdk.events.add_event_handler(EventHandler(name="py_handler", event="conductor:py_row:sink", active=True, actions=[action], condition="true"))
    [kept] = sdk.events.get_event_handlers_for_event("conductor:py_row:sink")
    equal(field(kept, "name"), "py_handler")
    sdk.events.remove_event_handler_status("py_handler")
    equal(sdk.events.get_event_handlers_for_event("conductor:py_row:sink"), [])


def story_schemas_are_kept_and_enforced(sdk: Sdk) -> None:
    data = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    sdk.schemas.register_schema(SchemaDef(name="py_numbered", version=1, type=SchemaType.JSON, data=data))
    kept = sdk.schemas.get_schema("py_numbered", 1)
    equal((field(kept, "name"), field(kept, "version"), field(kept, "data")), ("py_numbered", 1, data))
    equal([field(schema, "name") for schema in sdk.schemas.get_all_schemas()], ["py_numbered"])
    made = sdk.flow("py_contract", SetVariableTask("v").input_parameter("x", 1)).to_workflow_def()
    made.input_schema, made.enforce_schema = SchemaDef(name="py_numbered", version=1), True
    sdk.metadata.register_workflow_def(made, True)
    refused(400, "input does not fit schema 'py_numbered' version 1", lambda: sdk.start("py_contract", {"n": "one"}))
    equal(sdk.ended(sdk.start("py_contract", {"n": 1})).status, "COMPLETED")
    sdk.schemas.delete_schema("py_numbered", 1)
    equal(list(sdk.schemas.get_all_schemas()), [])


def story_secrets_are_set_used_and_not_told(sdk: Sdk) -> None:
    equal(sdk.secrets.secret_exists("py_name"), False)
    sdk.secrets.put_secret("py_name", "Ada Lovelace, 1815")
    equal((sdk.secrets.secret_exists("py_name"), list(sdk.secrets.list_all_secret_names())), (True, ["py_name"]))
    refused(403, "tells no values", lambda: sdk.secrets.get_secret("py_name"))
    tag = MetadataTag("team", "a")
    sdk.secrets.set_secret_tags([tag], "py_name")
    equal([field(found, "key") for found in sdk.secrets.get_secret_tags("py_name")], ["team"])
    sdk.secrets.delete_secret_tags([tag], "py_name")
    equal(sdk.secrets.get_secret_tags("py_name"), [])
    sdk.flow("py_secret", SimpleTask("py_greet", "hello").input_parameter("name", "${workflow.secrets.py_name}")).register(overwrite=True)
    task = by_ref(sdk.ended(sdk.start("py_secret")))["hello"]
    equal((task.input_data["name"], task.output_data), ("${workflow.secrets.py_name}", {"result": "Hello, ${workflow.secrets.py_name}!"}))
    sdk.secrets.delete_secret("py_name")
    equal(sdk.secrets.secret_exists("py_name"), False)


def story_credentials_are_offered_and_not_needed(sdk: Sdk) -> None:
    configuration = Configuration(server_api_url=sdk.configuration.host, authentication_settings=AuthenticationSettings(key_id="key", key_secret="secret"))
    tasks = OrkesClients(configuration).get_task_client()
    equal(tasks.batch_poll_tasks("py_never_queued", worker_id="w", count=1, timeout_in_millisecond=1), [])


STORIES = {name: story for name, story in (globals() | vars(resources)).items() if name.startswith("story_")}


def play(url: str) -> None:
    """Every story, one JSON line each."""
    sdk = Sdk(url)
    for name in ("py_greet", "py_pack", "py_flaky", "py_patient"):
        sdk.task(name)
    handler = TaskHandler(workers=[workers.Patient()], configuration=sdk.configuration, scan_for_annotated_workers=True)
    handler.start_processes()
    try:
        for name, story in STORIES.items():
            began = time.monotonic()
            said: dict[str, Any] = {"story": name, "wrong": None, "missing": None}
            try:
                story(sdk)
            except NotHere as missing:
                said["missing"] = str(missing)
            except Exception:
                said["wrong"] = traceback.format_exc()
            print(json.dumps({**said, "took_s": round(time.monotonic() - began, 2)}), flush=True)
    finally:
        handler.stop_processes()


if __name__ == "__main__":
    play(sys.argv[1])
