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
import { duplicate, remove } from "./actions";
import { Card } from "./Card";
import { AFTER, connected, edgesOf, placed, refusal, withPositions } from "./document";
import { outputsOf } from "./ports";
import { progressOf } from "./results";
import { studio, useStudio } from "./studio";
import css from "./Canvas.module.css";

const NODES = { card: Card };
const linkOf = (drawn: Connection | DrawnEdge) => ({
  source: drawn.source,
  output: drawn.sourceHandle ?? "",
  target: drawn.target,
  field: drawn.targetHandle ?? "",
});

export function Canvas({ onPalette }: { onPalette: () => void }) {
  const document = useStudio(state => state.document);
  const selected = useStudio(state => state.selected);
  const nodes = useDrawnNodes();
  const edges = useDrawnEdges();
  const [cut, setCut] = useState<ReadonlySet<string>>(new Set());
  const { theme } = usePreferences();
  const flow = useReactFlow();
  const wanted = useRef(true);

  useEffect(() => {
    if (!wanted.current || !nodes.drawn.length || !nodes.drawn.every(node => node.measured)) return;
    wanted.current = false;
    void flow.fitView({ padding: 0.15, maxZoom: 1 });
  }, [nodes.drawn, flow]);

  const shownEdges = useMemo(() => edges.map(edge => ({ ...edge, selected: cut.has(edge.id) })), [edges, cut]);

  return (
    <div className={css.canvas} data-flow-canvas="">
      <ReactFlow
        nodes={nodes.drawn}
        edges={shownEdges}
        nodeTypes={NODES}
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
        onConnectEnd={(_, connection) => {
          const { fromHandle, toHandle, isValid } = connection;
          if (isValid || !fromHandle || !toHandle) return;
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
        onPaneClick={event => event.detail === 2 && onPalette()}
        colorMode={theme}
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Control", "Meta", "Shift"]}
        selectionMode={SelectionMode.Partial}
        onlyRenderVisibleElements={document.nodes.length > 60}
        minZoom={0.1}
        maxZoom={2}
        zoomOnDoubleClick={false}
        fitView
        fitViewOptions={{ padding: 0.15, maxZoom: 1 }}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={20} size={1.2} color="var(--line-strong)" />
        <Controls showInteractive={false} position="bottom-left" />
        {document.nodes.length > 4 && (
          <MiniMap pannable zoomable position="bottom-right" className={css.map} nodeColor={colourOf} />
        )}
      </ReactFlow>
      <Keys cut={cut} selected={selected} edges={edges} onPalette={onPalette} />
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

function useDrawnEdges(): DrawnEdge[] {
  const document = useStudio(state => state.document);
  const types = useStudio(state => state.types);
  const nodes = useStudio(state => state.nodes);
  const statuses = useStudio(state => state.statuses);
  const shapes = useStudio(state => state.shapes);
  const found = useMemo(() => edgesOf(document), [document]);
  return useMemo(
    () =>
      found.map(edge => {
        const source = nodes.get(edge.source);
        const port = source && outputsOf(source, types).find(port => port.name === edge.output);
        const status = statuses.get(edge.target);
        const progress = progressOf(status);
        const isMapped = shapes.get(edge.target)?.mapped.includes(edge.field) ?? false;
        return {
          id: edge.id,
          source: edge.source,
          target: edge.target,
          sourceHandle: edge.output,
          targetHandle: edge.field,
          className: css.edge,
          style: { "--port": `var(--medium-${port?.medium ?? "json"})` } as React.CSSProperties,
          animated: status?.status === "running",
          label: progress && isMapped ? `${progress.done}/${progress.all}` : undefined,
          data: { isList: isMapped || port?.many, isOrder: edge.field === AFTER },
          ariaLabel: `${source?.title || edge.source} ${edge.output} into ${nodes.get(edge.target)?.title || edge.target} ${edge.field}`,
        };
      }),
    [found, nodes, types, statuses, shapes],
  );
}

/** Keys of the canvas. Inside a field they are letters. */
function Keys({
  cut,
  selected,
  edges,
  onPalette,
}: {
  cut: ReadonlySet<string>;
  selected: ReadonlySet<string>;
  edges: DrawnEdge[];
  onPalette: () => void;
}) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isControl = event.ctrlKey || event.metaKey;
      if (isControl && event.key === "Enter") {
        event.preventDefault();
        void studio().start();
        return;
      }
      if (target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=alertdialog], [role=menu]"))
        return;
      const key = event.key.toLowerCase();
      if (isControl && key === "z") event.shiftKey ? studio().redo() : studio().undo();
      else if (isControl && key === "y") studio().redo();
      else if (isControl && key === "d") duplicate(selected);
      else if (isControl && key === "a") studio().select(studio().state.nodes.keys());
      else if ((key === "delete" || key === "backspace") && !isControl) {
        remove(selected, edges.filter(edge => cut.has(edge.id)).map(linkOf));
      } else if (key === " " && !target.closest("button, a, audio, video")) onPalette();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [cut, selected, edges, onPalette]);
  return null;
}
