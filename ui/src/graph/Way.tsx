// The ways between nodes: which there are, and how one is drawn.
import type { Edge, EdgeProps } from "@xyflow/react";
import type { Graph, GraphEdge } from "./build";
import css from "./Graph.module.css";
import type { Layout, Route } from "./layout";

const WORDS_MAX = 22; // characters of a case's name; the rest is in the title

type DrawnEdge = Edge<{ edge: GraphEdge; route: Route; isFaint: boolean; isStrong: boolean }>;

export function drawnEdges(graph: Graph, layout: Layout): DrawnEdge[] {
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

export function Way({ data }: EdgeProps<DrawnEdge>) {
  const { edge, route, isFaint, isStrong } = data!;
  const end = route.points.at(-1)!;
  const { label } = route;
  const text = edge.label.length > WORDS_MAX ? `${edge.label.slice(0, WORDS_MAX - 1)}…` : edge.label;
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
