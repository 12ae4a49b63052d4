// A graph on the screen: laid out in a worker, drawn by React Flow, walked by mouse and keyboard; a list when it cannot be laid out.
import {
  MiniMap,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type EdgeProps,
  type NodeTypes,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useCallback, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "../design/Button";
import { EmptyState } from "../design/EmptyState";
import { lookOf } from "../design/status";
import { count } from "../lib/format";
import type { Graph, GraphEdge, GraphNode } from "./build";
import css from "./Graph.module.css";
import { isBox, useLayout, type Box, type Layout, type Route } from "./layout";
import { ActsContext, BoxNode, Card, Pill, spoken, Stack, type Acts, type Drawn } from "./Nodes";
import { NodeList } from "./NodeList";
import { stepFrom, type Direction } from "./walk";

export interface CanvasProps extends Acts {
  graph: Graph;
  label: string;
  /** The node that is selected, by id. */
  selected?: string;
  /** Beside the search field. */
  tools?: React.ReactNode;
  /** Without search and map, for small places. */
  plain?: boolean;
}

const NODES: NodeTypes = { card: Card, pill: Pill, stack: Stack, box: BoxNode };
const EDGES = { way: Way };
const READABLE = 0.6; // below this zoom a whole graph is not shown at first, but its selected part
const ARROWS: Record<string, Direction> = {
  ArrowDown: "down",
  ArrowUp: "up",
  ArrowLeft: "left",
  ArrowRight: "right",
  j: "down",
  k: "up",
  h: "left",
  l: "right",
};

export default function Canvas(props: CanvasProps) {
  const { layout, error, again } = useLayout(props.graph);
  if (!props.graph.nodes.some(node => node.kind !== "start" && node.kind !== "end"))
    return (
      <EmptyState icon="flow" title="It has no tasks">
        A graph appears with the first one.
      </EmptyState>
    );
  if (error) return <NodeList {...props} error={error} again={again} />;
  if (!layout) return <div className={css.canvas} aria-busy="true" />;
  return (
    <ReactFlowProvider>
      <Flow {...props} layout={layout} />
    </ReactFlowProvider>
  );
}

function Flow(props: CanvasProps & { layout: Layout }) {
  const { graph, layout, selected = "", label, tools, plain = false } = props;
  const flow = useReactFlow();
  const area = useRef<HTMLDivElement>(null);
  const idOf = useId();
  const [cursor, setCursor] = useState(selected);
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const places = useMemo(() => placesIn(graph, layout), [graph, layout]);
  const hits = useMemo(() => (wanted ? graph.nodes.filter(node => matches(node, wanted)) : []), [graph, wanted]);
  const nodes = useMemo(
    () => drawnNodes(graph, layout, { selected, cursor, hits: wanted ? new Set(hits.map(one => one.id)) : null }),
    [graph, layout, selected, cursor, hits, wanted],
  );
  const edges = useMemo(() => drawnEdges(graph, layout), [graph, layout]);

  /** Bring a node into view if it is not. */
  const show = useCallback(
    (id: string, always = false) => {
      const place = places.get(id);
      const box = area.current?.getBoundingClientRect();
      if (!place || !box) return;
      const { x, y, zoom } = flow.getViewport();
      const height = Math.min(place.height, 60); // of a box its title
      const left = place.x * zoom + x;
      const top = place.y * zoom + y;
      const isSeen =
        left >= 8 && top >= 8 && left + place.width * zoom <= box.width - 8 && top + height * zoom <= box.height - 8;
      if (isSeen && !always) return;
      void flow.setCenter(place.x + place.width / 2, place.y + height / 2, { zoom: Math.max(zoom, READABLE) });
    },
    [flow, places],
  );
  const fit = useCallback(
    (isWhole: boolean) => {
      const box = area.current?.getBoundingClientRect();
      if (!box || !places.size) return;
      const size = extent(places);
      const zoom = Math.min((box.width - 32) / size.width, (box.height - 32) / size.height, 1);
      if (isWhole || zoom >= READABLE)
        void flow.setViewport({
          zoom: Math.max(zoom, 0.02),
          x: (box.width - size.width * zoom) / 2,
          y: Math.max((box.height - size.height * zoom) / 2, 16),
        });
      else {
        const first = places.get(selected) ?? places.values().next().value!;
        const near = Math.max(zoom, READABLE);
        const y = box.height / 2 - (first.y + Math.min(first.height, 60) / 2) * near;
        void flow.setViewport({
          zoom: near,
          x:
            size.width * near <= box.width
              ? (box.width - size.width * near) / 2
              : box.width / 2 - (first.x + first.width / 2) * near,
          y: Math.min(y, 16),
        });
      }
    },
    [flow, places, selected],
  );
  const isFitted = useRef(false);
  useEffect(() => {
    if (isFitted.current) return;
    isFitted.current = true;
    fit(false);
  }, [fit]);
  // Another layout: what one was at stays where it was on the screen.
  const before = useRef(places);
  useEffect(() => {
    const was = before.current.get(cursor);
    const is = places.get(cursor);
    before.current = places;
    if (!was || !is || (was.x === is.x && was.y === is.y && was.width === is.width)) return;
    const { x, y, zoom } = flow.getViewport();
    const across = was.x + was.width / 2 - is.x - is.width / 2;
    void flow.setViewport({ x: x + across * zoom, y: y + (was.y - is.y) * zoom, zoom });
  }, [places]);
  const isShown = useRef("");
  useEffect(() => {
    if (!selected) return;
    setCursor(selected);
    if (isShown.current === selected || !places.has(selected)) return;
    if (isShown.current) show(selected); // the first is where it was fitted to
    isShown.current = selected;
  }, [selected, places]);

  const go = (id: string | null) => {
    if (!id) return;
    const node = graph.nodes.find(one => one.id === id)!;
    setCursor(id);
    show(id);
    if (!node.home) props.onPick?.(node);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.target !== area.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = ARROWS[event.key];
    const node = graph.nodes.find(one => one.id === cursor);
    if (direction) go(stepFrom(graph, places, cursor, direction));
    else if (event.key === "Home") go(graph.nodes[0]!.id);
    else if (event.key === "0") fit(true);
    else if (event.key === "+" || event.key === "=") void flow.zoomIn();
    else if (event.key === "-") void flow.zoomOut();
    else if ((event.key === "[" || event.key === "]") && node) turnOf(node, event.key === "]" ? 1 : -1);
    else if (event.key === "Enter" && node) {
      if (node.child || node.kind === "child") props.onChild?.(node);
      else if (node.counts.length) props.onSpread?.(node);
      else props.onPick?.(node);
    } else return;
    event.preventDefault();
  };
  const turnOf = (node: GraphNode, by: number) => {
    let loop: GraphNode | undefined = node;
    while (loop && loop.kind !== "loop") loop = graph.nodes.find(one => one.id === loop!.parent);
    if (loop?.turns) props.onTurn?.(loop, Math.min(Math.max(loop.turn + by, 1), loop.turns));
  };
  const onSearchKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !hits.length) return;
    const at = hits.findIndex(one => one.id === cursor);
    const next = hits[(at + (event.shiftKey ? -1 : 1) + hits.length) % hits.length]!;
    setCursor(next.id);
    show(next.id, true);
    if (!next.home) props.onPick?.(next);
  };
  const at = graph.nodes.find(one => one.id === cursor);
  const { onPick, onChild, onSpread, onTurn, marks } = props;
  const acts = useMemo(() => {
    const first = <A extends unknown[]>(act: ((node: GraphNode, ...more: A) => void) | undefined) =>
      act && ((node: GraphNode, ...more: A) => (setCursor(node.id), act(node, ...more)));
    return { onPick, onChild: first(onChild), onSpread: first(onSpread), onTurn: first(onTurn), marks };
  }, [onPick, onChild, onSpread, onTurn, marks]);
  return (
    <div className={css.whole}>
      {!plain && (
        <div className={css.tools}>
          <input
            className={css.search}
            type="search"
            data-search
            placeholder="Find tasks"
            aria-label="Find tasks"
            value={words}
            onChange={event => setWords(event.target.value)}
            onKeyDown={onSearchKey}
          />
          <span className="faint" aria-live="polite">
            {wanted ? (hits.length ? `${count(hits.length, "match", "matches")} · Enter for the next` : "none") : ""}
          </span>
          <span className={css.space} />
          {tools}
        </div>
      )}
      <div
        className={css.canvas}
        ref={area}
        role="group"
        tabIndex={0}
        aria-label={label}
        aria-roledescription="graph"
        aria-describedby={`${idOf}-keys`}
        onKeyDown={onKey}
      >
        <p id={`${idOf}-keys`} className="visually-hidden">
          Arrow keys walk, Enter opens what is inside, brackets turn a loop, 0 shows all.
        </p>
        <p className="visually-hidden" aria-live="polite">
          {at ? spoken(at) : ""}
        </p>
        <ActsContext value={acts}>
          <ReactFlow
            nodes={nodes}
            edges={edges}
            nodeTypes={NODES}
            edgeTypes={EDGES}
            nodesDraggable={false}
            nodesConnectable={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            disableKeyboardA11y
            deleteKeyCode={null}
            selectionKeyCode={null}
            multiSelectionKeyCode={null}
            panActivationKeyCode={null}
            zoomActivationKeyCode={null}
            zoomOnDoubleClick={false}
            onlyRenderVisibleElements
            minZoom={0.02}
            maxZoom={2}
            onNodeClick={(_, drawn) => {
              const { node } = (drawn as Drawn).data;
              setCursor(node.id);
              props.onPick?.(node);
            }}
          >
            {!plain && nodes.length > 12 && (
              <MiniMap
                className={css.map}
                pannable
                zoomable
                ariaLabel="Map of the graph"
                nodeColor={drawn => colourOf((drawn as Drawn).data.node)}
                nodeStrokeWidth={0}
              />
            )}
          </ReactFlow>
        </ActsContext>
        <div className={css.zoom}>
          <Button small icon="plus" aria-label="Larger" onClick={() => void flow.zoomIn()} />
          <Button small icon="minus" aria-label="Smaller" onClick={() => void flow.zoomOut()} />
          <Button small icon="fit" aria-label="Show all" onClick={() => fit(true)} />
        </div>
      </div>
    </div>
  );
}

function colourOf(node: GraphNode): string {
  if (isBox(node)) return "transparent";
  const tone = node.status ? (lookOf(node.status).tone ?? "scheduled") : "";
  return tone ? `var(--${tone}-fill)` : "var(--line-strong)";
}

const matches = (node: GraphNode, words: string) =>
  `${node.ref} ${node.name} ${node.type} ${node.status} ${node.rows.at(-1)?.reason ?? ""}`
    .toLowerCase()
    .includes(words);

/** Where nodes stand, all from the corner of the picture. */
function placesIn(graph: Graph, layout: Layout): Map<string, Box> {
  const places = new Map<string, Box>();
  for (const node of graph.nodes) {
    const box = layout.boxes.get(node.id);
    if (!box) continue; // it came after this layout
    const around = places.get(node.parent);
    places.set(node.id, { ...box, x: box.x + (around?.x ?? 0), y: box.y + (around?.y ?? 0) });
  }
  return places;
}

function extent(places: ReadonlyMap<string, Box>): { width: number; height: number } {
  let [width, height] = [1, 1];
  for (const one of places.values()) {
    width = Math.max(width, one.x + one.width);
    height = Math.max(height, one.y + one.height);
  }
  return { width, height };
}

function drawnNodes(
  graph: Graph,
  layout: Layout,
  { selected, cursor, hits }: { selected: string; cursor: string; hits: ReadonlySet<string> | null },
): Drawn[] {
  const found: Drawn[] = [];
  for (const node of graph.nodes) {
    const box = layout.boxes.get(node.id);
    if (!box || (node.parent && !layout.boxes.has(node.parent))) continue;
    found.push({
      id: node.id,
      type: isBox(node) ? "box" : node.kind === "stack" ? "stack" : node.kind === "task" ? "card" : "pill",
      position: { x: box.x, y: box.y },
      width: box.width,
      height: box.height,
      ...(node.parent ? { parentId: node.parent } : {}),
      data: {
        node,
        isSelected: node.id === selected,
        isCursor: node.id === cursor,
        isFaint: (graph.isExecuted && !node.isTaken) || (hits !== null && !hits.has(node.id) && !isBox(node)),
        isHit: hits?.has(node.id) ?? false,
      },
    });
  }
  return found;
}

type DrawnEdge = Edge<{ edge: GraphEdge; route: Route; isFaint: boolean; isStrong: boolean }>;

function drawnEdges(graph: Graph, layout: Layout): DrawnEdge[] {
  const found: DrawnEdge[] = [];
  for (const edge of graph.edges) {
    const route = layout.routes.get(edge.id);
    if (!route?.points.length || !layout.boxes.has(edge.source) || !layout.boxes.has(edge.target)) continue;
    const isFaint = graph.isExecuted && !edge.isTaken;
    found.push({
      id: edge.id,
      type: "way",
      source: edge.source,
      target: edge.target,
      data: { edge, route, isFaint, isStrong: graph.isExecuted && edge.isTaken },
    });
  }
  return found.sort((a, b) => Number(a.data!.isStrong) - Number(b.data!.isStrong)); // what was taken lies above
}

function Way({ data }: EdgeProps<DrawnEdge>) {
  const { edge, route, isFaint, isStrong } = data!;
  const end = route.points.at(-1)!;
  const { label } = route;
  const text = edge.label.length > 22 ? `${edge.label.slice(0, 21)}…` : edge.label;
  return (
    <g className={css.way} data-edge={edge.id} data-faint={isFaint || undefined} data-strong={isStrong || undefined}>
      <path d={rounded(route.points)} />
      <path className={css.tip} d={`M${end.x - 4} ${end.y - 7}L${end.x} ${end.y}L${end.x + 4} ${end.y - 7}Z`} />
      {label && text && (
        <g>
          <title>{edge.label}</title>
          <rect x={label.x} y={label.y} width={label.width} height={18} rx={4} />
          <text x={label.x + label.width / 2} y={label.y + 13}>
            {text}
          </text>
        </g>
      )}
    </g>
  );
}

/** A line through the points, its corners rounded. */
function rounded(points: readonly { x: number; y: number }[], radius = 6): string {
  let path = `M${points[0]!.x} ${points[0]!.y}`;
  for (let n = 1; n < points.length - 1; n++) {
    const [from, corner, next] = [points[n - 1]!, points[n]!, points[n + 1]!];
    const before = toward(corner, from, radius);
    const after = toward(corner, next, radius);
    path += `L${before.x} ${before.y}Q${corner.x} ${corner.y} ${after.x} ${after.y}`;
  }
  const end = points.at(-1)!;
  return `${path}L${end.x} ${end.y}`;
}

function toward(from: { x: number; y: number }, to: { x: number; y: number }, by: number): { x: number; y: number } {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const share = Math.min(by / length, 0.5);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}
