// What is done to what is selected, from keys, menus and buttons alike.
import {
  added,
  autoLinked,
  COLUMN,
  connected,
  disconnected,
  pasted,
  picked,
  readDocument,
  refusal,
  removed,
  withPositions,
  type Link,
} from "./document";
import { toast } from "../design/Toast";
import * as api from "./api";
import { tidied } from "./layout";
import { fits } from "./ports";
import { studio } from "./studio";
import type { NodeType } from "./types";

export function remove(ids: ReadonlySet<string>, links: Link[] = []): void {
  if (ids.size || links.length) studio().change(document => removed(links.reduce(disconnected, document), ids));
}

export function duplicate(ids: ReadonlySet<string>): void {
  if (!ids.size) return;
  const { document } = studio().state;
  const result = pasted(document, picked(document, ids));
  studio().change(() => result.document);
  studio().select(result.ids);
}

/** A new node: where a link was drawn to and linked by it, behind the one that is selected and linked to it, or where the person looks. Its id. */
export function add(type: NodeType, at: [number, number]): string {
  const { state } = studio();
  const { wanted } = state;
  if (wanted) {
    studio().want(null);
    const { document, id } = added(state.document, type, wanted.at);
    const input = type.inputs.find(port => fits(wanted.medium, port.accepts));
    const link = input && { source: wanted.source, output: wanted.output, target: id, field: input.name };
    const fit = link && !refusal(document, state.types, link);
    studio().change(() => (fit ? connected(document, state.types, link) : document));
    studio().select([id]);
    return id;
  }
  const [behind] = state.selected.size === 1 ? state.selected : [];
  const source = behind === undefined ? undefined : state.nodes.get(behind);
  const place: [number, number] = source?.position ? free([source.position[0] + COLUMN, source.position[1]]) : free(at);
  const result = added(state.document, type, place);
  studio().change(() => (source ? autoLinked(result.document, state.types, result.id, source.id) : result.document));
  studio().select([result.id]);
  return result.id;
}

const NEAR = [200, 120] as const; // cards that begin closer to each other than this lie over each other
const DOWN = 140;

/** That place, or the next one below it where no card begins. */
function free([x, y]: [number, number]): [number, number] {
  const taken = studio().state.document.nodes.flatMap(node => (node.position ? [node.position] : []));
  const isOver = ([otherX, otherY]: [number, number]) =>
    Math.abs(otherX - x) < NEAR[0] && Math.abs(otherY - y) < NEAR[1];
  while (taken.some(isOver)) y += DOWN;
  return [x, y];
}

/** What is selected as JSON; empty when nothing is. */
export function copied(): string {
  const { document, selected } = studio().state;
  return selected.size ? JSON.stringify(picked(document, selected), null, 2) : "";
}

/** Whether the text was a flow and is here now. */
export function paste(text: string): boolean {
  const other = readDocument(text);
  if (!other?.nodes.length) return false;
  const result = pasted(studio().state.document, other);
  studio().change(() => result.document);
  studio().select(result.ids);
  return true;
}

export async function tidy(sizes: ReadonlyMap<string, { width: number; height: number }>): Promise<void> {
  const places = await tidied(studio().state.document, sizes);
  studio().change(document => withPositions(document, places));
}

/** The flow as it was in a run; where its cards stand now, they stay. */
export async function restore(run: string): Promise<void> {
  const found = readDocument(JSON.stringify(await api.flowOfRun(run).catch(() => null)));
  if (!found) return toast("bad", "The flow of this run is not known any more.");
  studio().change(document => ({ ...document, nodes: found.nodes }));
  toast("good", "The flow is as it was in that run. Ctrl Z takes it back.");
}
