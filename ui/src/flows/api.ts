// Everything that is asked of the Flow Builder's backend.
import { ApiError } from "../api/http";
import type {
  Attempt,
  FlowDocument,
  Health,
  Kept,
  NodeType,
  NodeTypes,
  Problem,
  Run,
  RunFilter,
  Saved,
  Template,
  Validation,
} from "./types";

/** A request that was refused because of what is in the flow. */
export class Refusal extends ApiError {
  constructor(
    message: string,
    status: number,
    readonly code: string,
    readonly problems: Problem[],
  ) {
    super(message, status);
  }
}

async function ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const isForm = body instanceof FormData;
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined || isForm ? headers : { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError("The Flow Builder does not answer.", 0);
  }
  const text = await answer.text();
  if (!answer.ok) throw refusalOf(answer, text);
  return (text ? JSON.parse(text) : undefined) as T;
}

function refusalOf(answer: Response, text: string): ApiError {
  try {
    const said = JSON.parse(text) as { detail?: string; error?: string; code?: string; problems?: Problem[] };
    const words = said.detail ?? said.error ?? text;
    return new Refusal(words, answer.status, said.code ?? "", said.problems ?? []);
  } catch {
    return new ApiError(text || `${answer.status} ${answer.statusText}`, answer.status);
  }
}

const at = (...parts: string[]) => "/" + parts.map(encodeURIComponent).join("/");

export async function nodeTypes(): Promise<NodeTypes> {
  const { nodeTypes } = await ask<{ nodeTypes: NodeType[] }>("GET", "/node-types");
  return new Map(nodeTypes.map(type => [type.type, type]));
}
export const templates = async () => (await ask<{ templates: Template[] }>("GET", "/templates")).templates;

export const flows = async () => (await ask<{ flows: Saved[] }>("GET", "/flows")).flows;
export const loadFlow = (id: string) => ask<Saved & { document: FlowDocument }>("GET", at("flows", id));
export const originalOf = (id: string) => ask<unknown>("GET", `${at("flows", id)}?format=original`);
export const createFlow = (document: unknown) => ask<Saved>("POST", "/flows", document);
export const saveFlow = (id: string, document: FlowDocument, version: number) =>
  ask<Saved>("PUT", at("flows", id), document, { "If-Match": `"${version}"` });
export const deleteFlow = (id: string) => ask<void>("DELETE", at("flows", id));

export const validate = (document: FlowDocument) => ask<Validation>("POST", "/workflow/validate", { document });
export type Scope = "all" | "node" | "upto" | "from";
export const start = (document: FlowDocument, flowId: string, scope: Scope, nodeId: string) =>
  ask<{ workflowId: string }>("POST", "/workflow/run", { document, flowId, scope, nodeId });
export const status = (run: string) => ask<Run>("GET", at("workflow", run, "status"));
export const cancel = (run: string) => ask<void>("POST", at("workflow", run, "cancel"));
export const retry = (run: string) => ask<void>("POST", at("workflow", run, "retry"));
export const flowOfRun = (run: string) => ask<FlowDocument | null>("GET", at("workflow", run, "flow"));
export const logOf = (run: string, node: string) =>
  ask<{ attempts: Attempt[]; left: number }>("GET", at("workflow", run, "nodes", node, "log"));
/** A page of kept runs, newest first; *cursor* is the `next` of the page before. */
export function history(filter: Partial<RunFilter>, cursor = "", limit = 24) {
  const asked = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ ...filter, cursor })) if (value) asked.set(name, value);
  return ask<{ runs: Kept[]; next: string | null }>("GET", `/workflow/history?${asked}`);
}
/** Where the orchestrator and its console are, and who does the work. */
export const health = () => ask<Health>("GET", "/health");

/** The flow that a file carries, by the file's address here. */
export const flowOfAsset = (address: string) => ask<{ document: FlowDocument }>("GET", `${address}/flow`);

/** How loud each part of a sound is, between 0 and 1. */
export const outline = (address: string) => ask<{ seconds: number; peaks: number[] }>("GET", `${address}/peaks`);

export interface Uploaded {
  asset: string;
  name: string;
  medium: string;
  url: string;
}
export async function upload(files: Iterable<File>): Promise<Uploaded[]> {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return (await ask<{ files: Uploaded[] }>("POST", "/assets", form)).files;
}

/** A run's status, whenever it changes, until it has ended. What is returned ends it. */
export function watch(run: string, onStatus: (run: Run) => void, onLost: (error: ApiError) => void): () => void {
  const source = new EventSource(at("workflow", run, "events"));
  source.addEventListener("status", event => onStatus(JSON.parse((event as MessageEvent<string>).data) as Run));
  source.addEventListener("end", () => source.close());
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED)
      onLost(new ApiError(`Run ${run} cannot be watched; is it still there?`, 404));
  };
  return () => source.close();
}
