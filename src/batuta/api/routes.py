"""
The API on one screen. Routing, the OpenAPI description and the reference page of the docs are made from this table.

Columns: method, path, handler, what it does, what its body is, what it answers (see router.Route for the last two).
Not here: parameters of the query, which the handlers' signatures name (binding.py).
Source: conductor-rest-api.md §1.
"""

from __future__ import annotations

from typing import Final

from batuta.api import (
    actuator,
    admin,
    bulk,
    environment,
    event,
    explorer,
    external,
    metadata,
    openapi,
    queue_admin,
    queues,
    scheduler,
    schema,
    search,
    secrets,
    tasks,
    waiting,
    workflow,
)
from batuta.api.router import Route

# fmt: off
_METADATA: Final = (
    Route("POST", "/api/metadata/workflow", metadata.create_workflow, "Register a workflow, or a list of them", "WorkflowDef|WorkflowDef[]"),
    Route("PUT", "/api/metadata/workflow", metadata.replace_workflows, "Create or replace workflows", "WorkflowDef[]", "BulkResponse"),
    Route("POST", "/api/metadata/workflow/validate", metadata.validate_workflow, "Check a workflow without storing it", "WorkflowDef"),
    Route("GET", "/api/metadata/workflow", metadata.workflows, "Every version of every workflow", "", "WorkflowDef[]"),
    Route("GET", "/api/metadata/workflow/names", metadata.names, "Names of all workflows", "", "string[]"),
    Route("GET", "/api/metadata/workflow/names-and-versions", metadata.names_and_versions, "Names with versions", "", "object"),
    Route("GET", "/api/metadata/workflow/latest-versions", metadata.latest_versions, "The latest of every workflow", "", "WorkflowDef[]"),
    Route("GET", "/api/metadata/workflow/{name}", metadata.workflow, "One workflow", "", "WorkflowDef"),
    Route("GET", "/api/metadata/workflow/{name}/versions", metadata.versions, "Versions of a workflow", "", "WorkflowDefSummary[]"),
    Route("DELETE", "/api/metadata/workflow/{name}/{version}", metadata.delete_workflow, "Delete a version of a workflow"),
    Route("POST", "/api/metadata/taskdefs", metadata.create_tasks, "Register task definitions", "TaskDef|TaskDef[]"),
    Route("PUT", "/api/metadata/taskdefs", metadata.replace_task, "Replace a task definition", "TaskDef"),
    Route("GET", "/api/metadata/taskdefs", metadata.tasks, "Every task definition", "", "TaskDef[]"),
    Route("GET", "/api/metadata/taskdefs/{tasktype}", metadata.task, "One task definition", "", "TaskDef"),
    Route("DELETE", "/api/metadata/taskdefs/{tasktype}", metadata.delete_task, "Delete a task definition"),
)
_SCHEMA: Final = (
    Route("POST", "/api/schema", schema.save, "Create or replace schemas", "SchemaDef|SchemaDef[]"),
    Route("GET", "/api/schema", schema.schemas, "Every version of every schema", "", "SchemaDef[]"),
    Route("GET", "/api/schema/{name}", schema.latest, "The latest version of a schema", "", "SchemaDef"),
    Route("GET", "/api/schema/{name}/{version}", schema.read, "One version of a schema", "", "SchemaDef"),
    Route("DELETE", "/api/schema/{name}", schema.delete_all, "Delete every version of a schema"),
    Route("DELETE", "/api/schema/{name}/{version}", schema.delete, "Delete a version of a schema"),
)
_WORKFLOW: Final = (
    Route("POST", "/api/workflow", workflow.start, "Start an execution", "StartWorkflowRequest", "text"),
    Route("POST", "/api/workflow/{name}", workflow.start_by_name, "Start an execution by name; the body is its input", "object", "text"),
    Route("GET", "/api/workflow/running/{name}", workflow.running, "Ids of executions that run", "", "string[]"),
    Route("GET", "/api/workflow/{name}/correlated/{correlationId}", workflow.correlated, "Executions of a correlation id", "", "Workflow[]"),
    Route("POST", "/api/workflow/{name}/correlated", workflow.correlated_many, "Executions of correlation ids", "string[]", "object"),
    Route("PUT", "/api/workflow/decide/{workflowId}", workflow.decide, "Look at an execution again"),
    Route("GET", "/api/workflow/{workflowId}", workflow.read, "One execution", "", "Workflow"),
    Route("DELETE", "/api/workflow/{workflowId}", workflow.terminate, "Terminate an execution"),
    Route("POST", "/api/workflow/{workflowId}/terminate", workflow.terminate, "Terminate an execution"),
    Route("GET", "/api/workflow/{workflowId}/tasks", workflow.tasks, "A page of its tasks", "", "SearchResult<Task>"),
    Route("GET", "/api/workflow/{workflowId}/status", workflow.status, "Its status", "", "WorkflowStatus"),
    Route("PUT", "/api/workflow/{workflowId}/pause", workflow.pause, "Pause"),
    Route("PUT", "/api/workflow/{workflowId}/resume", workflow.resume, "Resume"),
    Route("POST", "/api/workflow/{workflowId}/restart", workflow.restart, "Restart an ended execution", "", "204"),
    Route("POST", "/api/workflow/{workflowId}/retry", workflow.retry, "Retry what failed", "", "204"),
    Route("POST", "/api/workflow/{workflowId}/messages", workflow.push, "Push a message to an execution", "object", "text"),
    Route("POST", "/api/workflow/{workflowId}/rerun", workflow.rerun, "Rerun from a task", "RerunWorkflowRequest", "text"),
    Route("POST", "/api/workflow/{workflowId}/resetcallbacks", workflow.reset_callbacks, "Make waiting tasks due now", "", "204"),
    Route("PUT", "/api/workflow/{workflowId}/skiptask/{taskReferenceName}", workflow.skip_task, "Skip a task", "SkipTaskRequest?"),
    Route("DELETE", "/api/workflow/{workflowId}/remove", workflow.remove, "Delete an execution"),
    Route("DELETE", "/api/workflow/{workflowId}/terminate-remove", workflow.terminate_remove, "Terminate and delete an execution"),
)
_BULK: Final = (
    Route("PUT", "/api/workflow/bulk/pause", bulk.pause, "Pause many", "string[]", "BulkResponse"),
    Route("PUT", "/api/workflow/bulk/resume", bulk.resume, "Resume many", "string[]", "BulkResponse"),
    Route("POST", "/api/workflow/bulk/restart", bulk.restart, "Restart many", "string[]", "BulkResponse"),
    Route("POST", "/api/workflow/bulk/retry", bulk.retry, "Retry many", "string[]", "BulkResponse"),
    Route("POST", "/api/workflow/bulk/terminate", bulk.terminate, "Terminate many", "string[]", "BulkResponse"),
    Route("DELETE", "/api/workflow/bulk/remove", bulk.remove, "Delete many", "string[]", "BulkResponse"),
    Route("POST", "/api/workflow/bulk/search", bulk.search, "Read many", "string[]", "BulkResponse"),
    Route("DELETE", "/api/workflow/bulk/terminate-remove", bulk.terminate_remove, "Terminate and delete many", "string[]", "BulkResponse"),
)
_TASKS: Final = (
    Route("GET", "/api/tasks/poll/{tasktype}", tasks.poll, "Take a task", "", "Task?"),
    Route("GET", "/api/tasks/poll/batch/{tasktype}", tasks.poll_batch, "Take several tasks", "", "Task[]"),
    Route("POST", "/api/tasks", tasks.report, "Report a task", "TaskResult", "text"),
    Route("POST", "/api/tasks/update-v2", tasks.report_and_poll, "Report a task and take the next", "TaskResult", "Task?"),
    Route("POST", "/api/tasks/{workflowId}/{taskRefName}/{status}", tasks.report_by_ref, "Report a task by reference", "object", "text"),
    Route("POST", "/api/tasks/{workflowId}/{taskRefName}/{status}/sync", tasks.report_by_ref_sync, "Same, answers it all", "object", "Workflow"),
    Route("GET", "/api/tasks/{taskId}", tasks.read, "One task", "", "Task"),
    Route("POST", "/api/tasks/{taskId}/log", tasks.add_log, "Add a line to a task's log", "text"),
    Route("GET", "/api/tasks/{taskId}/log", tasks.logs, "A task's log", "", "TaskExecLog[]?"),
)
_QUEUES: Final = (
    Route("GET", "/api/tasks/queue/sizes", queues.sizes, "Tasks waiting, by type", "", "object"),
    Route("GET", "/api/tasks/queue/size", queues.size, "Tasks waiting in one queue", "", "integer"),
    Route("GET", "/api/tasks/queue/all", queues.all_sizes, "Size of every queue", "", "object"),
    Route("GET", "/api/tasks/queue/all/verbose", queues.all_verbose, "Size of every queue, by shard", "", "object"),
    Route("GET", "/api/tasks/queue/polldata", queues.poll_data, "Who polled a task type last", "", "PollData[]"),
    Route("GET", "/api/tasks/queue/polldata/all", queues.all_poll_data, "Who polled last", "", "PollData[]"),
    Route("POST", "/api/tasks/queue/requeue/{taskType}", queues.requeue, "Offer every open task of a type again", "", "text"),
    Route("GET", "/api/queue/", queue_admin.queues, "Queues for waiting tasks", "", "object"),
    Route("GET", "/api/queue/size", queue_admin.sizes, "Sizes of these queues", "", "object"),
    Route("POST", "/api/queue/update/{workflowId}/{taskRefName}/{status}", queue_admin.update_by_ref, "End a waiting task", "object"),
    Route("POST", "/api/queue/update/{workflowId}/task/{taskId}/{status}", queue_admin.update, "End a waiting task by its id", "object"),
)
_EVENTS: Final = (
    Route("POST", "/api/event", event.create, "Register an event handler, or a list of them", "EventHandler|EventHandler[]"),
    Route("PUT", "/api/event", event.replace, "Replace an event handler", "EventHandler"),
    Route("GET", "/api/event", event.handlers, "Every event handler", "", "EventHandler[]"),
    Route("GET", "/api/event/executions", event.executions, "What became of messages", "", "object"),
    Route("GET", "/api/event/dead", event.dead, "Messages set aside", "", "object"),
    Route("POST", "/api/event/dead/{id}/redeliver", event.redeliver, "Try a message set aside again", "", "DeadMessage"),
    Route("DELETE", "/api/event/dead/{id}", event.drop, "Forget a message set aside"),
    Route("GET", "/api/event/{event}", event.handlers_of, "The handlers of an event", "", "EventHandler[]"),
    Route("DELETE", "/api/event/{name}", event.delete, "Delete an event handler"),
)
_SCHEDULER: Final = (
    Route("POST", "/api/scheduler/schedules", scheduler.save, "Create or replace a schedule", "WorkflowSchedule", "WorkflowSchedule"),
    Route("GET", "/api/scheduler/schedules", scheduler.schedules, "Every schedule", "", "WorkflowSchedule[]"),
    Route("GET", "/api/scheduler/schedules/search", scheduler.search, "A page of schedules", "", "object"),
    Route("GET", "/api/scheduler/schedules/{name}", scheduler.read, "One schedule", "", "WorkflowSchedule"),
    Route("DELETE", "/api/scheduler/schedules/{name}", scheduler.delete, "Delete a schedule"),
    Route("PUT", "/api/scheduler/schedules/{name}/pause", scheduler.pause, "Pause a schedule"),
    Route("GET", "/api/scheduler/schedules/{name}/pause", scheduler.pause, "Pause a schedule, as older SDKs ask for it"),
    Route("PUT", "/api/scheduler/schedules/{name}/resume", scheduler.resume, "Resume a schedule"),
    Route("GET", "/api/scheduler/schedules/{name}/resume", scheduler.resume, "Resume a schedule, as older SDKs ask for it"),
    Route("GET", "/api/scheduler/schedules/{name}/tags", scheduler.tags, "Tags of a schedule", "", "Tag[]"),
    Route("PUT", "/api/scheduler/schedules/{name}/tags", scheduler.set_tags, "Set the tags of a schedule", "Tag[]"),
    Route("DELETE", "/api/scheduler/schedules/{name}/tags", scheduler.remove_tags, "Take tags off a schedule", "Tag[]"),
    Route("PUT", "/api/scheduler/bulk/pause", scheduler.pause_many, "Pause many", "string[]", "BulkResponse"),
    Route("PUT", "/api/scheduler/bulk/resume", scheduler.resume_many, "Resume many", "string[]", "BulkResponse"),
    Route("GET", "/api/scheduler/nextFewSchedules", scheduler.next_few, "The next ticks of an expression", "", "integer[]"),
    Route("GET", "/api/scheduler/search/executions", scheduler.executions, "What came of ticks", "", "object"),
    Route("GET", "/api/scheduler/admin/requeue", scheduler.requeue, "Look at the clock again", "", "object"),
    Route("GET", "/api/scheduler/admin/pause", scheduler.hold, "Let no schedule fire on this server", "", "object"),
    Route("GET", "/api/scheduler/admin/resume", scheduler.release, "Let schedules fire again", "", "object"),
)
_ADMIN: Final = (
    Route("GET", "/health", admin.health, "Whether the server serves", "", "object"),
    Route("GET", "/api/health", admin.health, "Whether the server serves", "", "object"),
    Route("GET", "/actuator/health", actuator.health, "Whether the store answers; 503 when not", "", "object"),
    Route("GET", "/actuator/info", actuator.info, "What runs", "", "object"),
    Route("GET", "/actuator/prometheus", actuator.prometheus, "Metrics for Prometheus", "", "text"),
    Route("GET", "/api/version", admin.version, "The server's version", "", "text"),
    Route("GET", "/api/admin/config", admin.config, "The settings in force", "", "object"),
    Route("GET", "/api/admin/stats", admin.stats, "What is stored and what is in memory", "", "object"),
    Route("GET", "/api/admin/task/{tasktype}", admin.pending_tasks, "Open tasks of a type", "", "Task[]"),
    Route("POST", "/api/admin/sweep/requeue/{workflowId}", admin.requeue, "Look at an execution again", "", "text"),
    Route("POST", "/api/admin/consistency/verifyAndRepair/{workflowId}", admin.verify_and_repair, "Repair an execution", "", "text"),
    Route("GET", "/api/admin/queues", queue_admin.event_queues, "Queues of event handlers", "", "object"),
)
_SEARCH: Final = (
    Route("GET", "/api/workflow/search", search.workflows, "Find executions", "", "SearchResult<WorkflowSummary>"),
    Route("GET", "/api/workflow/search-v2", search.workflows_v2, "Find executions, whole", "", "SearchResult<Workflow>"),
    Route("GET", "/api/workflow/search-by-tasks", search.workflows_by_tasks, "Find executions by their tasks", "", "SearchResult<WorkflowSummary>"),
    Route("GET", "/api/workflow/search-by-tasks-v2", search.workflows_by_tasks_v2, "Find executions by their tasks, whole", "", "SearchResult<Workflow>"),
    Route("GET", "/api/tasks/search", search.tasks, "Find tasks", "", "SearchResult<TaskSummary>"),
    Route("GET", "/api/tasks/search-v2", search.tasks_v2, "Find tasks, whole", "", "SearchResult<Task>"),
)
_WAITING: Final = (
    Route("POST", "/api/workflow/execute/{name}/{version}", waiting.execute, "Start, and wait for its end or a halt", "StartWorkflowRequest?", "object?"),
    Route("POST", "/api/workflow/test", waiting.test, "Run with mocked outputs (taskRefToMockOutput)", "StartWorkflowRequest", "Workflow"),
    Route("POST", "/api/tasks/{workflowId}/{status}/signal", waiting.signal, "Report the WAIT that holds an execution", "object"),
    Route("POST", "/api/tasks/{workflowId}/{status}/signal/sync", waiting.signal_sync, "The same, and wait for what follows", "object", "object?"),
)
_ENVIRONMENT: Final = (
    Route("GET", "/api/environment", environment.variables, "Variables of definitions", "", "object[]"),
    Route("GET", "/api/environment/{key}", environment.variable, "The value of a variable; empty when there is none", "", "text"),
    Route("PUT", "/api/environment/{key}", environment.write, "Set a variable", "text?"),
    Route("DELETE", "/api/environment/{key}", environment.delete, "Delete a variable", "", "text"),
    Route("GET", "/api/environment/{key}/tags", environment.tags, "Tags of a variable", "", "Tag[]"),
    Route("PUT", "/api/environment/{key}/tags", environment.set_tags, "Set the tags of a variable", "Tag[]"),
    Route("DELETE", "/api/environment/{key}/tags", environment.remove_tags, "Take tags off a variable", "Tag[]"),
    Route("GET", "/api/secrets", secrets.names, "Names of all secrets", "", "string[]"),
    Route("POST", "/api/secrets", secrets.names, "Names of all secrets", "", "string[]"),
    Route("GET", "/api/secrets/v2", secrets.overview, "Names of all secrets, when they were set, the ends of long ones", "", "object[]"),
    Route("GET", "/api/secrets-v2", secrets.tagged, "Names of all secrets, with their tags", "", "object[]"),
    Route("GET", "/api/secrets/{key}", secrets.read, "Refused with 403, unless BATUTA_SECRETS_READABLE: the value of a secret", "", "text"),
    Route("PUT", "/api/secrets/{key}", secrets.write, "Set a secret", "text?"),
    Route("DELETE", "/api/secrets/{key}", secrets.delete, "Delete a secret"),
    Route("GET", "/api/secrets/{key}/exists", secrets.exists, "Whether there is such a secret", "", "boolean"),
    Route("GET", "/api/secrets/{key}/tags", secrets.tags, "Tags of a secret", "", "Tag[]"),
    Route("PUT", "/api/secrets/{key}/tags", secrets.set_tags, "Set the tags of a secret", "Tag[]"),
    Route("DELETE", "/api/secrets/{key}/tags", secrets.remove_tags, "Take tags off a secret", "Tag[]"),
    Route("POST", "/api/admin/secrets/rotate-key", secrets.rotate, "Seal all stored secrets with a new key", "", "object"),
)
_EXTERNAL: Final = (
    Route("GET", "/api/workflow/externalstoragelocation", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/workflow/external-storage-location", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/tasks/externalstoragelocation", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/tasks/external-storage-location", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/external/task/{direction}/{file}", external.payload, "A task's input or output, whole", "", "object"),
)
_ABOUT: Final = (
    Route("GET", "/api-docs", openapi.document, "This description", "", "object"),
    Route("GET", "/v3/api-docs", openapi.document, "This description", "", "object"),
    Route("GET", "/swagger-ui/index.html", explorer.page, "A page to try the API", "", "html"),
    Route("GET", "/swagger-ui.html", explorer.page, "A page to try the API", "", "html"),
)
# fmt: on
ROUTES: Final = (
    *_METADATA, *_SCHEMA, *_WORKFLOW, *_BULK, *_TASKS, *_QUEUES, *_EVENTS, *_SCHEDULER, *_ADMIN, *_SEARCH, *_WAITING, *_ENVIRONMENT, *_EXTERNAL, *_ABOUT,
)
