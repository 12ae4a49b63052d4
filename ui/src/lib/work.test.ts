import { expect, test } from "vitest";
import type { QueueState, Work } from "../api/types";
import { limitsOf, queueRows, standstill, workerCommand, workerRows } from "./work";

const AT = 1_000_000_000;
const queue = (name: string, more: Partial<QueueState> = {}): QueueState => ({
  queue: name,
  taskType: name.split(":").at(-1)!,
  domain: name.includes(":") ? name.split(":")[0]! : "",
  waiting: 1,
  due: 1,
  oldestDueAt: AT - 5_000,
  lastPollAt: 0,
  lastWorker: "",
  workers: 0,
  isOurs: false,
  ...more,
});
const work = (more: Partial<Work>): Work => ({
  at: AT,
  latelyMs: 60_000,
  queues: [],
  inProgress: {},
  polls: [],
  hands: [],
  ...more,
});
const hand = (worker: string, name = "flash") => ({
  taskId: "t",
  workflowId: "w",
  workflow: "pipeline",
  ref: name,
  queue: name,
  worker,
  startedAt: AT - 9_000,
  updateTime: AT - 9_000,
});

test("a queue that stands still says since when, and who was the last", () => {
  const last = { lastPollAt: AT - 12 * 60_000, lastWorker: "host7" };
  expect(standstill(queue("flash", last), AT)).toBe("No worker has polled `flash` for 12 min. Last: host7.");
  expect(standstill(queue("flash"), AT)).toBe("No worker has polled `flash` since the server started.");
  expect(standstill(queue("flash", { workers: 1 }), AT)).toBe("");
  expect(standstill(queue("HTTP", { isOurs: true }), AT)).toBe("");
});

test("the command names the domain", () => {
  expect(workerCommand(queue("flash"))).toBe("batuta worker YOUR_MODULE");
  expect(workerCommand(queue("bench-2:flash"))).toBe("batuta worker YOUR_MODULE --domain bench-2");
});

test("queues nobody serves come first, and those with tasks in hand alone are there", () => {
  const served = queue("a", { workers: 1 });
  const rows = queueRows(work({ queues: [served, queue("b")], inProgress: { a: 2, "dom:gone": 1 } }), [
    { name: "a", concurrentExecLimit: 2 } as never,
  ]);
  expect(rows.map(row => [row.queue, row.isAlone, row.inProgress])).toEqual([
    ["b", true, 0],
    ["a", false, 2],
    ["dom:gone", false, 1],
  ]);
  expect(rows[1]!.limits).toEqual(["2 at a time"]);
  expect([rows[2]!.domain, rows[2]!.taskType]).toEqual(["dom", "gone"]);
});

test("limits are told as they are meant", () => {
  const definition = { name: "a", rateLimitPerFrequency: 10, rateLimitFrequencyInSeconds: 60 };
  expect(limitsOf(definition as never)).toEqual(["10 every 60 s"]);
  expect(limitsOf(undefined)).toEqual([]);
});

test("silent workers that hold tasks come first, then those alive, then those that left", () => {
  const rows = workerRows(
    work({
      polls: [
        { queue: "a", worker: "alive", at: AT - 1_000 },
        { queue: "b", worker: "alive", at: AT - 90_000 },
        { queue: "a", worker: "gone", at: AT - 600_000 },
        { queue: "flash", worker: "stuck", at: AT - 120_000 },
      ],
      hands: [hand("stuck"), hand("unknown")],
    }),
  );
  expect(rows.map(row => [row.worker, row.isAlive, row.hands.length])).toEqual([
    ["stuck", false, 1],
    ["unknown", false, 1],
    ["alive", true, 0],
    ["gone", false, 0],
  ]);
  expect(rows[2]!.queues.map(one => [one.queue, one.isAlive])).toEqual([
    ["a", true],
    ["b", false],
  ]);
});
