// What a setting of a node may hold: a value, another node's output, or a text with outputs in it. Pure.
import type { FlowNode, Reference } from "./types";

export const isReference = (value: unknown): value is Reference => kindOf(value) === "reference";
export const reference = (nodeId: string, outputKey: string): Reference => ({ _type: "reference", nodeId, outputKey });

export function kindOf(value: unknown): "reference" | "text" | "literal" {
  const kind = isObject(value) ? value._type : undefined;
  return kind === "reference" || kind === "text" ? kind : "literal";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nothing is set: where there is a default, it holds. */
export const isUnset = (value: unknown) => value === undefined || value === null || value === "";

/** The parts of a text with references in it; a value that is none is its only part. */
export function partsOf(value: unknown): unknown[] {
  if (kindOf(value) !== "text") return [value];
  const parts = (value as { parts?: unknown }).parts;
  return Array.isArray(parts) ? parts : [];
}

export function referencesIn(value: unknown): Reference[] {
  if (isReference(value)) return [value];
  if (kindOf(value) === "text") return partsOf(value).flatMap(referencesIn);
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return isObject(value) ? Object.values(value).flatMap(referencesIn) : [];
}

const FURTHER_PROMPTS = new Set(["prompt2", "prompt3", "prompt4"]);
/** The settings that have a say: further prompts only while they are concatenated. Source: document/flow.py. */
export function liveSettings(node: FlowNode): [string, unknown][] {
  return Object.entries(node.config).filter(
    ([name, value]) => !isUnset(value) && (!!node.config.concatPrompts || !FURTHER_PROMPTS.has(name)),
  );
}
