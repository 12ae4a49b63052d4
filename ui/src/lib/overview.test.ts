import { expect, test } from "vitest";
import type { Overview } from "../api/types";
import { alive, failing, longestWaits, perMinute, unserved } from "./overview";

const queue = (change: object) => ({
  queue: "q",
  taskType: "q",
  domain: "",
  waiting: 1,
  due: 1,
  oldestDueAt: 5,
  lastPollAt: 0,
  lastWorker: "",
  workers: 0,
  isOurs: false,
  ...change,
});
const overview = {
  at: 100_000,
  beganAt: 0,
  stepS: 10,
  recentSince: 0,
  counts: {},
  oldest: [],
  definitions: [
    { name: "fine", total: {}, recent: { COMPLETED: 9 } },
    { name: "bad", total: {}, recent: { COMPLETED: 1, FAILED: 2, TIMED_OUT: 1, RUNNING: 4 } },
    { name: "worse", total: {}, recent: { FAILED: 5 } },
  ],
  queues: [
    queue({ queue: "served", workers: 2, oldestDueAt: 1 }),
    queue({ queue: "late", oldestDueAt: 2 }),
    queue({ queue: "alone" }),
    queue({ queue: "later", due: 0 }),
    queue({ queue: "HTTP", isOurs: true }),
  ],
  workers: [
    { worker: "a", queues: [], lastPollAt: 99_000 },
    { worker: "b", queues: [], lastPollAt: 1 },
  ],
  beats: [{ at: 1, started: 2, completed: 0, failed: 0, tasks: 0, tasksFailed: 0, p50: -1, p95: -1, commitP95: 0 }],
} as unknown as Overview;

test("what wants attention comes first", () => {
  expect(failing(overview)).toEqual([
    { name: "worse", failed: 5, ended: 5 },
    { name: "bad", failed: 3, ended: 4 },
  ]);
  expect(unserved(overview).map(one => one.queue)).toEqual(["late", "alone"]);
  expect(longestWaits(overview).map(one => one.queue)).toEqual(["served", "late", "alone", "HTTP"]);
  expect([alive(overview), perMinute(overview, beat => beat.started)]).toEqual([1, [12]]);
});
