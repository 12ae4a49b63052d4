// Who uses what: which definitions, schedules and event handlers would notice if this one changed.
import type { WorkflowDef } from "../api/types";
import { placesOf } from "./definition";

export interface Use {
  kind: "sub-workflow" | "started by a task" | "failure workflow" | "schedule" | "event handler" | "task";
  /** The workflow, schedule or handler that uses it. */
  name: string;
  /** Where: the reference of the task. */
  ref: string;
  /** The version it asks for; 0: the latest. */
  version: number;
}

export interface Schedule {
  name: string;
  startWorkflowRequest?: { name?: string; version?: number; input?: unknown };
}
export interface Handler {
  name: string;
  actions?: { start_workflow?: { name?: string; version?: number; input?: unknown } }[];
}

/** What uses the workflow of this name. A name that is an expression is known only while it runs, and is not found. */
export function usesOfWorkflow(
  name: string,
  definitions: readonly WorkflowDef[],
  schedules: readonly Schedule[] = [],
  handlers: readonly Handler[] = [],
): Use[] {
  const found: Use[] = [];
  for (const definition of definitions) {
    const add = (kind: Use["kind"], ref: string, version?: number | null) =>
      found.push({ kind, name: definition.name, ref, version: version ?? 0 });
    if (definition.failureWorkflow === name) add("failure workflow", "", definition.failureWorkflowVersion);
    for (const { ref, node } of placesOf(definition).values()) {
      const started = asked(node.inputParameters?.["startWorkflow"]);
      if (node.subWorkflowParam?.name === name) add("sub-workflow", ref, node.subWorkflowParam.version);
      else if (node.type === "START_WORKFLOW" && started?.name === name) add("started by a task", ref, started.version);
    }
  }
  for (const one of schedules)
    if (one.startWorkflowRequest?.name === name)
      found.push({ kind: "schedule", name: one.name, ref: "", version: one.startWorkflowRequest.version ?? 0 });
  for (const one of handlers)
    for (const action of one.actions ?? [])
      if (action.start_workflow?.name === name)
        found.push({ kind: "event handler", name: one.name, ref: "", version: action.start_workflow.version ?? 0 });
  return found;
}

function asked(value: unknown): { name?: string; version?: number } | undefined {
  return typeof value === "object" && value !== null ? value : undefined;
}

/** Places whose task definition this is: a task takes that of its name. */
export function usesOfTask(name: string, definitions: readonly WorkflowDef[]): Use[] {
  return definitions.flatMap(definition =>
    [...placesOf(definition).values()]
      .filter(({ node }) => node.name === name)
      .map(({ ref }) => ({ kind: "task" as const, name: definition.name, ref, version: definition.version ?? 1 })),
  );
}

/** Task types a definition leaves to workers, each once. */
export function workersOf(definition: WorkflowDef): string[] {
  const types = [...placesOf(definition).values()].filter(({ type }) => type === "SIMPLE").map(({ node }) => node.name);
  return [...new Set(types.filter((type): type is string => Boolean(type)))].sort();
}
