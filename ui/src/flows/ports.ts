// Ports: what comes out of a node, what goes where, and which nodes run item by item. The backend's rules (catalogue/base.py, document/shape.py), for the hand.
import type { FlowDocument, FlowNode, InputPort, Medium, NodeTypes, OutputPort } from "./types";
import { isUnset, kindOf, liveSettings, partsOf, referencesIn } from "./values";

const MEDIA = new Set<Medium>(["image", "video", "audio", "file"]);

export function fits(source: Medium, accepts: readonly Medium[]): boolean {
  if (accepts.includes(source) || accepts.includes("json")) return true;
  if (source === "number" || source === "json") return accepts.includes("text");
  if (source === "file") return accepts.some(medium => MEDIA.has(medium));
  return MEDIA.has(source) && accepts.includes("file");
}

/** The ports of a node with these settings. */
export function portsOf(node: FlowNode, types: NodeTypes): OutputPort[] {
  const type = types.get(node.type);
  if (!type) return [];
  for (const variant of type.variants) {
    const value = node.config[variant.field];
    if (variant.value === null ? isUnset(value) : value === variant.value) return variant.outputs;
  }
  return type.outputs;
}

/** The same, and `items`, which every node that runs over a list has. */
export function outputsOf(node: FlowNode, types: NodeTypes): OutputPort[] {
  const ports = portsOf(node, types);
  if (ports.some(port => port.name === "items")) return ports;
  return [...ports, { name: "items", medium: "json", many: true }];
}

export function inputOf(node: FlowNode, types: NodeTypes, name: string): InputPort | undefined {
  return types.get(node.type)?.inputs.find(port => port.name === name);
}

/** The inputs a card shows: those that are no detail, and those that are linked. */
export function shownInputs(node: FlowNode, types: NodeTypes): InputPort[] {
  const type = types.get(node.type);
  if (!type) return [];
  return type.inputs.filter(
    port => !type.settings.properties[port.name]?.["x-ui"].advanced || referencesIn(node.config[port.name]).length > 0,
  );
}

/** Everything that may come into an input: what it accepts, and what becomes that. */
export function takenBy(port: InputPort): Medium[] {
  return ALL.filter(medium => fits(medium, port.accepts));
}
const ALL: readonly Medium[] = ["text", "number", "image", "video", "audio", "file", "json"];

export interface Shape {
  /** The settings taken item by item; none: the node runs once. */
  mapped: string[];
  nested: string[];
}
export type Shapes = ReadonlyMap<string, Shape>;

const shapes = new WeakMap<FlowDocument, { types: NodeTypes; found: Shapes }>(); // documents never change
export function shapesOf(document: FlowDocument, types: NodeTypes): Shapes {
  const known = shapes.get(document);
  if (known?.types === types) return known.found;
  const found = reckoned(document, types);
  shapes.set(document, { types, found });
  return found;
}

function reckoned(document: FlowDocument, types: NodeTypes): Shapes {
  const nodes = new Map(document.nodes.map(node => [node.id, node]));
  const known = new Map<string, Shape>();
  const shapeOf = (id: string): Shape => {
    const found = known.get(id);
    if (found) return found;
    const shape: Shape = { mapped: [], nested: [] };
    known.set(id, shape); // a circle ends here; it is refused elsewhere
    const node = nodes.get(id)!;
    for (const [name, value] of liveSettings(node)) {
      const port = inputOf(node, types, name);
      if (!port) continue;
      const depth = depthOf(value);
      const whole =
        port.arity === "many" ||
        (port.arity === "either" && node.execution?.aggregateItems === true && node.execution.waitForAll !== false);
      if (depth > 1) shape.nested.push(name);
      else if (depth === 1 && !whole) shape.mapped.push(name);
    }
    if (!shape.nested.length && shape.mapped.length && portsOf(node, types).some(port => port.many))
      shape.nested.push(...shape.mapped);
    return shape;
  };
  const depthOf = (value: unknown): number => {
    if (kindOf(value) === "text") return Math.max(0, ...partsOf(value).map(depthOf));
    if (Array.isArray(value))
      return (
        1 + Math.max(0, ...value.map(item => (kindOf(item) !== "literal" || Array.isArray(item) ? depthOf(item) : 0)))
      );
    return Math.max(
      0,
      ...referencesIn(value).map(there => {
        const node = nodes.get(there.nodeId);
        if (!node) return 0;
        const port = portsOf(node, types).find(port => port.name === there.outputKey);
        return Number(shapeOf(node.id).mapped.length > 0 || port?.many === true || there.outputKey === "items");
      }),
    );
  };
  for (const node of document.nodes) shapeOf(node.id);
  return known;
}

export function nestedIn(shapes: Shapes): string[] {
  return [...shapes].flatMap(([id, shape]) => shape.nested.map(name => `${id}.${name}`));
}
