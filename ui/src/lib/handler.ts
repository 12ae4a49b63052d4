// Event handlers as people fill them in: what each kind of action takes, and what it does in a few words. Source: wire/event.py.
import type { EventAction, EventHandler, Tag } from "../api/types";

export type ActionKind = EventAction["action"];
interface ActionField {
  key: string;
  label: string;
  kind: "text" | "number" | "json" | "flag";
  hint?: string;
}

const TASK: ActionField[] = [
  { key: "workflowId", label: "Workflow id", kind: "text", hint: "such as ${order.workflowId}" },
  { key: "taskRefName", label: "Task reference", kind: "text" },
  { key: "taskId", label: "Task id", kind: "text", hint: "instead of the two before" },
  { key: "output", label: "Output", kind: "json" },
  { key: "reasonForIncompletion", label: "Reason", kind: "text" },
];
export const ACTIONS: Record<string, { label: string; fields: ActionField[] }> = {
  start_workflow: {
    label: "Start a workflow",
    fields: [
      { key: "name", label: "Workflow", kind: "text" },
      { key: "version", label: "Version", kind: "number", hint: "the latest unless given" },
      { key: "correlationId", label: "Correlation id", kind: "text" },
      { key: "input", label: "Input", kind: "json", hint: "${customer} looks into the message" },
    ],
  },
  complete_task: { label: "Complete a task", fields: TASK },
  fail_task: { label: "Fail a task", fields: TASK },
  terminate_workflow: {
    label: "Terminate an execution",
    fields: [
      { key: "workflowId", label: "Workflow id", kind: "text" },
      { key: "terminationReason", label: "Reason", kind: "text" },
    ],
  },
  update_workflow_variables: {
    label: "Set variables",
    fields: [
      { key: "workflowId", label: "Workflow id", kind: "text" },
      { key: "variables", label: "Variables", kind: "json" },
      { key: "appendArray", label: "Lists grow at their end", kind: "flag" },
    ],
  },
};

export const blankAction = (kind: ActionKind): EventAction => ({ action: kind, [kind]: {} }) as EventAction;
export const blankHandler = (): EventHandler => ({
  name: "",
  event: "",
  active: true,
  actions: [blankAction("start_workflow")],
});

/** What the action's kind says of it. */
export const detailsOf = (action: EventAction): Record<string, unknown> =>
  ((action as unknown as Record<string, unknown>)[action.action] ?? {}) as Record<string, unknown>;

/** The action with another kind or other details; what belongs to another kind goes. */
export function changed(action: EventAction, details: Record<string, unknown>): EventAction {
  const kept = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== ""));
  return { ...action, [action.action]: kept };
}
export function turned(action: EventAction, kind: ActionKind): EventAction {
  return { ...blankAction(kind), ...(action.expandInlineJSON ? { expandInlineJSON: true } : {}) };
}

/** "starts thank_you", "completes approval". */
export function described(action: EventAction): string {
  const details = detailsOf(action);
  const task = String(details.taskRefName ?? details.taskId ?? "a task");
  if (action.action === "start_workflow") return `starts ${String(details.name ?? "a workflow")}`;
  if (action.action === "complete_task") return `completes ${task}`;
  if (action.action === "fail_task") return `fails ${task}`;
  if (action.action === "terminate_workflow") return `terminates ${String(details.workflowId ?? "an execution")}`;
  if (action.action === "update_workflow_variables")
    return `sets ${Object.keys((details.variables as object | undefined) ?? {}).join(", ") || "variables"}`;
  return action.action;
}

/** Tags as one writes them, `team:mail, urgent`, and back. */
export const tagText = (tags: readonly Tag[]): string =>
  tags.map(tag => (tag.value ? `${tag.key}:${tag.value}` : tag.key)).join(", ");
export function tagsOf(text: string): Tag[] {
  return text
    .split(",")
    .map(one => one.trim())
    .filter(Boolean)
    .map(one => {
      const colon = one.indexOf(":");
      return colon < 0
        ? { key: one, value: "" }
        : { key: one.slice(0, colon).trim(), value: one.slice(colon + 1).trim() };
    });
}
