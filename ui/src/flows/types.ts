// What the Flow Builder's backend says and is told. Its reference: docs/howto/flow-builder.md.
export type Medium = "text" | "number" | "image" | "video" | "audio" | "file" | "json";
export type Kind =
  "text" | "longtext" | "number" | "integer" | "boolean" | "choice" | "model" | "media" | "list" | "color";

export interface FieldSchema {
  title: string;
  type: string;
  default?: unknown;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  description?: string;
  "x-ui": { kind: Kind; advanced: boolean; accepts?: Medium[]; arity?: "one" | "many" | "either" };
}
export interface InputPort {
  name: string;
  accepts: Medium[];
  arity: "one" | "many" | "either";
  required: boolean;
}
export interface OutputPort {
  name: string;
  medium: Medium;
  many: boolean;
}
export interface Provider {
  id: string;
  title: string;
  needs: string[];
  models: string[];
  note: string;
  cost_usd: number;
  configured: boolean;
}
export interface NodeType {
  type: string;
  title: string;
  category: "input" | "generation" | "processing" | "output";
  icon: string;
  summary: string;
  settings: { properties: Record<string, FieldSchema>; required: string[] };
  inputs: InputPort[];
  outputs: OutputPort[];
  /** What comes out instead when a setting has this value; null: when it has none. */
  variants: { field: string; value: string | null; outputs: OutputPort[] }[];
  providers: Provider[];
}
export type NodeTypes = ReadonlyMap<string, NodeType>;

export interface Reference {
  _type: "reference";
  nodeId: string;
  outputKey: string;
}
export interface Execution {
  mode?: "parallel" | "sequential";
  waitForAll?: boolean;
  aggregateItems?: boolean;
  maxParallel?: number;
  onItemError?: "fail" | "skip" | "placeholder";
  [key: string]: unknown;
}
/** A node as it is written; members nobody here knows stay in it. */
export interface FlowNode {
  id: string;
  type: string;
  title?: string;
  config: Record<string, unknown>;
  execution?: Execution;
  after?: string[];
  enabled?: boolean;
  position?: [number, number] | null;
  [key: string]: unknown;
}
export interface FlowDocument {
  format: string;
  workflowName: string;
  nodes: FlowNode[];
  [key: string]: unknown;
}

export interface Problem {
  nodeId: string;
  field: string;
  code: string;
  message: string;
  severity: "error" | "warning";
}
export interface Validation {
  valid: boolean;
  problems: Problem[];
  notes: string[];
  estimate: Estimate;
}
/** What one run costs, about; what is allowed; which of the two caps is in the way. */
export interface Estimate {
  usd: number;
  isGuess: boolean;
  exceeds: "run" | "day" | null;
  nodes: { nodeId: string; provider: string; model: string; items: number; usd: number; isGuess: boolean }[];
  runUsdMax: number;
  dayUsdMax: number;
  dayUsd: number;
}
export interface ItemStatus {
  index: number;
  status: string;
  progress?: number;
  note?: string;
  error?: string;
  cachedFrom?: string;
  output?: Record<string, unknown>;
}
export interface NodeStatus {
  id: string;
  status: string;
  progress?: number;
  note?: string;
  error?: string;
  partial?: boolean;
  attempts?: number;
  startedAt?: number;
  endedAt?: number;
  provider?: string;
  cachedFrom?: string;
  items?: ItemStatus[];
}
export interface Result {
  nodeId: string;
  nodeType: string;
  success: boolean;
  data?: { type: string; output: Record<string, unknown> };
  error?: string;
}
export interface Run {
  workflowId: string;
  workflowName: string;
  status: string;
  nodeStatuses: NodeStatus[];
  results: Result[];
  error: string | null;
  startTime: string | null;
  endTime: string | null;
  /** What paid providers have been promised or given for it. */
  spentUsd: number;
}
/** What can be asked of kept runs. */
export interface RunFilter {
  flowId: string;
  status: string;
  q: string;
}
export interface Kept {
  workflowId: string;
  workflowName: string;
  flowId: string | null;
  status: string;
  startTime: string | null;
  durationMs: number;
  nodeCount: number;
  results: Result[];
  error: string | null;
  spentUsd: number;
}
export interface Saved {
  id: string;
  name: string;
  version: number;
  updatedAt: number;
}
export interface Template {
  id: string;
  title: string;
  summary: string;
  document: FlowDocument;
}

/** One attempt at a node, or at one of its items, and what was written down meanwhile. */
export interface Attempt {
  taskId: string;
  item: number | null;
  status: string;
  worker: string;
  startedAt: number;
  endedAt: number;
  reason: string;
  lines: { at: number; text: string }[];
}
export interface Health {
  conductorUrl: string;
  conductor: { ok: boolean; latencyMs?: number; error?: string };
  providers: Record<string, { configured: boolean }>;
}
