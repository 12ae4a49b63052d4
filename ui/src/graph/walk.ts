// The keyboard's way through a graph: along the edges down and up, to what stands beside left and right.
import type { Graph, GraphNode } from "./build";
import type { Box } from "./layout";

export type Direction = "down" | "up" | "left" | "right";

/** The node that an arrow key leads to from *at*; null: there is none. *places* are in one system for all nodes. */
export function stepFrom(
  graph: Graph,
  places: ReadonlyMap<string, Box>,
  at: string,
  direction: Direction,
): string | null {
  const nodes = new Map(graph.nodes.map(node => [node.id, node]));
  const node = nodes.get(at);
  if (!node) return graph.nodes.find(one => places.has(one.id))?.id ?? null;
  if (direction === "left" || direction === "right") return beside(graph, places, node, direction === "right" ? 1 : -1);
  const isDown = direction === "down";
  if (isDown) {
    const inside = nearest(
      graph.nodes.filter(one => one.parent === at),
      places,
      node,
    );
    if (inside) return inside;
  }
  // Along an edge, one that was taken first; at the end of a box out of it.
  for (let from: GraphNode | undefined = node; from; from = nodes.get(from.parent)) {
    const edges = graph.edges.filter(edge => (isDown ? edge.source : edge.target) === from!.id);
    const ends = (taken: boolean) =>
      edges
        .filter(edge => edge.isTaken === taken)
        .map(edge => nodes.get(isDown ? edge.target : edge.source)!)
        .filter(one => places.has(one.id));
    const found = nearest(ends(true), places, node) ?? nearest(ends(false), places, node);
    if (found) return isDown ? found : lastIn(graph, places, found);
    if (!isDown && from.parent) return from.parent;
  }
  return null;
}

/** Coming from below one enters a box at its last node. */
function lastIn(graph: Graph, places: ReadonlyMap<string, Box>, id: string): string {
  const inside = graph.nodes.filter(node => node.parent === id && places.has(node.id));
  const last = inside.sort((a, b) => places.get(a.id)!.y - places.get(b.id)!.y).at(-1);
  return last ? lastIn(graph, places, last.id) : id;
}

function beside(graph: Graph, places: ReadonlyMap<string, Box>, node: GraphNode, sign: 1 | -1): string | null {
  const here = places.get(node.id);
  if (!here) return null;
  const there = graph.nodes.filter(one => {
    const place = places.get(one.id);
    if (!place || one.id === node.id || one.parent !== node.parent) return false;
    const across = (place.x + place.width / 2 - here.x - here.width / 2) * sign;
    const down = Math.abs(place.y + place.height / 2 - here.y - here.height / 2);
    return across > 4 && down < Math.max(here.height, place.height);
  });
  return nearest(there, places, node);
}

function nearest(among: GraphNode[], places: ReadonlyMap<string, Box>, node: GraphNode): string | null {
  const here = places.get(node.id);
  if (!here) return among[0]?.id ?? null;
  let best: string | null = null;
  let least = Infinity;
  for (const one of among) {
    const place = places.get(one.id);
    if (!place) continue;
    const away = Math.abs(place.x + place.width / 2 - here.x - here.width / 2) + Math.abs(place.y - here.y) * 2;
    if (away < least) [best, least] = [one.id, away];
  }
  return best;
}
