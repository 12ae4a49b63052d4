// Flows as files: brought in, alone or inside the media that they made, and given out.
import { confirm } from "../design/Dialog";
import { toast, told } from "../design/Toast";
import { count, wordsOf } from "../lib/format";
import * as api from "./api";
import { addressOf } from "./results";
import { studio } from "./studio";
import type { FlowDocument } from "./types";
import { isObject } from "./values";

/** What a browser's own dialog offers when a flow is to be brought in. */
export const ACCEPTED = "application/json,.json,image/*,audio/*,video/*";
const MEDIA = /^(image|audio|video)\//;
const JSON_BYTES_MAX = 32 << 20; // two thousand nodes with long texts are a tenth of it

type Found = Record<string, unknown>;

/** The flow in a file, opened as a new one. *isWanted* is asked first, where a file may have been brought by mistake. */
export async function openFile(
  file: File,
  onOpen: (flow: string) => void,
  isWanted: (found: Found) => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  try {
    const found = await flowIn(file);
    if (!(await isWanted(found))) return;
    const { id: _, ...document } = found;
    onOpen((await api.createFlow(document)).id);
    toast("good", `The flow of ${file.name} is open`);
  } catch (error) {
    toast("bad", wordsOf(error));
  }
}

/** A file of ours or of the original, which the backend sets right where it can; or the flow that a medium carries. */
async function flowIn(file: File): Promise<Found> {
  if (MEDIA.test(file.type)) return carriedBy(file);
  const found = file.size <= JSON_BYTES_MAX ? parsed(await file.text()) : null;
  if (isObject(found) && Array.isArray(found.nodes)) return found;
  throw new Error(
    `There is no flow in ${file.name}. A flow is a JSON file, or in a picture, film or sound that was downloaded here.`,
  );
}

async function carriedBy(file: File): Promise<Found> {
  const [kept] = await api.upload([file]);
  try {
    return { ...(await api.flowOfAsset(addressOf(kept!.asset))).document };
  } catch (error) {
    if (!(error instanceof api.Refusal) || error.code !== "no_flow") throw error;
    throw new Error(`There is no flow in ${file.name}. Only what was downloaded from a Flow Builder carries its flow.`);
  }
}

/** Whether the person wants the flow of this file opened. */
export async function offered(file: File, found: Found): Promise<boolean> {
  const name = found.workflowName ?? found.name;
  const nodes = count((found.nodes as unknown[]).length, "node");
  const answer = await confirm({
    title: `Open the flow of ${file.name}?`,
    body: `It is ${typeof name === "string" && name ? `“${name}”, ${nodes}` : nodes}, and opens as a new flow. Nothing else is changed.`,
    act: "Open it",
  });
  return answer !== null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function exportFile(flow: FlowDocument): void {
  download(flow, `${flow.workflowName || "flow"}.json`);
}

/** The flow as a file of the original Flow Builder, which the backend writes from what is kept. */
export async function exportOriginal(): Promise<void> {
  const { flow } = (await studio().save()) ? studio().state : { flow: null };
  if (!flow) return toast("bad", "The flow must be saved first.");
  const work = async () => download(await api.originalOf(flow.id), `${flow.name || "flow"}.original.json`);
  await told(work(), "Exported for the original Flow Builder");
}

function download(content: unknown, name: string): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
