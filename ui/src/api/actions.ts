// What changes something on the server. Each says what it is called, what it does to what, and what must be read again afterwards.
import { call, path, query } from "./http";
import { client } from "./queries";
import type { BulkResponse, DeadMessage, EventHandler, Schedule, Tag } from "./types";

export const pause = (id: string) => call("PUT", `${path("/api/workflow", id)}/pause`);
export const resume = (id: string) => call("PUT", `${path("/api/workflow", id)}/resume`);
export const terminate = (id: string, reason: string) =>
  call("POST", `${path("/api/workflow", id)}/terminate${query({ reason })}`);
export const retry = (id: string, resumeSubworkflowTasks: boolean) =>
  call("POST", `${path("/api/workflow", id)}/retry${query({ resumeSubworkflowTasks })}`);
export const restart = (id: string, useLatestDefinitions: boolean) =>
  call("POST", `${path("/api/workflow", id)}/restart${query({ useLatestDefinitions })}`);
export const rerun = (
  id: string,
  request: { reRunFromTaskId?: string; taskInput?: unknown; workflowInput?: unknown },
) => call<string>("POST", `${path("/api/workflow", id)}/rerun`, request);
export const skip = (id: string, ref: string, taskOutput: Record<string, unknown>) =>
  call("PUT", `${path("/api/workflow", id)}/skiptask/${encodeURIComponent(ref)}`, { taskOutput });
export const report = (id: string, ref: string, status: "COMPLETED" | "FAILED", output: Record<string, unknown>) =>
  call("POST", `${path("/api/tasks", id, ref, status)}${query({ workerid: "console" })}`, output);
export const remove = (id: string) => call("DELETE", `${path("/api/workflow", id)}/remove`);
export interface StartRequest {
  name: string;
  version?: number;
  input?: unknown;
  correlationId?: string;
  priority?: number;
  idempotencyKey?: string;
  idempotencyStrategy?: "FAIL" | "RETURN_EXISTING" | "FAIL_ON_RUNNING";
}
/** The id of the execution. */
export const start = (request: StartRequest) => call<string>("POST", "/api/workflow", request);

/** Raises what registering would; stores nothing. */
export const validateWorkflow = (definition: unknown) => call("POST", "/api/metadata/workflow/validate", definition);
export const saveWorkflow = (definition: unknown, overwrite: boolean) =>
  call("POST", `/api/metadata/workflow${query({ overwrite })}`, definition);
export const deleteWorkflow = (name: string, version: number) =>
  call("DELETE", path("/api/metadata/workflow", name, String(version)));
export const saveTask = (definition: unknown) => call("POST", "/api/metadata/taskdefs", [definition]);
export const deleteTask = (name: string) => call("DELETE", path("/api/metadata/taskdefs", name));

/** How many tasks are offered again, as a text. */
export const requeue = (taskType: string) => call<string>("POST", path("/api/tasks/queue/requeue", taskType));

export const saveSchedule = (schedule: Schedule) => call<Schedule>("POST", "/api/scheduler/schedules", schedule);
export const deleteSchedule = (name: string) => call("DELETE", path("/api/scheduler/schedules", name));
export const pauseSchedule = (name: string, reason: string) =>
  call("PUT", `${path("/api/scheduler/schedules", name)}/pause${query({ reason })}`);
export const resumeSchedules = (names: string[]) => call<BulkResponse>("PUT", "/api/scheduler/bulk/resume", names);
export const pauseSchedules = (names: string[]) => call<BulkResponse>("PUT", "/api/scheduler/bulk/pause", names);

export const createHandler = (handler: EventHandler) => call("POST", "/api/event", handler);
export const replaceHandler = (handler: EventHandler) => call("PUT", "/api/event", handler);
export const deleteHandler = (name: string) => call("DELETE", path("/api/event", name));
export const tagHandler = (name: string, tags: Tag[]) => call("PUT", `${path("/api/event", name)}/tags`, tags);
/** The message as it is set aside again; null when all of it is done now. */
export const redeliver = (id: string) => call<DeadMessage | null>("POST", `${path("/api/event/dead", id)}/redeliver`);
export const dropMessage = (id: string) => call("DELETE", path("/api/event/dead", id));

export type BulkVerb = "pause" | "resume" | "restart" | "retry" | "terminate" | "remove";
const METHODS: Record<BulkVerb, "PUT" | "POST" | "DELETE"> = {
  pause: "PUT",
  resume: "PUT",
  restart: "POST",
  retry: "POST",
  terminate: "POST",
  remove: "DELETE",
};
export const bulk = (verb: BulkVerb, ids: string[]) =>
  call<BulkResponse>(METHODS[verb], `/api/workflow/bulk/${verb}`, ids);

/** Read this execution again, and what lists it. */
export async function refreshExecution(id: string): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: ["execution", id] }),
    client.invalidateQueries({ queryKey: ["timeline", id] }),
    client.invalidateQueries({ queryKey: ["executions"] }),
    client.invalidateQueries({ queryKey: ["overview"] }),
  ]);
}

/** Read again all that is made of definitions. Of what was deleted only the lists: itself it is not there to be read. */
export async function refreshDefinitions(isDeleted = false): Promise<void> {
  const lists = ["definitions", "versions", "workflowNames", "taskDefinitions"];
  const refetchType = isDeleted ? "none" : "active";
  await Promise.all([
    ...lists.map(key => client.invalidateQueries({ queryKey: [key] })),
    ...["definition", "taskDefinition"].map(key => client.invalidateQueries({ queryKey: [key], refetchType })),
  ]);
}
