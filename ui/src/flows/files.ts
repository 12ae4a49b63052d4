// Flows as files.
import { toast, told } from "../design/Toast";
import * as api from "./api";
import { studio } from "./studio";
import type { FlowDocument } from "./types";

/** A file of ours or of the original, as a flow of its own: the backend reads it and sets right what it can. */
export async function importFile(file: File, onOpen: (flow: string) => void): Promise<void> {
  const work = async () => {
    const found = parsed(await file.text());
    if (typeof found !== "object" || found === null) throw new Error(`${file.name} is no flow.`);
    const { id: _, ...document } = found as Record<string, unknown>;
    onOpen((await api.createFlow(document)).id);
  };
  await told(work(), `${file.name} is here`);
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
