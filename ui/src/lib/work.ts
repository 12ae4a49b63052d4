// Queues and workers as an operator asks about them: who serves what, what stands still, what is held back.
import type { Hand, QueueState, TaskDef, Work } from "../api/types";
import { ago, count } from "./format";

export interface QueueRow extends QueueState {
  inProgress: number;
  /** What the task definition allows at a time, or in a span; empty when everything. */
  limits: string[];
  /** Tasks are due and nobody asks for them. */
  isAlone: boolean;
}

export interface WorkerRow {
  worker: string;
  lastAt: number;
  isAlive: boolean;
  queues: { queue: string; at: number; isAlive: boolean }[];
  hands: Hand[];
}

export function queueRows(work: Work, definitions: readonly TaskDef[]): QueueRow[] {
  const known = new Map(definitions.map(one => [one.name, one]));
  const states = new Map(work.queues.map(state => [state.queue, state]));
  // A queue whose tasks are all with workers of a server that ended has neither size nor poll.
  for (const queue of Object.keys(work.inProgress)) if (!states.has(queue)) states.set(queue, emptyQueue(queue));
  return [...states.values()]
    .map(state => ({
      ...state,
      inProgress: work.inProgress[state.queue] ?? 0,
      limits: limitsOf(known.get(state.taskType)),
      isAlone: state.due > 0 && !state.isOurs && state.workers === 0,
    }))
    .sort((a, b) => Number(b.isAlone) - Number(a.isAlone) || a.queue.localeCompare(b.queue));
}

function emptyQueue(queue: string): QueueState {
  const colon = queue.lastIndexOf(":");
  return {
    queue,
    domain: colon < 0 ? "" : queue.slice(0, colon),
    taskType: queue.slice(colon + 1),
    waiting: 0,
    due: 0,
    oldestDueAt: 0,
    lastPollAt: 0,
    lastWorker: "",
    workers: 0,
    isOurs: false,
  };
}

/** "2 at a time", "10 every 60 s". */
export function limitsOf(definition: TaskDef | undefined): string[] {
  if (!definition) return [];
  const limits = [];
  if (definition.concurrentExecLimit) limits.push(`${count(definition.concurrentExecLimit)} at a time`);
  if (definition.rateLimitPerFrequency)
    limits.push(`${count(definition.rateLimitPerFrequency)} every ${definition.rateLimitFrequencyInSeconds ?? 1} s`);
  return limits;
}

/** Why nothing of the queue is done, in words; empty when somebody serves it. */
export function standstill(queue: QueueState, now: number): string {
  if (queue.isOurs || queue.workers) return "";
  if (!queue.lastPollAt) return `No worker has polled \`${queue.queue}\` since the server started.`;
  const span = ago(queue.lastPollAt, now).replace(" ago", "");
  return `No worker has polled \`${queue.queue}\` for ${span}. Last: ${queue.lastWorker || "one without a name"}.`;
}

/** The command that starts a worker for a queue; where its code is, only the person knows. */
export const workerCommand = (queue: QueueState) =>
  `batuta worker YOUR_MODULE${queue.domain ? ` --domain ${queue.domain}` : ""}`;

/** Every worker that asked or has something in hand, those in trouble first: silent ones that still hold tasks. */
export function workerRows(work: Work): WorkerRow[] {
  const rows = new Map<string, WorkerRow>();
  const rowOf = (worker: string) => {
    let row = rows.get(worker);
    if (!row) rows.set(worker, (row = { worker, lastAt: 0, isAlive: false, queues: [], hands: [] }));
    return row;
  };
  for (const poll of work.polls) {
    const row = rowOf(poll.worker);
    const isAlive = work.at - poll.at <= work.latelyMs;
    row.queues.push({ queue: poll.queue, at: poll.at, isAlive });
    row.lastAt = Math.max(row.lastAt, poll.at);
    row.isAlive ||= isAlive;
  }
  const served = new Set(work.queues.filter(queue => queue.isOurs).map(queue => queue.queue));
  for (const hand of work.hands)
    if (!served.has(hand.queue) || rows.has(hand.worker)) rowOf(hand.worker).hands.push(hand);
  const rank = (row: WorkerRow) => (row.isAlive ? 1 : row.hands.length ? 0 : 2);
  for (const row of rows.values()) row.queues.sort((a, b) => b.at - a.at);
  return [...rows.values()].sort((a, b) => rank(a) - rank(b) || a.worker.localeCompare(b.worker));
}
