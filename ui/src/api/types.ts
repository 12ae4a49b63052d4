// The server's structures under the names the console uses; schema.ts is made from its OpenAPI description.
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Workflow = Schemas["Workflow"];
export type Task = Schemas["Task"];
export type WorkflowSummary = Schemas["WorkflowSummary"];
export type WorkflowDef = Schemas["WorkflowDef"];
export type WorkflowTask = Schemas["WorkflowTask"];
export type TaskDef = Schemas["TaskDef"];
export type BulkResponse = Schemas["BulkResponse"];
export type ConsoleExecution = Schemas["ConsoleExecution"];
export type ConsoleTask = Schemas["ConsoleTask"];
export type Timeline = Schemas["Timeline"];
export type Overview = Schemas["Overview"];
export type QueueState = Overview["queues"][number];
export type Failures = Schemas["Failures"];
export type Health = Schemas["Health"];
export type Change = Schemas["Change"];
export interface SearchResult<T> {
  totalHits: number;
  results: T[];
}
export interface TaskLog {
  log: string;
  taskId: string;
  createdTime: number;
}
export interface PollData {
  queueName: string;
  domain?: string;
  workerId?: string;
  lastPollTime: number;
}
/** Anything JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
