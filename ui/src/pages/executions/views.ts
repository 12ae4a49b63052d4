// Searches a person kept under a name, in this browser.
import { useSyncExternalStore } from "react";
import { confirm } from "../../design/Dialog";

export interface View {
  name: string;
  search: string;
}
const KEY = "batuta.views";
let views: View[] = read();
const listeners = new Set<() => void>();

function read(): View[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]") as View[];
  } catch {
    return [];
  }
}

function write(next: View[]): void {
  views = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // They last as long as the page.
  }
  for (const listener of listeners) listener();
}

export async function keepView(search: string): Promise<void> {
  const answer = await confirm({
    title: "Keep this view",
    body: "It is kept in this browser. Its address can be given to others as it is.",
    act: "Keep",
    text: "Name",
  });
  const name = answer?.text.trim();
  if (name) write([...views.filter(view => view.name !== name), { name, search: search.replace(/^\?/, "") }]);
}

export const dropView = (name: string) => write(views.filter(view => view.name !== name));

export function useViews(): View[] {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => views,
  );
}
