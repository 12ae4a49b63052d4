// A definition's shape: what stands inside what. The timeline indents by it, the graph is drawn from it.
import type { WorkflowDef, WorkflowTask } from "../api/types";

export interface Place {
  ref: string;
  type: string;
  /** The reference of what it stands in; "" at the top. */
  parent: string;
  depth: number;
  node: WorkflowTask;
}

// A definition that is being written may hold anything in the place of anything.
export const tasksIn = (value: unknown): WorkflowTask[] =>
  Array.isArray(value) ? value.filter((one): one is WorkflowTask => typeof one === "object" && one !== null) : [];
export const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** The lists of nodes inside a node, each with the name of its branch. */
export function branches(node: WorkflowTask): [string, WorkflowTask[]][] {
  const found: [string, WorkflowTask[]][] = [];
  const add = (name: string, tasks: WorkflowTask[]) => tasks.length && found.push([name, tasks]);
  for (const [name, tasks] of Object.entries(membersOf(node.decisionCases))) found.push([name, tasksIn(tasks)]);
  add("default", tasksIn(node.defaultCase));
  if (Array.isArray(node.forkTasks))
    node.forkTasks.forEach((tasks, index) => found.push([String(index + 1), tasksIn(tasks)]));
  add("loop", tasksIn(node.loopOver));
  return found;
}

export function placesOf(definition: WorkflowDef): Map<string, Place> {
  const places = new Map<string, Place>();
  const walk = (tasks: readonly WorkflowTask[], parent: string, depth: number) => {
    for (const node of tasks) {
      const ref = node.taskReferenceName ?? "";
      places.set(ref, { ref, type: node.type ?? "SIMPLE", parent, depth, node });
      for (const [, inner] of branches(node)) walk(inner, ref, depth + 1);
    }
  };
  walk(tasksIn(definition.tasks), "", 0);
  return places;
}
