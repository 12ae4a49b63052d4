// The canvas: cards and links of the document, moved and made by hand. What is drawn follows from the document; only sizes and drags are React Flow's own.
import {
  applyNodeChanges,
  Background,
  Controls,
  MiniMap,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  type Connection,
  type Edge as DrawnEdge,
  type Node as DrawnNode,
  type NodeChange,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { usePreferences } from "../app/preferences";
import { toast } from "../design/Toast";
import { Card } from "./Card";
import { connected, edgesOf, placed, refusal, withPositions } from "./document";
import { Keys } from "./Keys";
import { Link, type LinkData } from "./Link";
import { outputsOf, shapesOf } from "./ports";
import { progressOf, type Progress } from "./results";
import { NONE, studio, useStudio } from "./studio";
import { WHOLE } from "./view";
import css from "./Canvas.module.css";

const NODES = { card: Card };
const EDGES = { link: Link };
const MAPPED_FROM = 5; // nodes; fewer are seen at once
const CULLED_FROM = 400; // nodes; beyond, those out of sight are not drawn
const PORT_AT = 60; // how far below the top of a card its first port is
const linkOf = (drawn: Connection | DrawnEdge) => ({
  source: drawn.source,
  output: drawn.sourceHandle ?? "",
  target: drawn.target,
  field: drawn.targetHandle ?? "",
});

export function Canvas({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const many = useStudio(state => state.document.nodes.length > CULLED_FROM);
  const hasMap = useStudio(state => state.document.nodes.length >= MAPPED_FROM);
  const nodes = useDrawnNodes();
  const edges = useDrawnEdges();
  const [cut, setCut] = useState<ReadonlySet<string>>(NONE);
  const [linking, setLinking] = useState("");
  const stage = useRef<HTMLDivElement>(null);
  const { theme } = usePreferences();
  const flow = useReactFlow();
  const wanted = useRef(true);

  useEffect(() => {
    if (!wanted.current || !nodes.drawn.length || !nodes.drawn.every(node => node.measured)) return;
    wanted.current = false;
    void flow.fitView(WHOLE);
  }, [nodes.drawn, flow]);

  const links = useCallback((ids: ReadonlySet<string>) => edges.filter(edge => ids.has(edge.id)).map(linkOf), [edges]);
  const shownEdges = useMemo(
    () => (cut.size ? edges.map(edge => (cut.has(edge.id) ? { ...edge, selected: true } : edge)) : edges),
    [edges, cut],
  );

  return (
    <div ref={stage} className={css.canvas} data-flow-canvas="" data-linking={linking || undefined}>
      <ReactFlow
        nodes={nodes.drawn}
        edges={shownEdges}
        nodeTypes={NODES}
        edgeTypes={EDGES}
        onNodesChange={nodes.onChange}
        onEdgesChange={changes =>
          setCut(now => {
            const next = new Set(now);
            for (const change of changes)
              if (change.type === "select") change.selected ? next.add(change.id) : next.delete(change.id);
            return next;
          })
        }
        isValidConnection={connection => {
          const { state } = studio();
          return refusal(state.document, state.types, linkOf(connection)) === "";
        }}
        onConnect={connection =>
          studio().change(document => connected(document, studio().state.types, linkOf(connection)))
        }
        onConnectStart={(_, from) => setLinking(mediaOf(from))}
        onConnectEnd={(event, connection) => {
          const { fromHandle, toHandle, isValid } = connection;
          setLinking("");
          if (isValid || !fromHandle) return;
          if (!toHandle) {
            if (fromHandle.type !== "source" || connection.toNode) return;
            const { clientX, clientY } = "changedTouches" in event ? event.changedTouches[0]! : event;
            const at = flow.screenToFlowPosition({ x: clientX, y: clientY });
            ask(fromHandle.nodeId, fromHandle.id ?? "", [at.x, at.y - PORT_AT]);
            return onPalette();
          }
          const [source, target] = fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
          const { state } = studio();
          const link = {
            source: source.nodeId,
            output: source.id ?? "",
            target: target.nodeId,
            field: target.id ?? "",
          };
          const words =
            source.type === target.type ? "An output goes into an input." : refusal(state.document, state.types, link);
          if (words) toast("bad", words);
        }}
        onMoveStart={() => stage.current?.toggleAttribute("data-moving", true)}
        onMoveEnd={() => stage.current?.toggleAttribute("data-moving", false)}
        onPaneClick={event => event.detail === 2 && onPalette()}
        colorMode={theme}
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Control", "Meta", "Shift"]}
        selectionMode={SelectionMode.Partial}
        onlyRenderVisibleElements={many}
        minZoom={0.1}
        maxZoom={2}
        zoomOnDoubleClick={false}
        fitView
        fitViewOptions={WHOLE}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={20} size={1.2} color="var(--line-strong)" />
        <Controls showInteractive={false} position="bottom-left" />
        {hasMap && <MiniMap pannable zoomable position="bottom-right" className={css.map} nodeColor={colourOf} />}
      </ReactFlow>
      <Keys cut={cut} links={links} onPalette={onPalette} onHelp={onHelp} />
    </div>
  );
}

const FILLS: Record<string, string> = {
  running: "--running-fill",
  completed: "--completed-fill",
  failed: "--failed-fill",
};
function colourOf(node: DrawnNode): string {
  const status = studio().state.statuses.get(node.id)?.status ?? "";
  return `var(${FILLS[status] ?? "--line-strong"})`;
}

/** The document's nodes as React Flow draws them; what it measures and drags lives here, where they end up in the document. */
function useDrawnNodes() {
  const document = useStudio(state => state.document);
  const selected = useStudio(state => state.selected);
  const [drawn, setDrawn] = useState<DrawnNode[]>([]);

  useEffect(() => {
    const places = placed(document);
    setDrawn(before => {
      const known = new Map(before.map(node => [node.id, node]));
      return document.nodes.map(node => {
        const [x, y] = places.get(node.id)!;
        const old = known.get(node.id);
        if (old && old.position.x === x && old.position.y === y && old.selected === selected.has(node.id)) return old;
        return {
          ...old,
          id: node.id,
          type: "card",
          position: { x, y },
          selected: selected.has(node.id),
          data: old?.data ?? {},
        };
      });
    });
  }, [document, selected]);

  const latest = useRef(drawn);
  latest.current = drawn;
  const onChange = useCallback((changes: NodeChange[]) => {
    const next = applyNodeChanges(changes, latest.current);
    latest.current = next;
    setDrawn(next);
    if (changes.some(change => change.type === "select"))
      studio().select(next.filter(node => node.selected).map(node => node.id));
    const dropped = new Map<string, [number, number]>();
    for (const change of changes)
      if (change.type === "position" && !change.dragging) {
        const node = next.find(node => node.id === change.id);
        const old = studio().state.nodes.get(change.id)?.position;
        if (node && (old?.[0] !== Math.round(node.position.x) || old[1] !== Math.round(node.position.y)))
          dropped.set(node.id, [node.position.x, node.position.y]);
      }
    if (dropped.size) studio().change(document => withPositions(document, dropped), "move");
  }, []);
  return { drawn, onChange };
}

/** What can come out of, or go into, the port a link begins at: the ports it does not fit stand back meanwhile. */
function mediaOf({
  nodeId,
  handleId,
  handleType,
}: {
  nodeId: string | null;
  handleId: string | null;
  handleType: string | null;
}): string {
  const { nodes, types } = studio().state;
  const node = nodeId === null ? undefined : nodes.get(nodeId);
  if (!node || handleType !== "source") return "";
  return outputsOf(node, types).find(port => port.name === handleId)?.medium ?? "";
}

/** The next node that is added takes this output. */
function ask(source: string, output: string, at: [number, number]): void {
  const { nodes, types } = studio().state;
  const node = nodes.get(source);
  const port = node && outputsOf(node, types).find(port => port.name === output);
  if (port) studio().want({ source, output, medium: port.medium, at });
}

function useDrawnEdges(): DrawnEdge[] {
  const document = useStudio(state => state.document);
  const types = useStudio(state => state.types);
  const statuses = useStudio(state => state.statuses);
  const outputs = useStudio(state => state.outputs);
  const drawn = useRef<ReadonlyMap<string, DrawnEdge>>(new Map());
  return useMemo(() => {
    const nodes = new Map(document.nodes.map(node => [node.id, node]));
    const shapes = shapesOf(document, types);
    const now = edgesOf(document).map(edge => {
      const source = nodes.get(edge.source);
      const port = source && outputsOf(source, types).find(port => port.name === edge.output);
      const status = statuses.get(edge.target);
      const isMapped = shapes.get(edge.target)?.mapped.includes(edge.field) ?? false;
      const value = outputs.get(edge.source)?.[edge.output];
      const name = `${source?.title || edge.source} ${edge.output} into ${nodes.get(edge.target)?.title || edge.target} ${edge.field}`;
      const data: LinkData = {
        count: countOf(isMapped ? progressOf(status) : null, value),
        state: stateOf(status?.status, statuses.get(edge.source)?.status),
        name,
      };
      const old = drawn.current.get(edge.id);
      const medium = port?.medium ?? "json";
      if (old && old.className?.endsWith(` ${medium}`) && JSON.stringify(old.data) === JSON.stringify(data)) return old;
      return {
        id: edge.id,
        type: "link",
        source: edge.source,
        target: edge.target,
        sourceHandle: edge.output,
        targetHandle: edge.field,
        className: `${css.edge} ${medium}`,
        style: { "--port": `var(--medium-${medium})` } as React.CSSProperties,
        animated: data.state === "flowing",
        data,
        ariaLabel: `Link from ${name}`,
      };
    });
    drawn.current = new Map(now.map(edge => [edge.id, edge]));
    return now;
  }, [document, types, statuses, outputs]);
}

/** How many items of a list have gone through, or how many there are. */
function countOf(progress: Progress | null, value: unknown): string {
  if (progress) return progress.done < progress.all ? `${progress.done}/${progress.all}` : `×${progress.all}`;
  return Array.isArray(value) ? `×${value.length}` : "";
}

function stateOf(target: string | undefined, source: string | undefined): LinkData["state"] {
  if (target === "running" || target === "failed") return target === "running" ? "flowing" : "failed";
  return source === "completed" ? "done" : "idle";
}
