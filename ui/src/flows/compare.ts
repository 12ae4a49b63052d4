// Two runs side by side: which node of one is which of the other, what was set otherwise, and what came out of it. Pure.
import { outputsOfRun, shownOf, textOf, type Shown } from "./results";
import type { FlowDocument, FlowNode, NodeStatus, NodeTypes, Run } from "./types";
import { isReference, isUnset, kindOf, partsOf } from "./values";

export interface Side {
  node: FlowNode;
  status: NodeStatus | undefined;
  output: Record<string, unknown> | undefined;
  shown: Shown | null;
}
export interface Difference {
  name: string;
  a: string;
  b: string;
}
export interface Pair {
  id: string;
  title: string;
  a: Side | null;
  b: Side | null;
  differences: Difference[];
  /** Both made the very same thing: assets are named by what is in them. */
  isSame: boolean;
}
export interface Ran {
  run: Run;
  document: FlowDocument | null;
}

/** The nodes of both runs in the order of the first; what only the second has comes behind. */
export function pairsOf(a: Ran, b: Ran, types: NodeTypes): Pair[] {
  const [left, right] = [sidesOf(a, types), sidesOf(b, types)];
  const titles = new Map([...right, ...left].map(([id, side]) => [id, side.node.title || side.node.type]));
  return [...new Set([...left.keys(), ...right.keys()])].map(id => {
    const [x, y] = [left.get(id) ?? null, right.get(id) ?? null];
    return {
      id,
      title: titles.get(id) ?? id,
      a: x,
      b: y,
      differences: x && y ? differencesOf(x.node, y.node, types, titles) : [],
      isSame: !!x?.shown && !!y?.shown && JSON.stringify(x.shown.values) === JSON.stringify(y.shown.values),
    };
  });
}

export const isAlike = (pair: Pair) => !!pair.a && !!pair.b && !pair.differences.length && pair.isSame;

function sidesOf({ run, document }: Ran, types: NodeTypes): Map<string, Side> {
  const outputs = outputsOfRun(run);
  const statuses = new Map(run.nodeStatuses.map(status => [status.id, status]));
  const nodes: FlowNode[] =
    document?.nodes ?? run.nodeStatuses.map(status => ({ id: status.id, type: typeIn(run, status.id), config: {} }));
  return new Map(
    nodes.map(node => {
      const output = outputs.get(node.id);
      return [node.id, { node, status: statuses.get(node.id), output, shown: shownOf(node, types, output) }];
    }),
  );
}

const typeIn = (run: Run, id: string) => run.results.find(result => result.nodeId === id)?.nodeType ?? "";

function differencesOf(a: FlowNode, b: FlowNode, types: NodeTypes, titles: ReadonlyMap<string, string>): Difference[] {
  const found: Difference[] = [];
  const add = (name: string, x: unknown, y: unknown) => {
    if (JSON.stringify(x) !== JSON.stringify(y))
      found.push({ name, a: spelledOut(x, titles), b: spelledOut(y, titles) });
  };
  if (a.type !== b.type) add("type", a.type, b.type);
  const properties = types.get(b.type)?.settings.properties ?? {};
  for (const name of new Set([...Object.keys(a.config), ...Object.keys(b.config)]))
    add(properties[name]?.title ?? name, a.config[name], b.config[name]);
  for (const name of new Set([...Object.keys(a.execution ?? {}), ...Object.keys(b.execution ?? {})]))
    add(name, a.execution?.[name], b.execution?.[name]);
  if ((a.enabled ?? true) !== (b.enabled ?? true)) add("switched on", a.enabled ?? true, b.enabled ?? true);
  return found;
}

/** A setting in words: links by the titles of their nodes, what is not set as such. */
export function spelledOut(value: unknown, titles: ReadonlyMap<string, string>): string {
  if (isUnset(value)) return "not set";
  if (isReference(value)) return `→ ${titles.get(value.nodeId) ?? value.nodeId} · ${value.outputKey}`;
  if (kindOf(value) === "text")
    return partsOf(value)
      .map(part => (isReference(part) ? `[${spelledOut(part, titles)}]` : textOf(part)))
      .join("");
  if (Array.isArray(value)) return value.map(item => spelledOut(item, titles)).join(", ") || "none";
  return textOf(value);
}
