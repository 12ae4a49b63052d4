"""
The workers of the stories, written as the SDK's guide writes them. A module of its own, because the SDK runs each in a process of its own and imports it there.

Run by the interpreter of an environment that holds one version of the official SDK; nothing of Batuta is importable here. No `from __future__ import
annotations`: the SDK looks at the annotations themselves to see what a worker takes.
"""

import dataclasses

from conductor.client.http.models.task import Task
from conductor.client.http.models.task_exec_log import TaskExecLog
from conductor.client.http.models.task_result import TaskResult
from conductor.client.http.models.task_result_status import TaskResultStatus
from conductor.client.worker.exception import NonRetryableException
from conductor.client.worker.worker_interface import WorkerInterface
from conductor.client.worker.worker_task import worker_task

try:  # since 1.2
    from conductor.client.context.task_context import TaskInProgress, get_task_context
except ImportError:
    get_task_context = None

POLL_MS = 20


@dataclasses.dataclass
class Parcel:
    """A typed result: the SDK turns it into an object."""

    label: str
    grams: int


def greet(name: str, times: int = 1) -> str:
    """A plain value; the SDK reports it as `result`."""
    return f"Hello, {name}!" * times


@worker_task(task_definition_name="py_greet", poll_interval_millis=POLL_MS)
def greet_anybody(name: str, times: int = 1) -> str:
    return greet(name, times)


@worker_task(task_definition_name="py_greet", domain="night", poll_interval_millis=POLL_MS)
def greet_at_night(name: str) -> str:
    return f"Good night, {name}."


@worker_task(task_definition_name="py_pack", poll_interval_millis=POLL_MS)
def pack(label: str, grams: int) -> Parcel:
    return Parcel(label.upper(), grams + 10)


@worker_task(task_definition_name="py_flaky", poll_interval_millis=POLL_MS)
def flaky(task: Task) -> TaskResult:
    """Fails as often as its input says, or for good."""
    if task.input_data.get("for_good"):
        raise NonRetryableException("no use in trying again")
    if (task.retry_count or 0) < task.input_data["failures"]:
        raise RuntimeError(f"attempt {task.retry_count or 0} failed")
    result = TaskResult(task_id=task.task_id, workflow_instance_id=task.workflow_instance_id, worker_id="flaky-worker")
    result.status = TaskResultStatus.COMPLETED
    result.add_output_data("attempt", task.retry_count or 0)
    result.logs = [TaskExecLog("it worked", task.task_id)]
    return result


class Patient(WorkerInterface):
    """Three polls long: hands its task back twice and asks to be called again."""

    def __init__(self) -> None:
        super().__init__("py_patient")
        self.poll_interval = POLL_MS

    def execute(self, task: Task) -> TaskResult:
        result = self.get_task_result_from_task(task)
        if task.poll_count < 3:
            result.status = TaskResultStatus.IN_PROGRESS
            result.callback_after_seconds = 1 if task.poll_count == 2 else 0
            result.output_data = {"so_far": task.poll_count}
        else:
            result.status = TaskResultStatus.COMPLETED
            result.output_data = {"polls": task.poll_count}
        return result

    def get_identity(self) -> str:
        return "patient-worker"


if get_task_context is not None:

    @worker_task(task_definition_name="py_context", poll_interval_millis=POLL_MS, thread_count=2, register_task_def=True, lease_extend_enabled=True)
    async def in_context(steps: int):  # type: ignore[no-untyped-def]
        """An asynchronous worker that speaks through the task's context."""
        context = get_task_context()
        context.add_log(f"poll {context.get_poll_count()}")
        if context.get_poll_count() < steps:
            return TaskInProgress(callback_after_seconds=0, output={"progress": context.get_poll_count()})
        return {"polls": context.get_poll_count(), "workflow": context.get_workflow_instance_id()}
