// A place for every card, from left to right, reckoned by ELK in a worker. When that fails, cards stay where they are.
import ELK, { type ElkNode } from "elkjs/lib/elk-api";
import { edgesOf } from "./document";
import type { FlowDocument } from "./types";
import { CARD } from "./view";

const LAYERED = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.spacing.nodeNode": "40",
  "elk.layered.spacing.nodeNodeBetweenLayers": "88",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

export async function tidied(
  document: FlowDocument,
  sizes: ReadonlyMap<string, { width: number; height: number }>,
): Promise<Map<string, [number, number]>> {
  const worker = new Worker(new URL("../graph/elk.worker.ts", import.meta.url), { type: "module" });
  const elk = new ELK({ workerFactory: () => worker });
  try {
    const root: ElkNode = {
      id: "flow",
      layoutOptions: LAYERED,
      children: document.nodes.map(node => ({
        id: `n${node.id}`,
        ...(sizes.get(node.id) ?? CARD),
      })),
      edges: edgesOf(document).map(edge => ({
        id: `e${edge.id}`,
        sources: [`n${edge.source}`],
        targets: [`n${edge.target}`],
      })),
    };
    const found = await elk.layout(root);
    return new Map((found.children ?? []).map(child => [child.id.slice(1), [child.x ?? 0, child.y ?? 0]]));
  } finally {
    worker.terminate();
  }
}
