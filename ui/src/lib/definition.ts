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

/** The lists of nodes inside a node, each with the name of its branch. */
export function branches(node: WorkflowTask): [string, WorkflowTask[]][] {
  const found: [string, WorkflowTask[]][] = [];
  for (const [name, tasks] of Object.entries(node.decisionCases ?? {})) found.push([name, tasks as WorkflowTask[]]);
  if (node.defaultCase?.length) found.push(["default", node.defaultCase]);
  (node.forkTasks ?? []).forEach((tasks, index) => found.push([String(index + 1), tasks]));
  if (node.loopOver?.length) found.push(["loop", node.loopOver]);
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
  walk(definition.tasks ?? [], "", 0);
  return places;
}
