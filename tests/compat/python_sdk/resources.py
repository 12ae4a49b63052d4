"""
The part of the SDK that its friendly clients do not reach: one class for each of Conductor's resources, generated from its API.

More stories for stories.py, which plays them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor.client.http.api.event_resource_api import EventResourceApi
from conductor.client.http.api.scheduler_resource_api import SchedulerResourceApi
from conductor.client.http.api.task_resource_api import TaskResourceApi
from conductor.client.http.api.workflow_bulk_resource_api import WorkflowBulkResourceApi
from conductor.client.http.api.workflow_resource_api import WorkflowResourceApi
from conductor.client.http.api_client import ApiClient
from conductor.client.http.models.correlation_ids_search_request import CorrelationIdsSearchRequest
from conductor.client.http.models.event_handler import EventHandler
from conductor.client.http.models.save_schedule_request import SaveScheduleRequest
from conductor.client.http.models.start_workflow_request import StartWorkflowRequest
from conductor.client.http.models.task_result import TaskResult
from conductor.client.http.models.workflow_state_update import WorkflowStateUpdate
from conductor.client.orkes.models.metadata_tag import MetadataTag
from conductor.client.workflow.task.simple_task import SimpleTask
from conductor.client.workflow.task.wait_task import WaitTask
from telling import NotHere, equal, field, refused

if TYPE_CHECKING:
    from stories import Sdk


def resource(sdk: Sdk, kind: type[Any]) -> Any:
    return kind(ApiClient(sdk.configuration))


def method(holder: Any, name: str) -> Any:
    """The method of this name; the story is skipped where this version has none."""
    if not hasattr(holder, name):
        raise NotHere(f"this version has no {type(holder).__name__}.{name}")
    return getattr(holder, name)


def waiting(sdk: Sdk, name: str, *tasks: Any) -> str:
    """An execution that waits for a worker or a hand that never comes."""
    sdk.flow(name, *(tasks or (SimpleTask(f"{name}_work", "work"),))).register(True)
    return sdk.start(name, {"n": 1}, correlation_id=f"{name}_1")


def story_many_executions_are_steered_at_once(sdk: Sdk) -> None:
    bulk, ids = resource(sdk, WorkflowBulkResourceApi), [waiting(sdk, "py_bulk"), waiting(sdk, "py_bulk")]

    def done(answer: Any, *, missing: int = 0) -> None:
        equal((sorted(field(answer, "bulk_successful_results")), len(field(answer, "bulk_error_results"))), (sorted(ids), missing))

    done(bulk.pause_workflow([*ids, "nobody"]), missing=1)
    equal({sdk.workflows.get_workflow(i).status for i in ids}, {"PAUSED"})
    done(bulk.resume_workflow(ids))
    done(bulk.terminate(ids, reason="enough"))
    equal({sdk.workflows.get_workflow(i).reason_for_incompletion for i in ids}, {"enough"})
    done(bulk.restart(ids))
    done(bulk.terminate(ids))
    done(bulk.retry(ids))
    equal({sdk.workflows.get_workflow(i).status for i in ids}, {"RUNNING"})
    done(bulk.terminate(ids))


def story_an_execution_is_looked_at_from_every_side(sdk: Sdk) -> None:
    workflows, execution_id = resource(sdk, WorkflowResourceApi), waiting(sdk, "py_sides")
    equal(workflows.get_running_workflow("py_sides"), [execution_id])
    equal([field(w, "workflow_id") for w in workflows.get_workflows2("py_sides", "py_sides_1")], [execution_id])
    equal([field(w, "workflow_id") for w in workflows.get_workflows(["py_sides_1"], "py_sides")["py_sides_1"]], [execution_id])
    equal(field(workflows.get_workflow_status_summary(execution_id), "status"), "RUNNING")
    workflows.decide(execution_id)
    workflows.reset_workflow(execution_id)
    equal(sdk.workflows.get_workflow(execution_id).status, "RUNNING")
    sdk.workflows.terminate_workflow(execution_id)
    equal(workflows.get_running_workflow("py_sides"), [])


def story_queues_are_watched(sdk: Sdk) -> None:
    tasks, execution_id = resource(sdk, TaskResourceApi), waiting(sdk, "py_watched")
    equal((tasks.all()["py_watched_work"], tasks.size(task_type=["py_watched_work"])["py_watched_work"]), (1, 1))
    equal(tasks.all_verbose()["py_watched_work"]["a"]["size"], 1)
    sdk.tasks.poll_task("py_watched_work", worker_id="eye")
    equal([field(seen, "worker_id") for seen in tasks.get_all_poll_data() if field(seen, "queue_name") == "py_watched_work"], ["eye"])
    equal(str(tasks.requeue_pending_task("py_watched_work")), "1")
    found = tasks.search1(query="taskType = 'py_watched_work'")
    equal((field(found, "total_hits"), [field(task, "workflow_id") for task in field(found, "results")]), (1, [execution_id]))
    equal([field(task, "workflow_instance_id") for task in field(tasks.search_v21(query="taskType = 'py_watched_work'"), "results")], [execution_id])
    sdk.workflows.terminate_workflow(execution_id)


def story_signals_end_waits(sdk: Sdk) -> None:
    tasks = resource(sdk, TaskResourceApi)
    method(tasks, "signal_workflow_task_sync")
    first, second = waiting(sdk, "py_signalled", WaitTask("hold")), waiting(sdk, "py_signalled", WaitTask("hold"))
    tasks.signal_workflow_task_async(first, "COMPLETED", {"go": True})
    equal(sdk.ended(first).status, "COMPLETED")
    answer = tasks.signal_workflow_task_sync(second, "COMPLETED", {"go": True}, return_strategy="TARGET_WORKFLOW")
    equal((field(answer, "workflow_id"), str(field(answer, "status")).rpartition(".")[2]), (second, "COMPLETED"))


def story_messages_are_pushed(sdk: Sdk) -> None:
    send = method(resource(sdk, WorkflowResourceApi), "send_workflow_message")
    execution_id = waiting(sdk, "py_pushed")
    assert send({"n": 1}, execution_id), "the message has an id"
    sdk.workflows.terminate_workflow(execution_id)
    refused(409, "", lambda: send({"n": 2}, execution_id))


def story_all_schedules_are_held_and_let_go(sdk: Sdk) -> None:
    scheduler = resource(sdk, SchedulerResourceApi)
    sdk.flow("py_held", WaitTask("hold")).register(True)
    sdk.scheduler.save_schedule(
        SaveScheduleRequest(name="py_held", cron_expression="0 0 0 1 1 *", start_workflow_request=StartWorkflowRequest(name="py_held", version=1))
    )
    for verb in (scheduler.pause_all_schedules, scheduler.resume_all_schedules, scheduler.requeue_all_execution_records):
        assert verb() is not None
    equal(field(scheduler.search_v21(query="scheduleName IN (py_held)"), "total_hits"), 0)
    tag = MetadataTag("team", "a")
    scheduler.put_tag_for_schedule([tag], "py_held")
    equal([field(found, "key") for found in scheduler.get_tags_for_schedule("py_held")], ["team"])
    scheduler.delete_tag_for_schedule([tag], "py_held")
    equal(scheduler.get_tags_for_schedule("py_held"), [])
    sdk.scheduler.delete_schedule("py_held")


def story_event_handlers_are_changed(sdk: Sdk) -> None:
    events = resource(sdk, EventResourceApi)
    action = {"action": "complete_task", "complete_task": {"workflowId": "${id}", "taskRefName": "hold"}}
    handler = EventHandler(name="py_changed", event="conductor:py_changed:sink", active=True, actions=[action])
    events.add_event_handler(handler)
    handler.active = False
    events.update_event_handler(handler)
    equal([field(found, "active") for found in events.get_event_handlers() if field(found, "name") == "py_changed"], [False])
    equal(events.get_event_handlers_for_event("conductor:py_changed:sink"), [])
    events.remove_event_handler_status("py_changed")


# -- what runs is steered -------------------------------------------------------------------------------------------------------------


def story_variables_and_a_task_are_updated_together(sdk: Sdk) -> None:
    seen = SimpleTask("py_steer_work", "second").input_parameter("v", "${workflow.variables.v}")
    execution_id = waiting(sdk, "py_steer_state", WaitTask("first"), seen)
    sdk.workflows.update_variables(execution_id, {"v": 1, "w": 2})
    equal(sdk.workflows.get_workflow(execution_id).variables, {"v": 1, "w": 2})
    update = WorkflowStateUpdate(
        task_reference_name="first", variables={"v": 3},
        task_result=TaskResult(workflow_instance_id=execution_id, task_id="", status="COMPLETED", output_data={"by": "sdk"}),
    )  # fmt: skip
    run = sdk.workflows.update_state(execution_id, update, ["first"], 5)
    equal((run.status, run.variables), ("RUNNING", {"v": 3, "w": 2}))
    open_ = {task.reference_task_name: task for task in sdk.workflows.get_workflow(execution_id).tasks}
    equal((open_["first"].output_data, open_["second"].input_data), ({"by": "sdk"}, {"v": 3}))


def story_an_execution_jumps(sdk: Sdk) -> None:
    execution_id = waiting(sdk, "py_steer_jump", WaitTask("first"), SimpleTask("py_steer_work", "second"), SimpleTask("py_steer_work", "third"))
    resource(sdk, WorkflowResourceApi).jump_to_task({"given": 1}, execution_id, task_reference_name="third")
    found = {task.reference_task_name: task for task in sdk.workflows.get_workflow(execution_id).tasks}
    equal({ref: task.status for ref, task in found.items()}, {"first": "SKIPPED", "second": "SKIPPED", "third": "SCHEDULED"})
    equal(found["third"].input_data["given"], 1)
    refused(404, "does not exist", lambda: resource(sdk, WorkflowResourceApi).jump_to_task({}, execution_id, task_reference_name="nowhere"))


def story_an_execution_goes_on_with_another_version(sdk: Sdk) -> None:
    execution_id = waiting(sdk, "py_steer_upgrade", WaitTask("first"))
    sdk.flow("py_steer_upgrade", SimpleTask("py_steer_work", "new"), WaitTask("first"), SimpleTask("py_steer_work", "last"), version=2).register(True)
    asked = {"name": "py_steer_upgrade", "version": 2, "taskOutput": {"new": {"n": 7}}, "workflowInput": {"m": 2}}
    resource(sdk, WorkflowResourceApi).upgrade_running_workflow_to_version(asked, execution_id)
    found = sdk.workflows.get_workflow(execution_id)
    equal((found.workflow_version, found.input, [(t.reference_task_name, t.status) for t in found.tasks]), (
        2, {"n": 1, "m": 2}, [("new", "SKIPPED"), ("first", "IN_PROGRESS")],
    ))  # fmt: skip
    sdk.tasks.update_task_by_ref_name(execution_id, "first", "COMPLETED", {})
    equal(sdk.workflows.get_workflow(execution_id).tasks[-1].reference_task_name, "last")


def story_executions_are_found_by_names_and_correlation_ids(sdk: Sdk) -> None:
    ids = [waiting(sdk, name, WaitTask("first")) for name in ("py_steer_one", "py_steer_two")]
    asked = CorrelationIdsSearchRequest(correlation_ids=["py_steer_one_1", "py_steer_two_1", "none"], workflow_names=["py_steer_one", "py_steer_two"])
    found = sdk.workflows.get_by_correlation_ids_in_batch(asked)
    equal({c: [field(x, "workflow_id") for x in listed] for c, listed in found.items()}, {
        "py_steer_one_1": [ids[0]], "py_steer_two_1": [ids[1]], "none": [],
    })  # fmt: skip


def story_a_workflow_is_called_like_a_function(sdk: Sdk) -> None:
    flow = sdk.flow("py_steer_call", SimpleTask("py_greet", "greet").input_parameter("name", "${workflow.input.name:nobody}"))
    flow.output_parameters({"said": "${greet.output}", "to": "${workflow.input.name:nobody}"}).register(True)
    api = resource(sdk, WorkflowResourceApi)
    equal(api.execute_workflow_as_api({"name": "Ada"}, "py_steer_call")["to"], "Ada")
    equal(api.execute_workflow_as_get_api("py_steer_call", version=1, wait_for_seconds="20")["to"], "nobody")
