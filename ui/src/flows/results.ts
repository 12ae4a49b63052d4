// What a run made, as the canvas shows it: values of ports with their media. A text of a run is a text, whatever is in it.
import { portsOf } from "./ports";
import type { FlowNode, Medium, NodeStatus, NodeTypes, Run } from "./types";
import { isUnset } from "./values";

export interface Shown {
  name: string;
  medium: Medium;
  values: unknown[];
}

/** The output of each node that has one, in this run; items that are ready count before their node is. */
export function outputsOfRun(run: Run | null): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>();
  for (const result of run?.results ?? []) if (result.data) found.set(result.nodeId, result.data.output);
  for (const node of run?.nodeStatuses ?? []) {
    if (found.has(node.id) || !node.items?.length) continue;
    const ready = node.items.filter(item => item.output);
    const names = new Set(ready.flatMap(item => Object.keys(item.output!)));
    if (ready.length)
      found.set(node.id, Object.fromEntries([...names].map(name => [name, ready.map(item => item.output![name])])));
  }
  return found;
}

/** The output that a card shows: the first that is there, a list as its values. */
export function shownOf(node: FlowNode, types: NodeTypes, output: Record<string, unknown> | undefined): Shown | null {
  if (!output) return null;
  for (const port of portsOf(node, types)) {
    const value = output[port.name];
    const values = (Array.isArray(value) ? value : [value]).filter(one => !isUnset(one));
    if (values.length) return { name: port.name, medium: port.medium, values };
  }
  return null;
}

const ASSET = /^\/assets\/[\w-]+(?:\.\w+)?$/;
/** Where a browser gets a medium: assets from the server this page came from, whatever the backend calls itself. Empty: nowhere. */
export function addressOf(value: unknown): string {
  const url = typeof value === "object" && value !== null ? (value as { url?: unknown }).url : value;
  if (typeof url !== "string") return "";
  if (url.startsWith("asset://")) return `/assets/${encodeURIComponent(url.slice("asset://".length))}`;
  try {
    const parsed = new URL(url);
    return ASSET.test(parsed.pathname) ? parsed.pathname : "";
  } catch {
    return ASSET.test(url) ? url : "";
  }
}

export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && typeof (value as { text?: unknown }).text === "string")
    return (value as { text: string }).text;
  return JSON.stringify(value) ?? "";
}

/** What an output was in the last run, in a line. */
export function sampleOf(value: unknown): string {
  const first = addressOf(Array.isArray(value) ? value[0] : value)
    ? ""
    : textOf(Array.isArray(value) ? value[0] : value);
  const words = Array.isArray(value) ? `${value.length} × ${first}` : first || "made in the last run";
  return words.length > 90 ? `${words.slice(0, 90)}…` : words;
}

export interface Progress {
  done: number;
  failed: number;
  all: number;
}
export function progressOf(status: NodeStatus | undefined): Progress | null {
  const items = status?.items ?? [];
  if (!items.length) return null;
  return {
    done: items.filter(item => item.status === "completed").length,
    failed: items.filter(item => item.status === "failed").length,
    all: items.length,
  };
}

const CONDUCTORS: Record<string, string> = {
  pending: "SCHEDULED",
  running: "RUNNING",
  completed: "COMPLETED",
  failed: "FAILED",
  cancelled: "CANCELED",
  skipped: "SKIPPED",
  paused: "PAUSED",
};
/** The word the design system knows for a status of ours. */
export function lookOfStatus(status: string, partial = false): string {
  return partial && status === "completed" ? "COMPLETED_WITH_ERRORS" : (CONDUCTORS[status] ?? status);
}
export const isOver = (status: string) => ["completed", "failed", "cancelled"].includes(status);
/** A run's id in few letters; ids of one day begin alike. */
export const named = (run: string) => run.slice(-6);
