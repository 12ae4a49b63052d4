// Flows as files.
import { told } from "../design/Toast";
import * as api from "./api";
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
  const url = URL.createObjectURL(new Blob([JSON.stringify(flow, null, 2)], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), {
    href: url,
    download: `${flow.workflowName || "flow"}.json`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
