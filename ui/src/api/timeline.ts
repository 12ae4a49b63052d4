// The timeline's columns as rows, and two timelines laid over each other. Times are epoch milliseconds here, 0 for none.
import type { Timeline } from "./types";

export interface TaskRow {
  n: number;
  id: string;
  ref: string;
  /** The reference as the definition writes it, without a loop's turn. */
  base: string;
  type: string;
  name: string;
  status: string;
  worker: string;
  /** The DO_WHILE around it, by reference; empty outside. */
  loop: string;
  /** The dynamic fork that made it, by reference. */
  fork: string;
  queue: string;
  seq: number;
  attempt: number;
  iteration: number;
  polls: number;
  scheduled: number;
  started: number;
  ended: number;
  updated: number;
  retried: boolean;
  retryOf: string;
  due: number;
  until: number;
  reason: string;
  child: string;
}

export interface Tasks {
  workflowId: string;
  status: string;
  revision: number;
  createTime: number;
  updateTime: number;
  endTime: number;
  wakeAt: number;
  /** The server's clock when it answered, less ours: add it to Date.now() for its present. */
  skew: number;
  rows: TaskRow[];
}

/** Source: core/model/ids.py. */
function idOf(workflowId: string, n: number): string {
  return `${workflowId.slice(0, 18)}-${workflowId.slice(19, 23)}-${n.toString(16).padStart(12, "0")}`;
}

export function rowsOf(t: Timeline, now = Date.now()): Tasks {
  const rows: TaskRow[] = new Array(t.n.length);
  const zero = t.createTime;
  const word = (index: number | undefined) => t.words[index ?? 0] ?? "";
  const at = (offset: number | undefined) => (offset === undefined || offset < 0 ? 0 : zero + offset);
  for (let i = 0; i < t.n.length; i++) {
    const n = t.n[i]!;
    const due = t.due[n];
    const until = t.until[n];
    rows[i] = {
      n,
      id: t.ids[n] ?? idOf(t.workflowId, n),
      ref: word(t.ref[i]),
      base: word(t.base[i]),
      type: word(t.type[i]),
      name: word(t.name[i]),
      status: word(t.statusOf[i]),
      worker: word(t.worker[i]),
      loop: word(t.loop[i]),
      fork: word(t.fork[i]),
      queue: word(t.queue[i]),
      seq: t.seq[i]!,
      attempt: t.attempt[i]!,
      iteration: t.iteration[i]!,
      polls: t.polls[i]!,
      scheduled: at(t.scheduled[i]),
      started: at(t.started[i]),
      ended: at(t.ended[i]),
      updated: at(t.updated[i]),
      retried: t.retried[i] === 1,
      retryOf: t.retryOf[n] ?? "",
      due: due === undefined ? 0 : zero + due,
      until: until === undefined ? 0 : zero + until,
      reason: t.reasons[n] ?? "",
      child: t.children[n] ?? "",
    };
  }
  return {
    workflowId: t.workflowId,
    status: t.status,
    revision: t.revision,
    createTime: zero,
    updateTime: t.updateTime,
    endTime: t.endTime,
    wakeAt: t.wakeAt,
    skew: t.at - now,
    rows,
  };
}

/** What was known with what changed since; null when the two do not add up (tasks have gone), and all must be read again. */
export function laidOver(before: Tasks, change: Timeline): Tasks | null {
  const fresh = rowsOf(change);
  if (change.whole) return fresh;
  if (before.createTime !== fresh.createTime) return null;
  const isSame = change.revision === before.revision && change.updateTime === before.updateTime;
  if (isSame && change.total === before.rows.length) return { ...fresh, rows: before.rows };
  if (change.revision <= before.revision) return null; // the server was killed, and a claim it had not written yet is gone
  const byNumber = new Map(before.rows.map(row => [row.n, row]));
  for (const row of fresh.rows) byNumber.set(row.n, row);
  if (byNumber.size !== change.total) return null;
  const rows = [...byNumber.values()].sort((a, b) => a.seq - b.seq || a.n - b.n);
  return { ...fresh, rows: settled(rows) };
}

/** An attempt that another one followed is a past one, also when it was read before that. */
function settled(rows: TaskRow[]): TaskRow[] {
  const followed = new Set(rows.map(row => row.retryOf).filter(Boolean));
  return followed.size
    ? rows.map(row => (followed.has(row.id) && !row.retried ? { ...row, retried: true } : row))
    : rows;
}
