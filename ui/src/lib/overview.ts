// What of an overview wants attention, and its beats as series.
import type { Overview, QueueState } from "../api/types";

export interface Failing {
  name: string;
  failed: number;
  ended: number;
}

const sum = (counts: Record<string, number>, statuses: string[]) =>
  statuses.reduce((total, status) => total + (counts[status] ?? 0), 0);

/** Workflows with failures of late, the most failures first. */
export function failing(overview: Overview): Failing[] {
  return overview.definitions
    .map(one => ({
      name: one.name,
      failed: sum(one.recent, ["FAILED", "TIMED_OUT"]),
      ended: sum(one.recent, ["FAILED", "TIMED_OUT", "COMPLETED", "TERMINATED"]),
    }))
    .filter(one => one.failed > 0)
    .sort((a, b) => b.failed - a.failed || a.name.localeCompare(b.name));
}

/** Queues with tasks that are due and no worker that asked within a minute, the longest wait first. */
export function unserved(overview: Overview): QueueState[] {
  return overview.queues
    .filter(queue => queue.due > 0 && !queue.isOurs && queue.workers === 0)
    .sort((a, b) => a.oldestDueAt - b.oldestDueAt);
}

/** Queues by their longest wait. */
export function longestWaits(overview: Overview): QueueState[] {
  return overview.queues.filter(queue => queue.due > 0).sort((a, b) => a.oldestDueAt - b.oldestDueAt);
}

/** A minute's sums at each beat would jump; so: what happened in the beat, per minute. */
export function perMinute(overview: Overview, pick: (beat: Overview["beats"][number]) => number): number[] {
  return overview.beats.map(beat => (pick(beat) * 60) / overview.stepS);
}

/** Workers that asked for tasks within a minute. */
export function alive(overview: Overview): number {
  return overview.workers.filter(worker => overview.at - worker.lastPollAt <= 60_000).length;
}
