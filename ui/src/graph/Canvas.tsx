// A graph on the screen: laid out in a worker, drawn by React Flow, walked by mouse and keyboard; a list when it cannot be laid out.
import { MiniMap, ReactFlow, ReactFlowProvider, useReactFlow, type NodeTypes } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "../design/Button";
import { EmptyState } from "../design/EmptyState";
import { lookOf } from "../design/status";
import { count } from "../lib/format";
import type { Graph, GraphNode } from "./build";
import css from "./Graph.module.css";
import { isBox, useLayout, type Layout } from "./layout";
import { ActsContext, BoxNode, Card, Pill, spoken, Stack, type Acts, type Drawn } from "./Nodes";
import { NodeList } from "./NodeList";
import { placesIn, useView, ZOOM_MIN } from "./view";
import { stepFrom, type Direction } from "./walk";
import { drawnEdges, Way } from "./Way";

interface CanvasProps extends Acts {
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

const MAPPED_FROM = 13; // nodes; fewer are seen at once
/** React Flow draws; what is chosen and walked to is ours. */
const LOOKED_AT = {
  nodesDraggable: false,
  nodesConnectable: false,
  nodesFocusable: false,
  edgesFocusable: false,
  elementsSelectable: false,
  disableKeyboardA11y: true,
  deleteKeyCode: null,
  selectionKeyCode: null,
  multiSelectionKeyCode: null,
  panActivationKeyCode: null,
  zoomActivationKeyCode: null,
  zoomOnDoubleClick: false,
  onlyRenderVisibleElements: true,
  minZoom: ZOOM_MIN,
  maxZoom: 2,
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

  const { show, fit } = useView(area, places, selected, cursor);
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
          <Find words={words} onChange={setWords} onKey={onSearchKey} hits={wanted ? hits.length : null} />
          <span className="grow" />
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
            {...LOOKED_AT}
            onNodeClick={(_, drawn) => {
              const { node } = (drawn as Drawn).data;
              setCursor(node.id);
              props.onPick?.(node);
            }}
          >
            {!plain && nodes.length >= MAPPED_FROM && (
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
        <Zoom onFit={() => fit(true)} />
      </div>
    </div>
  );
}

function Find({
  words,
  onChange,
  onKey,
  hits,
}: {
  words: string;
  onChange: (words: string) => void;
  onKey: (event: KeyboardEvent) => void;
  /** How many were found; null when nothing is sought. */
  hits: number | null;
}) {
  return (
    <>
      <input
        className={css.search}
        type="search"
        data-search
        placeholder="Find tasks"
        aria-label="Find tasks"
        value={words}
        onChange={event => onChange(event.target.value)}
        onKeyDown={onKey}
      />
      <span className="faint" aria-live="polite">
        {hits === null ? "" : hits ? `${count(hits, "match", "matches")} · Enter for the next` : "none"}
      </span>
    </>
  );
}

function Zoom({ onFit }: { onFit: () => void }) {
  const flow = useReactFlow();
  return (
    <div className={css.zoom}>
      <Button small icon="plus" aria-label="Larger" onClick={() => void flow.zoomIn()} />
      <Button small icon="minus" aria-label="Smaller" onClick={() => void flow.zoomOut()} />
      <Button small icon="fit" aria-label="Show all" onClick={onFit} />
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
