// The server's structures under the names the console uses; schema.ts is made from its OpenAPI description.
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Workflow = Schemas["Workflow"];
export type Task = Schemas["Task"];
export type WorkflowSummary = Schemas["WorkflowSummary"];
export type WorkflowDef = Schemas["WorkflowDef"];
export type WorkflowTask = Schemas["WorkflowTask"];
export type TaskDef = Schemas["TaskDef"];
export type SchemaDef = Schemas["SchemaDef"];
export type BulkResponse = Schemas["BulkResponse"];
export type ConsoleExecution = Schemas["ConsoleExecution"];
export type ConsoleTask = Schemas["ConsoleTask"];
export type Origin = Schemas["Origin"];
export type Timeline = Schemas["Timeline"];
export type Overview = Schemas["Overview"];
export type QueueState = Overview["queues"][number];
export type Work = Schemas["Work"];
export type Hand = Work["hands"][number];
export type TaskSummary = Schemas["TaskSummary"];
export type Schedule = Schemas["WorkflowSchedule"] & { nextRunTime?: number };
export type Firing = {
  executionId: string;
  scheduleName: string;
  scheduledTime: number;
  executionTime: number;
  workflowName: string;
  workflowId?: string;
  reason?: string;
  state: "POLLED" | "FAILED" | "EXECUTED";
  zoneId: string;
};
export type EventHandler = Schemas["EventHandler"];
export type EventAction = Schemas["EventAction"];
export type Tag = Schemas["Tag"];
export type DeadMessage = Schemas["DeadMessage"];
export interface EventExecution {
  id: string;
  messageId: string;
  name: string;
  event: string;
  created: number;
  status: "COMPLETED" | "FAILED" | "SKIPPED";
  action: string;
  output: Record<string, unknown>;
}
export interface OutgoingMessage {
  messageId: string;
  event: string;
  payload: unknown;
  created: number;
  attempts?: number;
  reason?: string;
}
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
