// What the server says is wrong with a definition, and where that stands in it.
import type { WorkflowDef, WorkflowTask } from "../api/types";
import type { Path } from "./json";

export interface Problem {
  path: Path;
  message: string;
}

/**
 * The path inside the definition of one the server counts from its arguments, such as
 * `validateWorkflowDef.arg0.tasks[1].decisionCases[a].<map value>[0].name`. What is in brackets is a number, or else a key.
 */
export function pathOf(text: string): Path {
  const rest = /^\w+\.arg\d+(?:\[\d+\])?\.?/.exec(text);
  const found: Path = [];
  for (const [, key, inside] of text.slice(rest?.[0].length ?? 0).matchAll(/<[^>]*>|([^.[\]<>]+)|\[([^\]]*)\]/g)) {
    if (key !== undefined) found.push(key);
    else if (inside !== undefined) found.push(/^\d+$/.test(inside) && !isMap(found.at(-1)) ? Number(inside) : inside);
  }
  return found;
}
const isMap = (key: string | number | undefined) => key === "decisionCases" || key === "onStateChange";

/** Each problem at its place. One the server tells of the definition as a whole, but naming a task, is put to that task. */
export function placed(said: readonly { path: string; message: string }[], definition: unknown): Problem[] {
  const tasks = taskPaths(definition);
  return said.map(({ path, message }) => {
    const at = pathOf(path);
    if (at.length) return { path: at, message };
    const named = [...message.matchAll(/task(?:ReferenceName|Name)?: '?([^\s,']+)/g)].map(found => found[1]!).reverse();
    const task = named.map(name => tasks.findLast(one => one.ref === name || one.name === name)).find(Boolean);
    return { path: task?.path ?? [], message };
  });
}

/** The path of every task, parents first. */
export function taskPaths(definition: unknown): { path: Path; ref: string; name: string }[] {
  const found: { path: Path; ref: string; name: string }[] = [];
  const walk = (tasks: unknown, path: Path) => {
    if (!Array.isArray(tasks)) return;
    (tasks as (WorkflowTask | null)[]).forEach((task, n) => {
      if (typeof task !== "object" || task === null) return;
      const here = [...path, n];
      found.push({ path: here, ref: task.taskReferenceName ?? "", name: task.name ?? "" });
      for (const [name, inner] of inside(task)) walk(inner, [...here, ...name]);
    });
  };
  walk((definition as WorkflowDef | null)?.tasks, ["tasks"]);
  return found;
}

/** The innermost task around a path, of those found by `taskPaths`. */
export function taskAt<Task extends { path: Path }>(tasks: readonly Task[], path: Path): Task | undefined {
  return tasks.findLast(task => task.path.length <= path.length && task.path.every((key, n) => key === path[n]));
}

/** As `branches`, but by where they stand in the JSON. */
function inside(task: WorkflowTask): [Path, unknown][] {
  const cases = Object.entries(task.decisionCases ?? {}).map(([key, tasks]): [Path, unknown] => [
    ["decisionCases", key],
    tasks,
  ]);
  const forks = (Array.isArray(task.forkTasks) ? task.forkTasks : []).map((tasks, n): [Path, unknown] => [
    ["forkTasks", n],
    tasks,
  ]);
  return [...cases, [["defaultCase"], task.defaultCase], ...forks, [["loopOver"], task.loopOver]];
}
