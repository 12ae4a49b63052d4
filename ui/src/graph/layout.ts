// Where nodes stand and which way edges run: ELK's answer, reckoned in a worker so that the page stays free. It may fail or take too long: then there is none.
// ELK is 1.4 MB of code, which a browser takes a third of a second to begin; a plain sequence, which a stacked fork is too, needs none of it.
import ELK, { type ELK as ElkApi, type ElkExtendedEdge, type ElkNode } from "elkjs/lib/elk-api";
import { useEffect, useMemo, useState } from "react";
import { workerAt } from "../lib/worker";
import type { Graph, GraphNode } from "./build";
import elkUrl from "./elk.worker?worker&url";

export interface Box {
  /** From the corner of the box it stands in. */
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Route {
  points: { x: number; y: number }[];
  label: { x: number; y: number; width: number } | null;
}
export interface Layout {
  /** What it was reckoned for. */
  key: string;
  boxes: ReadonlyMap<string, Box>;
  routes: ReadonlyMap<string, Route>;
}

const HEAD = 44; // the title of a box
const PATIENCE_MS = 15_000;
const BOXES = new Set<GraphNode["kind"]>(["loop", "child", "grid", "branch", "others"]);
export const isBox = (node: GraphNode) => BOXES.has(node.kind);
const NARROW = new Set(["FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN"]);

export function sizeOf(node: GraphNode): { width: number; height: number } {
  if (node.kind === "start" || node.kind === "end") return { width: 96, height: 28 };
  if (node.kind === "stack") return { width: 232, height: 46 + Math.max(node.counts.length, 1) * 22 };
  return { width: NARROW.has(node.type) ? 176 : 224, height: NARROW.has(node.type) ? 44 : 48 };
}

const BETWEEN = 36; // one layer and the next
const MARGIN = 8; // around it all
const LAYERED = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "28",
  "elk.spacing.edgeNode": "20",
  "elk.layered.spacing.nodeNodeBetweenLayers": `${BETWEEN}`,
  "elk.layered.spacing.edgeNodeBetweenLayers": "16",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.edgeLabels.placement": "CENTER",
};
const PACKED = { "elk.algorithm": "rectpacking", "elk.aspectRatio": "1.8", "elk.spacing.nodeNode": "12" };
const INSIDE = { "elk.padding": `[top=${HEAD + 8},left=16,bottom=16,right=16]` };
const BARE = { "elk.padding": `[top=${MARGIN},left=${MARGIN},bottom=${MARGIN},right=${MARGIN}]` };

const ROOT = " "; // no reference is a space

/** The graph as ELK is asked about it. */
export function asked(graph: Graph): ElkNode {
  const root: ElkNode = { id: ROOT, layoutOptions: { ...LAYERED, ...BARE } };
  const nodes = new Map<string, ElkNode>([["", root]]);
  for (const node of graph.nodes) {
    const box: ElkNode = { id: node.id, ...sizeOf(node) };
    if (isBox(node)) {
      const packed = node.kind === "grid" || node.kind === "others";
      box.layoutOptions = { ...(packed ? PACKED : LAYERED), ...(node.kind === "branch" ? BARE : INSIDE) };
      box.layoutOptions["elk.nodeSize.constraints"] = "MINIMUM_SIZE";
      box.layoutOptions["elk.nodeSize.minimum"] = "(304, 60)";
      box.layoutOptions["elk.contentAlignment"] = "H_CENTER V_TOP";
    }
    nodes.set(node.id, box);
    const parent = nodes.get(node.parent) ?? root;
    (parent.children ??= []).push(box);
  }
  for (const edge of graph.edges) {
    const found: ElkExtendedEdge = { id: edge.id, sources: [edge.source], targets: [edge.target] };
    if (edge.label) found.labels = [{ text: edge.label, width: widthOf(edge.label), height: 18 }];
    const parent = nodes.get(edge.parent) ?? root;
    (parent.edges ??= []).push(found);
  }
  for (const node of graph.nodes) if (node.kind === "grid" || node.kind === "others") inRows(nodes.get(node.id)!);
  return root;
}

/** Nodes without edges in rows and columns. ELK's own packing takes eight seconds for a thousand. */
function inRows(box: ElkNode): void {
  const inside = box.children ?? [];
  if (!inside.length || inside.some(one => one.children)) return; // boxes have no size yet
  const width = Math.max(...inside.map(one => one.width!)) + 12;
  const height = Math.max(...inside.map(one => one.height!)) + 12;
  const columns = Math.ceil(Math.sqrt((inside.length * 1.8 * height) / width));
  inside.forEach((one, index) => {
    one.x = 16 + (index % columns) * width;
    one.y = HEAD + 8 + Math.floor(index / columns) * height;
  });
  box.layoutOptions = { "elk.algorithm": "fixed" };
  box.width = Math.max(20 + Math.min(columns, inside.length) * width, 304);
  box.height = HEAD + 12 + Math.ceil(inside.length / columns) * height;
}

const widthOf = (label: string) => Math.min(label.length * 7 + 12, 160);

/** What a layout depends on: a graph of the same key has the same layout, whatever became of its tasks. */
export function keyOf(graph: Graph): string {
  const nodes = graph.nodes.map(node => `${node.kind} ${node.id} ${node.parent} ${node.type} ${node.counts.length}`);
  return `${nodes.join("\n")}\n\n${graph.edges.map(edge => `${edge.id} ${edge.label}`).join("\n")}`;
}

function read(key: string, root: ElkNode): Layout {
  const boxes = new Map<string, Box>();
  const routes = new Map<string, Route>();
  const walk = (node: ElkNode, x: number, y: number) => {
    for (const edge of node.edges ?? []) {
      const section = edge.sections?.[0];
      const label = edge.labels?.[0];
      const points = section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : [];
      routes.set(edge.id!, {
        points: points.map(point => ({ x: point.x + x, y: point.y + y })),
        label: label ? { x: label.x! + x, y: label.y! + y, width: label.width! } : null,
      });
    }
    for (const child of node.children ?? []) {
      boxes.set(child.id, { x: child.x!, y: child.y!, width: child.width!, height: child.height! });
      walk(child, x + child.x!, y + child.y!);
    }
  };
  walk(root, 0, 0);
  return { key, boxes, routes };
}

/** One node below the other, as ELK would place them; null unless the graph is nothing but a sequence. */
export function inOneLine(graph: Graph): Layout | null {
  const next = new Map(graph.edges.map(edge => [edge.source, edge]));
  const targets = new Set(graph.edges.map(edge => edge.target));
  if (graph.edges.length !== graph.nodes.length - 1) return null;
  if (next.size !== graph.edges.length || targets.size !== graph.edges.length) return null;
  if (graph.nodes.some(node => node.parent || isBox(node)) || graph.edges.some(edge => edge.label)) return null;
  const nodes = new Map(graph.nodes.map(node => [node.id, node]));
  const boxes = new Map<string, Box>();
  const routes = new Map<string, Route>();
  const widest = Math.max(...graph.nodes.map(node => sizeOf(node).width));
  let node = graph.nodes.find(one => !targets.has(one.id));
  let y = MARGIN;
  while (node) {
    const { width, height } = sizeOf(node);
    boxes.set(node.id, { x: MARGIN + (widest - width) / 2, y, width, height });
    const edge = next.get(node.id);
    const x = MARGIN + widest / 2;
    const ends = [y + height, y + height + BETWEEN];
    if (edge) routes.set(edge.id, { points: ends.map(at => ({ x, y: at })), label: null });
    node = edge && nodes.get(edge.target);
    y += height + BETWEEN;
  }
  return boxes.size === graph.nodes.length ? { key: keyOf(graph), boxes, routes } : null;
}

interface Engine {
  elk: ElkApi;
  worker: Worker;
}
let engine: Engine | null = null;
let turn: Promise<unknown> = Promise.resolve(); // one after another: what is no longer wanted is not begun

function start(): Engine {
  const worker = workerAt(elkUrl);
  return { worker, elk: new ELK({ algorithms: ["layered", "rectpacking", "fixed"], workerFactory: () => worker }) };
}

async function reckoned(key: string, graph: Graph): Promise<Layout> {
  const { elk, worker } = (engine ??= start());
  let fail: (error: Error) => void = () => undefined;
  const trouble = new Promise<never>((_, reject) => (fail = reject));
  const onError = () => fail(new Error("The worker that lays it out could not be started."));
  worker.addEventListener("error", onError);
  const timer = setTimeout(() => fail(new Error(`It was not laid out within ${PATIENCE_MS / 1000} s.`)), PATIENCE_MS);
  try {
    return read(key, await Promise.race([elk.layout(asked(graph)), trouble]));
  } catch (error) {
    worker.terminate(); // it may still be reckoning
    engine = null;
    throw error;
  } finally {
    clearTimeout(timer);
    worker.removeEventListener("error", onError);
  }
}

/** The latest layout there is, perhaps of the graph as it was a moment ago; `error` when there is none for this one. */
export function useLayout(graph: Graph): { layout: Layout | null; error: Error | null; again: () => void } {
  const key = keyOf(graph);
  const line = useMemo(() => inOneLine(graph), [key]); // graphs that are alike are laid out alike
  const [found, setFound] = useState<{ layout: Layout | null; error: Error | null; key: string }>({
    layout: null,
    error: null,
    key: "",
  });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (line) return;
    let isWanted = true;
    const run = async () => {
      if (!isWanted) return;
      try {
        const layout = await reckoned(key, graph);
        if (isWanted) setFound({ layout, error: null, key });
      } catch (error) {
        if (isWanted) setFound(before => ({ layout: before.layout, error: error as Error, key }));
      }
    };
    turn = turn.then(run);
    return () => {
      isWanted = false;
    };
  }, [key, tries]);
  if (line) return { layout: line, error: null, again: () => undefined };
  return { layout: found.layout, error: found.key === key ? found.error : null, again: () => setTries(tries + 1) };
}
