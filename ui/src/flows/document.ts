// A flow's document and what is done to it: pure, every change a new document. Edges are not written anywhere, they follow from references in settings.
import { fits, inputOf, nestedIn, outputsOf, portsOf, shapesOf } from "./ports";
import type { Execution, FlowDocument, FlowNode, NodeType, NodeTypes } from "./types";
import { isObject, isReference, isUnset, kindOf, partsOf, reference, referencesIn } from "./values";

const FORMAT = "batuta-flow/1";
export const AFTER = ""; // the port of an edge that is an order and hands nothing over

export interface Edge {
  id: string;
  source: string;
  output: string;
  target: string;
  field: string;
}

export const empty = (name = "Untitled flow"): FlowDocument => ({ format: FORMAT, workflowName: name, nodes: [] });
const edges = new WeakMap<FlowDocument, Edge[]>(); // documents never change
export function edgesOf(document: FlowDocument): Edge[] {
  let found = edges.get(document);
  if (!found) edges.set(document, (found = edgesIn(document)));
  return found;
}

function edgesIn(document: FlowDocument): Edge[] {
  const known = new Set(document.nodes.map(node => node.id));
  const found = new Map<string, Edge>();
  const add = (source: string, output: string, target: string, field: string) => {
    if (!known.has(source)) return;
    const id = JSON.stringify([source, output, target, field]);
    found.set(id, { id, source, output, target, field });
  };
  for (const node of document.nodes) {
    for (const [field, value] of Object.entries(node.config))
      for (const there of referencesIn(value)) add(there.nodeId, there.outputKey, node.id, field);
    for (const before of node.after ?? []) add(before, AFTER, node.id, AFTER);
  }
  return [...found.values()];
}

/** Every node that can be reached from this one along edges, itself among them. */
export function behind(document: FlowDocument, from: string): Set<string> {
  const after = new Map<string, string[]>();
  for (const { source, target } of edgesOf(document)) after.set(source, [...(after.get(source) ?? []), target]);
  const seen = new Set([from]);
  for (const at of seen) for (const next of after.get(at) ?? []) seen.add(next); // a set is walked over what is added meanwhile, too
  return seen;
}

// -- changes --------------------------------------------------------------------------------------------------------

export function changed(document: FlowDocument, id: string, change: (node: FlowNode) => FlowNode): FlowDocument {
  return { ...document, nodes: document.nodes.map(node => (node.id === id ? change(node) : node)) };
}

/** Undefined takes the setting away, and its default holds. */
export function withSetting(document: FlowDocument, id: string, name: string, value: unknown): FlowDocument {
  return changed(document, id, node => {
    const config = { ...node.config };
    if (value === undefined) delete config[name];
    else config[name] = value;
    return { ...node, config };
  });
}

export function withExecution(document: FlowDocument, id: string, change: Execution): FlowDocument {
  return changed(document, id, node => ({ ...node, execution: { ...node.execution, ...change } }));
}

export function withPositions(document: FlowDocument, positions: ReadonlyMap<string, [number, number]>): FlowDocument {
  return {
    ...document,
    nodes: document.nodes.map(node => {
      const to = positions.get(node.id);
      return to ? { ...node, position: [Math.round(to[0]), Math.round(to[1])] } : node;
    }),
  };
}

/** An id no node of the document has: the type and the first free number. */
function freeId(document: FlowDocument, type: string, taken: ReadonlySet<string> = new Set()): string {
  const ids = new Set([...document.nodes.map(node => node.id), ...taken]);
  for (let number = 1; ; number++) if (!ids.has(`${type}_${number}`)) return `${type}_${number}`;
}

export function added(
  document: FlowDocument,
  type: NodeType,
  position: [number, number],
): { document: FlowDocument; id: string } {
  const id = freeId(document, type.type);
  const same = document.nodes.filter(node => node.type === type.type).length;
  const node: FlowNode = {
    id,
    type: type.type,
    title: same ? `${type.title} ${same + 1}` : type.title,
    config: {},
    execution: {},
    position: [Math.round(position[0]), Math.round(position[1])],
  };
  return { document: { ...document, nodes: [...document.nodes, node] }, id };
}

/** The needed inputs of a new node, linked to what fits of the one it was added behind. */
export function autoLinked(document: FlowDocument, types: NodeTypes, id: string, behind: string): FlowDocument {
  const source = document.nodes.find(node => node.id === behind);
  const target = document.nodes.find(node => node.id === id);
  const type = target && types.get(target.type);
  if (!source || !type) return document;
  let result = document;
  for (const port of type.inputs.filter(port => port.required)) {
    const output = portsOf(source, types).find(
      output => fits(output.medium, port.accepts) && isMain(output.name, source, types),
    );
    if (output && !refusal(result, types, { source: behind, output: output.name, target: id, field: port.name }))
      result = connected(result, types, { source: behind, output: output.name, target: id, field: port.name });
  }
  return result;
}

/** The first output and lists of them are what a node is for; what it repeats of its inputs is not linked by itself. */
function isMain(name: string, node: FlowNode, types: NodeTypes): boolean {
  const ports = portsOf(node, types);
  return ports[0]?.name === name || name === "items";
}

/** Without these nodes, and without what others took from them. */
export function removed(document: FlowDocument, ids: ReadonlySet<string>): FlowDocument {
  const without = edgesOf(document)
    .filter(edge => ids.has(edge.source) && !ids.has(edge.target))
    .reduce(disconnected, document);
  return { ...without, nodes: without.nodes.filter(node => !ids.has(node.id)) };
}

/** These nodes as a document of their own, to be pasted. */
export function picked(document: FlowDocument, ids: ReadonlySet<string>): FlowDocument {
  return {
    format: FORMAT,
    workflowName: document.workflowName,
    nodes: document.nodes.filter(node => ids.has(node.id)),
  };
}

/** With the nodes of another document, under new ids; links among them follow, links to nodes that are not here go. */
export function pasted(
  document: FlowDocument,
  other: FlowDocument,
  offset = 40,
): { document: FlowDocument; ids: Set<string> } {
  const ids = new Map<string, string>();
  for (const node of other.nodes) ids.set(node.id, freeId(document, node.type, new Set(ids.values())));
  const here = new Set(document.nodes.map(node => node.id));
  const copies = other.nodes.map(node => {
    const config = Object.fromEntries(
      Object.entries(node.config)
        .map(([name, value]) => [name, moved(value, ids, here)] as const)
        .filter(([, value]) => value !== undefined),
    );
    const after = (node.after ?? []).flatMap(before => ids.get(before) ?? (here.has(before) ? before : []));
    const position: [number, number] | undefined = node.position
      ? [node.position[0] + offset, node.position[1] + offset]
      : undefined;
    return { ...node, id: ids.get(node.id)!, config, after, position };
  });
  return { document: { ...document, nodes: [...document.nodes, ...copies] }, ids: new Set(ids.values()) };
}

function moved(value: unknown, ids: ReadonlyMap<string, string>, here: ReadonlySet<string>): unknown {
  if (isReference(value)) {
    const to = ids.get(value.nodeId) ?? (here.has(value.nodeId) ? value.nodeId : undefined);
    return to === undefined ? undefined : { ...value, nodeId: to };
  }
  if (Array.isArray(value)) return value.map(item => moved(item, ids, here)).filter(item => item !== undefined);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, moved(item, ids, here)] as const)
      .filter(([, item]) => item !== undefined),
  );
}

// -- links ----------------------------------------------------------------------------------------------------------

export type Link = Omit<Edge, "id">;

/** Why an output may not go into an input, in words; empty when it may. */
export function refusal(document: FlowDocument, types: NodeTypes, link: Link): string {
  return judge(document, types, link.target, link.field)(link.source, link.output);
}

/** The same for many outputs and one input: what they share is reckoned once. */
function judge(document: FlowDocument, types: NodeTypes, to: string, field: string) {
  const nodes = new Map(document.nodes.map(node => [node.id, node]));
  const target = nodes.get(to);
  const input = target && inputOf(target, types, field);
  const later = target ? behind(document, to) : new Set<string>();
  const shapes = shapesOf(document, types);
  const nests = new Map<boolean, boolean>(); // whether a list, or what is none, would become a list of lists here
  const wouldNest = (link: Link, isList: boolean) => {
    const known = nests.get(isList);
    if (known !== undefined) return known;
    const before = new Set(nestedIn(shapes));
    const found = nestedIn(shapesOf(connected(document, types, link), types)).some(place => !before.has(place));
    nests.set(isList, found);
    return found;
  };
  return (from: string, name: string): string => {
    const source = nodes.get(from);
    if (!source || !target) return "There is no such node.";
    if (source === target) return "A node cannot take from itself.";
    const output = outputsOf(source, types).find(port => port.name === name);
    if (!output || !input) return "There is no such port.";
    if (!fits(output.medium, input.accepts))
      return `${output.medium} does not fit: this takes ${input.accepts.join(" or ")}.`;
    if (later.has(from)) return "This would be a circle: the nodes would wait for each other.";
    const isList = output.many || (shapes.get(from)?.mapped.length ?? 0) > 0;
    if (wouldNest({ source: from, output: name, target: to, field }, isList)) return "This would be a list of lists.";
    return "";
  };
}

/** Every output that may go into this input, the nearest nodes first. */
export function offers(document: FlowDocument, types: NodeTypes, to: FlowNode, field: string) {
  const refused = judge(document, types, to.id, field);
  const accepts = inputOf(to, types, field)?.accepts ?? [];
  const at = to.position ?? [0, 0];
  const far = ({ position }: FlowNode) => Math.hypot((position?.[0] ?? 0) - at[0], (position?.[1] ?? 0) - at[1]);
  return document.nodes
    .flatMap(node => outputsOf(node, types).map(port => ({ node, port })))
    .filter(({ port }) => port.name !== "items" || port.medium !== "json" || accepts.includes("json"))
    .filter(({ node, port }) => refused(node.id, port.name) === "")
    .sort((a, b) => far(a.node) - far(b.node));
}

/** The link made. A port for many keeps what it has and takes one more; a port for one takes this instead. */
export function connected(document: FlowDocument, types: NodeTypes, link: Link): FlowDocument {
  const target = document.nodes.find(node => node.id === link.target);
  if (!target) return document;
  const now = target.config[link.field];
  const added = reference(link.source, link.output);
  if (referencesIn(now).some(there => there.nodeId === link.source && there.outputKey === link.output)) return document;
  const input = inputOf(target, types, link.field);
  let value: unknown = added;
  if (kindOf(now) === "text") value = { ...(now as object), parts: [...partsOf(now), added] };
  else if (input?.arity === "many" && input.accepts.every(medium => medium !== "text") && !isNothing(now))
    value = [...(Array.isArray(now) ? (now as unknown[]) : [now]), added];
  return withSetting(document, link.target, link.field, value);
}

const isNothing = (value: unknown) => isUnset(value) || (Array.isArray(value) && !value.length);

export function disconnected(document: FlowDocument, edge: Link): FlowDocument {
  return changed(document, edge.target, node => {
    if (edge.field === AFTER) return { ...node, after: (node.after ?? []).filter(before => before !== edge.source) };
    const config = { ...node.config };
    const left = cut(config[edge.field], edge);
    if (left === undefined) delete config[edge.field];
    else config[edge.field] = left;
    return { ...node, config };
  });
}

/** The value without its references to that output; undefined when nothing is left of it. */
function cut(value: unknown, edge: Link): unknown {
  if (isReference(value)) return value.nodeId === edge.source && value.outputKey === edge.output ? undefined : value;
  if (kindOf(value) === "text") {
    const parts = partsOf(value)
      .map(part => cut(part, edge))
      .filter(part => part !== undefined);
    if (parts.some(part => kindOf(part) !== "literal")) return { ...(value as object), parts };
    return parts.length ? parts.join("") : undefined;
  }
  if (Array.isArray(value)) {
    const left = value.map(item => cut(item, edge)).filter(item => item !== undefined);
    return left.length || !value.length ? left : undefined;
  }
  if (!isObject(value) || !referencesIn(value).length) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, cut(item, edge)] as const)
      .filter(([, item]) => item !== undefined),
  );
}

// -- reading and places ---------------------------------------------------------------------------------------------

/** What was pasted or dropped, when it looks like a flow. Whether it is a good one is for the backend to say. */
export function readDocument(text: string): FlowDocument | null {
  try {
    const found = JSON.parse(text) as unknown;
    if (!isObject(found) || !Array.isArray(found.nodes)) return null;
    const nodes = found.nodes.filter(
      (node): node is FlowNode => isObject(node) && typeof node.id === "string" && typeof node.type === "string",
    );
    if (nodes.length !== found.nodes.length) return null;
    const name = [found.workflowName, found.name].find(name => typeof name === "string") as string | undefined;
    const whole = nodes.map(node => ({ ...node, config: isObject(node.config) ? node.config : {} }));
    return { ...found, format: FORMAT, workflowName: name ?? "", nodes: whole };
  } catch {
    return null;
  }
}

export const COLUMN = 320;
export const ROW = 300;

/** A place for every node: its own, or by how far it is from the beginning. */
export function placed(document: FlowDocument): Map<string, [number, number]> {
  const edges = edgesOf(document);
  const depths = new Map<string, number>();
  const depthOf = (id: string, path: ReadonlySet<string>): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    if (path.has(id)) return 0;
    const behind = new Set([...path, id]);
    const before = edges.filter(edge => edge.target === id).map(edge => depthOf(edge.source, behind));
    const depth = before.length ? Math.max(...before) + 1 : 0;
    depths.set(id, depth);
    return depth;
  };
  const rows = new Map<number, number>();
  return new Map(
    document.nodes.map(node => {
      if (node.position) return [node.id, node.position];
      const depth = depthOf(node.id, new Set());
      const row = rows.get(depth) ?? 0;
      rows.set(depth, row + 1);
      return [node.id, [depth * COLUMN, row * ROW]];
    }),
  );
}
