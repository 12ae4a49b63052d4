// Who would notice if a definition became another one: what others read of its output, and what it would need of their input.
import type { WorkflowDef } from "../api/types";
import { membersOf, placesOf } from "./definition";
import type { Handler, Schedule, Use } from "./uses";

export interface Break {
  use: Use;
  /** What of it they read, or do not give. */
  name: string;
  kind: "reads" | "lacks" | "lacks a required";
}

/** What of the uses breaks when *before* is saved as *after*. Only what is said in definitions is seen: a name that is an expression is not. */
export function breaksOf(
  before: WorkflowDef,
  after: WorkflowDef,
  uses: readonly Use[],
  others: { definitions: readonly WorkflowDef[]; schedules?: readonly Schedule[]; handlers?: readonly Handler[] },
): Break[] {
  if (before.name !== after.name) return []; // a workflow of its own
  const lost = keysOf(before.outputParameters).filter(key => !(key in membersOf(after.outputParameters)));
  const required = requiredOf(after).filter(name => !requiredOf(before).includes(name));
  const read = inputsOf(after).filter(name => !inputsOf(before).includes(name) && !required.includes(name));
  const definitions = new Map(others.definitions.map(one => [one.name, one]));
  const found: Break[] = [];
  for (const use of uses) {
    const caller = definitions.get(use.name);
    if (use.kind === "sub-workflow" && caller) {
      const text = JSON.stringify(caller);
      for (const name of lost) if (reads(text, `${use.ref}.output`, name)) found.push({ use, name, kind: "reads" });
    }
    const given = givenBy(use, caller, before.name, others);
    if (!given) continue;
    for (const name of required) if (!(name in given)) found.push({ use, name, kind: "lacks a required" });
    for (const name of read) if (!(name in given)) found.push({ use, name, kind: "lacks" });
  }
  return found;
}

/** Task types that workers have to do in *after* and had not to in *before* are found by `workersOf`; here: names of the input that are read. */
export function inputsOf(definition: WorkflowDef): string[] {
  const text = JSON.stringify([definition.tasks, definition.outputParameters ?? {}]);
  const preset = keysOf(definition.inputTemplate);
  const found = [...text.matchAll(/\$\{workflow\.input\.([A-Za-z_][\w-]*)/g)].map(one => one[1]!);
  return [...new Set(found)].filter(name => !preset.includes(name));
}

const keysOf = (value: unknown) => Object.keys(membersOf(value));

function requiredOf(definition: WorkflowDef): string[] {
  const { required } = membersOf(definition.inputSchema?.data);
  return definition.enforceSchema !== false && Array.isArray(required) ? required.map(String) : [];
}

/** `${ref.output.name…}`, or a path of it in JavaScript. */
function reads(text: string, place: string, name: string): boolean {
  const at = `${place}.${name}`;
  for (let from = text.indexOf(at); from >= 0; from = text.indexOf(at, from + 1))
    if (!/[\w-]/.test(text[from + at.length] ?? "") && !/[\w.-]/.test(text[from - 1] ?? "")) return true;
  return false;
}

/** What a use gives as input; null when nobody can tell. */
function givenBy(
  use: Use,
  caller: WorkflowDef | undefined,
  name: string,
  others: { schedules?: readonly Schedule[]; handlers?: readonly Handler[] },
): Record<string, unknown> | null {
  if (use.kind === "schedule")
    return membersOf(others.schedules?.find(one => one.name === use.name)?.startWorkflowRequest?.input);
  if (use.kind === "event handler") {
    const actions = others.handlers?.find(one => one.name === use.name)?.actions ?? [];
    return membersOf(actions.find(one => one.start_workflow?.name === name)?.start_workflow?.input);
  }
  const node = caller && placesOf(caller).get(use.ref)?.node;
  if (!node) return null; // a failure workflow is given the whole input of what failed
  if (use.kind === "sub-workflow") return membersOf(node.inputParameters);
  return membersOf(membersOf(membersOf(node.inputParameters).startWorkflow).input);
}
