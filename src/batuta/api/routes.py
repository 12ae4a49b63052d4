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
    agent_runs,
    agents,
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
    Route("GET", "/actuator", actuator.links, "What is below it", "", "object"),
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
    Route("GET", "/api/secrets", environment.names, "Names of all secrets", "", "string[]"),
    Route("POST", "/api/secrets", environment.names, "Names of all secrets", "", "string[]"),
    Route("GET", "/api/secrets/v2", environment.overview, "Names of all secrets, and the ends of the long ones", "", "object[]"),
    Route("GET", "/api/secrets/{key}", environment.read, "The value of a secret", "", "text"),
    Route("PUT", "/api/secrets/{key}", environment.write, "Refused with 501: secrets are the environment's", "text?"),
    Route("DELETE", "/api/secrets/{key}", environment.delete, "Refused with 501: secrets are the environment's"),
    Route("GET", "/api/secrets/{key}/exists", environment.exists, "Whether there is such a secret", "", "boolean"),
)
_EXTERNAL: Final = (
    Route("GET", "/api/workflow/externalstoragelocation", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/workflow/external-storage-location", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/tasks/externalstoragelocation", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/tasks/external-storage-location", external.location, "Where a payload shown by its path is read", "", "object"),
    Route("GET", "/api/external/task/{direction}/{file}", external.payload, "A task's input or output, whole", "", "object"),
)
_AGENTS: Final = (
    Route("GET", "/api/agent/list", agents.list_agents, "Every agent", "", "object[]"),
    Route("POST", "/api/agent/compile", agents.compile, "The workflow that an agent would become", "AgentStartRequest", "object"),
    Route("POST", "/api/agent/inspect-plan", agents.inspect_plan, "Refused: there is no agent runtime", "object", "object"),
    Route("POST", "/api/agent/deploy", agents.deploy, "Register an agent", "AgentStartRequest", "object"),
    Route("POST", "/api/agent/start", agents.start, "Start an agent", "AgentStartRequest", "object"),
    Route("GET", "/api/agent/definitions/{name}", agents.definition, "The workflow of an agent", "", "WorkflowDef"),
    Route("GET", "/api/agent/{name}", agents.read, "What an agent says of itself", "", "object"),
    Route("DELETE", "/api/agent/{name}", agents.delete, "Delete an agent"),
    Route("GET", "/api/agent/executions", agent_runs.executions, "Find executions of agents", "", "object"),
    Route("GET", "/api/agent/executions/search", agent_runs.search, "Find executions by query", "", "SearchResult<WorkflowSummary>"),
    Route("GET", "/api/agent/executions/{executionId}", agent_runs.detail, "An execution, and the task it is at", "", "object"),
    Route("GET", "/api/agent/executions/{executionId}/full", agent_runs.full, "The whole execution", "", "Workflow"),
    Route("GET", "/api/agent/executions/{executionId}/tasks", agent_runs.tasks, "A page of its tasks", "", "object"),
    Route("GET", "/api/agent/execution/{executionId}", agent_runs.run, "An execution with its tasks in short", "", "object"),
    Route("GET", "/api/agent/{executionId}/status", agent_runs.status, "Whether it runs, waits or has ended", "", "object"),
    Route("GET", "/api/agent/stream/{executionId}", agent_runs.stream, "What has happened since the last event", "", "events"),
    Route("GET", "/api/agent/tasks/{taskId}/log", agent_runs.logs, "A task's log", "", "TaskExecLog[]"),
    Route("PUT", "/api/agent/{executionId}/pause", agent_runs.pause, "Pause"),
    Route("PUT", "/api/agent/{executionId}/resume", agent_runs.resume, "Resume"),
    Route("DELETE", "/api/agent/{executionId}/cancel", agent_runs.cancel, "Terminate"),
    Route("DELETE", "/api/agent/executions/{executionId}", agent_runs.cancel, "Terminate"),
    Route("POST", "/api/agent/{executionId}/stop", agent_runs.stop, "Ask it to end after its current turn"),
    Route("POST", "/api/agent/{executionId}/signal", agent_runs.signal, "Put a message where its next turn finds it", "object"),
    Route("POST", "/api/agent/{executionId}/respond", agent_runs.respond, "A person's answer to the HUMAN task that waits", "object"),
    Route("POST", "/api/agent/executions/{executionId}/restart", agent_runs.restart, "Restart"),
    Route("POST", "/api/agent/executions/{executionId}/retry", agent_runs.retry, "Retry what failed"),
    Route("POST", "/api/agent/executions/{executionId}/rerun", agent_runs.rerun, "Rerun from a task", "RerunWorkflowRequest", "text"),
    Route("DELETE", "/api/agent/executions/{executionId}/record", agent_runs.remove, "Delete an execution"),
    Route("POST", "/api/agent/executions/prune", agent_runs.prune, "Delete old executions of agents", "", "object"),
    Route("PUT", "/api/agent/executions/bulk/pause", agent_runs.pause_many, "Pause many", "string[]"),
    Route("PUT", "/api/agent/executions/bulk/resume", agent_runs.resume_many, "Resume many", "string[]"),
    Route("POST", "/api/agent/executions/bulk/restart", agent_runs.restart_many, "Restart many", "string[]"),
    Route("POST", "/api/agent/executions/bulk/retry", agent_runs.retry_many, "Retry many", "string[]"),
    Route("POST", "/api/agent/executions/bulk/terminate", agent_runs.cancel_many, "Terminate many", "string[]"),
    Route("POST", "/api/agent/tasks/{executionId}/{refTaskName}/{status}", agent_runs.update_task, "Report a task by reference", "object?"),
    Route("POST", "/api/agent/{executionId}/tasks", agent_runs.add_task, "Show a task beside the flow", "InjectTaskRequest", "object"),
    Route("POST", "/api/agent/execution", agent_runs.track, "Begin an execution of what is done elsewhere", "CreateTrackingWorkflowRequest", "object"),
    Route("POST", "/api/agent/execution/{executionId}/complete", agent_runs.end_tracked, "End such an execution", "object?"),
    Route("POST", "/api/agent/events/{executionId}", agent_runs.push_event, "Taken and passed over", "object"),
    Route("GET", "/api/providers/status", agents.providers, "Which providers of models are configured", "", "object"),
    Route("POST", "/api/a2a/agent-card", agents.agent_card, "Refused: agents of other systems are not asked", "object", "object"),
    Route("POST", "/api/a2a/callback/{taskId}", agents.agent_called_back, "Refused: nothing waits for agents of other systems", "object"),
)
_ABOUT: Final = (
    Route("GET", "/api-docs", openapi.document, "This description", "", "object"),
    Route("GET", "/v3/api-docs", openapi.document, "This description", "", "object"),
    Route("GET", "/swagger-ui/index.html", explorer.page, "A page to try the API", "", "html"),
    Route("GET", "/context.js", explorer.context, "What Conductor's user interface must know of its server", "", "javascript"),
    Route("GET", "/swagger-ui.html", explorer.page, "A page to try the API", "", "html"),
)
# fmt: on
ROUTES: Final = (
    *_METADATA, *_SCHEMA, *_WORKFLOW, *_BULK, *_TASKS, *_QUEUES, *_EVENTS, *_SCHEDULER, *_ADMIN, *_SEARCH, *_WAITING, *_ENVIRONMENT, *_EXTERNAL,
    *_AGENTS, *_ABOUT,
)
