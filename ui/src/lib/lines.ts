// The lines of a timeline: one for each reference, with its attempts; and the spans a bar is drawn of.
import type { TaskRow } from "../api/timeline";
import type { Place } from "./definition";

export interface Line {
  key: string;
  ref: string;
  type: string;
  depth: number;
  /** Attempts, the oldest first. */
  tasks: TaskRow[];
  /** The key of the line it is folded into. */
  parent: string;
  hasInside: boolean;
  child: string;
  /** The execution it belongs to, when that is a child shown in place. */
  home?: string;
}

/** Lines in the order in which their first task was scheduled. */
export function linesOf(rows: readonly TaskRow[], places: ReadonlyMap<string, Place>): Line[] {
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const known = lines.get(row.ref);
    if (known) {
      known.tasks.push(row);
      known.child = row.child || known.child;
      continue;
    }
    const place = places.get(row.base);
    const turn = row.ref.slice(row.base.length).replace(/__\d+$/, ""); // the turns of the loops around this one
    const parent = row.fork && !place ? row.fork : row.loop || (place?.parent ? place.parent + turn : "");
    lines.set(row.ref, {
      key: row.ref,
      ref: row.ref,
      type: row.type,
      depth: place?.depth ?? (places.get(row.fork)?.depth ?? 0) + (row.fork ? 1 : 0),
      tasks: [row],
      parent,
      hasInside: false,
      child: row.child,
    });
  }
  for (const line of lines.values()) {
    const parent = lines.get(line.parent);
    if (parent && parent !== line) parent.hasInside = true;
    else line.parent = "";
  }
  return [...lines.values()];
}

/** Lines that no folded line hides. */
export function unfoldedLines(lines: readonly Line[], folded: ReadonlySet<string>): Line[] {
  if (!folded.size) return [...lines];
  const parents = new Map(lines.map(line => [line.key, line.parent]));
  const hidden = new Map<string, boolean>();
  const isHidden = (key: string): boolean => {
    const known = hidden.get(key);
    if (known !== undefined) return known;
    hidden.set(key, false);
    const parent = parents.get(key) ?? "";
    const found = parent !== "" && (folded.has(parent) || isHidden(parent));
    hidden.set(key, found);
    return found;
  };
  return lines.filter(line => !isHidden(line.key));
}

type SpanKind = "backoff" | "queue" | "run" | "wait" | "inside";
interface Span {
  kind: SpanKind;
  from: number;
  to: number;
  open: boolean;
}

const CONTAINERS = new Set([
  "JOIN",
  "EXCLUSIVE_JOIN",
  "DO_WHILE",
  "SUB_WORKFLOW",
  "FORK_JOIN",
  "FORK_JOIN_DYNAMIC",
  "FORK",
]);

/** What the time of one attempt was: held back, queued, worked on, or waited for others. *now* ends what has no end. */
export function spansOf(row: TaskRow, now: number): Span[] {
  const spans: Span[] = [];
  const isOpen = row.status === "SCHEDULED" || row.status === "IN_PROGRESS";
  const end = row.ended || (isOpen ? Math.max(now, row.scheduled) : row.updated || row.started || row.scheduled);
  let at = row.scheduled || row.started;
  if (!at) return spans;
  if (row.due > at) {
    const due = Math.min(row.due, row.started || end);
    if (due > at) spans.push({ kind: "backoff", from: at, to: due, open: isOpen && !row.started && row.due > now });
    at = Math.max(at, due);
  }
  const started = row.started && row.started >= at ? row.started : row.started ? at : 0;
  const queueEnd = started || end;
  if (queueEnd > at && row.queue) spans.push({ kind: "queue", from: at, to: queueEnd, open: isOpen && !started });
  if (started || !row.queue) {
    const kind = row.type === "WAIT" || row.type === "HUMAN" ? "wait" : CONTAINERS.has(row.type) ? "inside" : "run";
    spans.push({ kind, from: started || at, to: Math.max(end, started), open: isOpen });
  }
  return spans;
}

export interface Window {
  from: number;
  to: number;
}

const STEP_MS_MIN = 1024;
/** Where the axis of what still runs ends: a sixteenth ahead of its present at most. It stays there for a while, and so does all that is drawn. */
export function ahead(from: number, now: number): number {
  const span = Math.max(now - from, 1);
  const step = Math.max(2 ** (Math.floor(Math.log2(span)) - 4), STEP_MS_MIN);
  return from + Math.ceil(span / step) * step;
}

/** Some round instants of the window, as offsets from its zero. */
export function ticks(window: Window, zero: number, most = 8): number[] {
  const span = window.to - window.from;
  if (!(span > 0)) return [];
  const steps = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 12e5, 18e5, 36e5, 72e5,
    144e5, 432e5, 864e5,
  ];
  let step = steps.find(one => span / one <= most) ?? 864e5;
  while (span / step > most) step *= 2;
  const found: number[] = [];
  for (let at = Math.ceil((window.from - zero) / step) * step; at <= window.to - zero; at += step) found.push(at);
  return found;
}

/** The chain of tasks that the end of the execution waited for, by row number: from the last to end, whatever ended last before it began. */
export function criticalPath(rows: readonly TaskRow[]): Set<number> {
  const leaves = rows
    .filter(row => row.ended && row.scheduled && !CONTAINERS.has(row.type))
    .sort((a, b) => a.ended - b.ended);
  const path = new Set<number>();
  let limit = Infinity;
  for (let i = leaves.length - 1; i >= 0; i--) {
    const row = leaves[i]!;
    if (row.ended > limit) continue;
    path.add(row.n);
    limit = row.scheduled;
  }
  return path;
}
