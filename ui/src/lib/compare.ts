// Two executions side by side: which task of one is which of the other, and where they first part.
import type { TaskRow } from "../api/timeline";
import { duration } from "./format";

/** The attempts at one reference in both; one side may have none. */
export interface Pair {
  ref: string;
  a: readonly TaskRow[];
  b: readonly TaskRow[];
}

/** In the order of the first; what only the second has stands where it had it. */
export function pairsOf(a: readonly TaskRow[], b: readonly TaskRow[]): Pair[] {
  const [left, right] = [attempts(a), attempts(b)];
  const pairs: Pair[] = [...left].map(([ref, rows]) => ({ ref, a: rows, b: right.get(ref) ?? [] }));
  const extra = new Map<string, Pair[]>(); // of the second alone, by what came before
  let before = "";
  for (const [ref, rows] of right) {
    if (left.has(ref)) before = ref;
    else {
      const found = extra.get(before);
      if (found) found.push({ ref, a: [], b: rows });
      else extra.set(before, [{ ref, a: [], b: rows }]);
    }
  }
  return [...(extra.get("") ?? []), ...pairs.flatMap(pair => [pair, ...(extra.get(pair.ref) ?? [])])];
}

function attempts(rows: readonly TaskRow[]): Map<string, TaskRow[]> {
  const found = new Map<string, TaskRow[]>();
  for (const row of rows) {
    const known = found.get(row.ref);
    if (known) known.push(row);
    else found.set(row.ref, [row]);
  }
  return found;
}

/** How the paths part at this task, in words; empty when they do not. */
export function parting({ a, b }: Pair): string {
  if (!b.length) return "only in A";
  if (!a.length) return "only in B";
  const [x, y] = [a.at(-1)!, b.at(-1)!];
  if (x.status !== y.status) return "ended otherwise";
  if (x.type !== y.type || x.name !== y.name) return "became another task";
  if (a.length !== b.length) return `${a.length} and ${b.length} attempts`;
  return "";
}

// Their time is that of the tasks in them, or of nobody.
const TIMELESS = new Set(["JOIN", "EXCLUSIVE_JOIN", "DO_WHILE", "FORK", "FORK_JOIN", "FORK_JOIN_DYNAMIC"]);

/** From its first attempt's scheduling to its last one's end, in milliseconds; null while it has no end. */
export function tookOf(rows: readonly TaskRow[]): number | null {
  const last = rows.at(-1);
  return last?.ended ? last.ended - (rows[0]!.scheduled || rows[0]!.started || last.ended) : null;
}

/** B's time less A's; null when one has none. */
export function slower({ a, b }: Pair): number | null {
  const [x, y] = [tookOf(a), tookOf(b)];
  return x === null || y === null ? null : y - x;
}

/** Whether the times differ by what one would notice: a fifth, and a tenth of a second. */
export function isTimedOtherwise(pair: Pair): boolean {
  const by = slower(pair);
  if (by === null || TIMELESS.has(pair.a.at(-1)!.type)) return false;
  return Math.abs(by) >= Math.max(100, 0.2 * Math.max(tookOf(pair.a)!, tookOf(pair.b)!));
}

export const signed = (ms: number) => (ms ? `${ms > 0 ? "+" : "−"}${duration(Math.abs(ms))}` : "0ms");
