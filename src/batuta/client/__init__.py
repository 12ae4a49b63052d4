"""
The client: what workers, scripts and applications use to speak to a Conductor server, be it Batuta, Conductor OSS or Orkes.

Here: the names meant for others. Where to look next: client.py for calls, decorator.py and process.py for workers, builder/ for
definitions in code, errors.py for what may go wrong. Nothing here knows the server's insides.
"""

from batuta.client.builder import task_def, workflow
from batuta.client.client import Client, SyncClient
from batuta.client.context import TaskContext
from batuta.client.decorator import Failed, FailedForGood, InProgress, Worker, worker
from batuta.client.discovery import find_workers
from batuta.client.errors import BadRequest, ClientError, Conflict, Denied, NotFound, ServerFault, Unavailable
from batuta.client.metrics import MetricsServer, WorkerMetrics
from batuta.client.models import TERMINAL_STATUSES, Execution, Task, TaskResult
from batuta.client.process import run_workers
from batuta.client.runtime import Farewell, WorkerHost

__all__ = [
    "TERMINAL_STATUSES",
    "BadRequest",
    "Client",
    "ClientError",
    "Conflict",
    "Denied",
    "Execution",
    "Failed",
    "FailedForGood",
    "Farewell",
    "InProgress",
    "MetricsServer",
    "NotFound",
    "ServerFault",
    "SyncClient",
    "Task",
    "TaskContext",
    "TaskResult",
    "Unavailable",
    "Worker",
    "WorkerHost",
    "WorkerMetrics",
    "find_workers",
    "run_workers",
    "task_def",
    "worker",
    "workflow",
]
