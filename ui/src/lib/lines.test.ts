import { expect, test } from "vitest";
import type { TaskRow } from "../api/timeline";
import type { Place } from "./definition";
import { ahead, criticalPath, linesOf, spansOf, ticks, unfoldedLines } from "./lines";

export function row(change: Partial<TaskRow>): TaskRow {
  return {
    n: 0,
    id: "",
    ref: "a",
    base: "a",
    type: "SIMPLE",
    name: "a",
    status: "COMPLETED",
    worker: "",
    loop: "",
    fork: "",
    queue: "a",
    seq: 1,
    attempt: 0,
    iteration: 0,
    polls: 0,
    scheduled: 1000,
    started: 1100,
    ended: 1200,
    updated: 1200,
    retried: false,
    retryOf: "",
    due: 0,
    until: 0,
    reason: "",
    child: "",
    ...change,
  };
}
const place = (ref: string, parent = "", depth = 0): [string, Place] => [
  ref,
  { ref, type: "", parent, depth, node: {} as Place["node"] },
];

test("attempts of a reference share a line, in order", () => {
  const lines = linesOf(
    [row({ n: 0 }), row({ n: 1, ref: "b", base: "b" }), row({ n: 2, attempt: 1 })],
    new Map([place("a"), place("b")]),
  );
  expect(lines.map(line => [line.ref, line.tasks.map(task => task.n)])).toEqual([
    ["a", [0, 2]],
    ["b", [1]],
  ]);
});

test("lines know what they stand in, and are folded with it", () => {
  const rows = [
    row({ ref: "loop", base: "loop", type: "DO_WHILE" }),
    row({ n: 1, ref: "body__1", base: "body", loop: "loop" }),
    row({ n: 2, ref: "fork", base: "fork", type: "FORK" }),
    row({ n: 3, ref: "dynamic", base: "dynamic", fork: "fork" }),
  ];
  const lines = linesOf(rows, new Map([place("loop"), place("body", "loop", 1), place("fork")]));
  expect(lines.map(line => [line.ref, line.depth, line.parent, line.hasInside])).toEqual([
    ["loop", 0, "", true],
    ["body__1", 1, "loop", false],
    ["fork", 0, "", true],
    ["dynamic", 1, "fork", false],
  ]);
  expect(unfoldedLines(lines, new Set(["loop"])).map(line => line.ref)).toEqual(["loop", "fork", "dynamic"]);
});

test.each([
  [
    "a worker's task",
    {},
    [
      ["queue", 1000, 1100],
      ["run", 1100, 1200],
    ],
  ],
  [
    "one held back",
    { due: 1050 },
    [
      ["backoff", 1000, 1050],
      ["queue", 1050, 1100],
      ["run", 1100, 1200],
    ],
  ],
  ["one that nobody took", { status: "SCHEDULED", started: 0, ended: 0 }, [["queue", 1000, 2000]]],
  [
    "one that runs",
    { status: "IN_PROGRESS", ended: 0 },
    [
      ["queue", 1000, 1100],
      ["run", 1100, 2000],
    ],
  ],
  ["a wait", { type: "WAIT", queue: "", started: 1000 }, [["wait", 1000, 1200]]],
  ["a join", { type: "JOIN", queue: "", started: 1000 }, [["inside", 1000, 1200]]],
  ["cancelled while queued", { status: "CANCELED", started: 0, ended: 1300 }, [["queue", 1000, 1300]]],
  ["one that never was", { scheduled: 0, started: 0, ended: 0 }, []],
] as const)("the time of %s", (_, change, spans) => {
  expect(spansOf(row(change as Partial<TaskRow>), 2000).map(span => [span.kind, span.from, span.to])).toEqual(spans);
});

test("ticks are round and few", () => {
  expect(ticks({ from: 0, to: 75_000 }, 0)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000]);
  expect(ticks({ from: 1500, to: 2500 }, 1000)).toEqual([600, 800, 1000, 1200, 1400]);
  expect(ticks({ from: 0, to: 0 }, 0)).toEqual([]);
});

test("the critical path goes back from the end through what ended last", () => {
  const rows = [
    row({ n: 0, scheduled: 0 + 1, ended: 100 }),
    row({ n: 1, scheduled: 100, ended: 150 }),
    row({ n: 2, scheduled: 100, ended: 300 }),
    row({ n: 3, scheduled: 100, ended: 300, type: "JOIN" }),
    row({ n: 4, scheduled: 300, ended: 400 }),
  ];
  expect([...criticalPath(rows)].sort()).toEqual([0, 2, 4]);
});

test("the axis of what runs ends a little ahead of its present, and stays there for a while", () => {
  const HOUR = 3_600_000;
  const ends = new Set<number>();
  for (let now = HOUR; now < HOUR + 600_000; now += 1000) {
    const end = ahead(0, now);
    expect(end).toBeGreaterThanOrEqual(now);
    expect(end - now).toBeLessThanOrEqual(now / 16);
    ends.add(end);
  }
  expect(ends.size).toBeLessThan(8); // of six hundred seconds
  expect(ahead(1000, 1000)).toBeGreaterThan(1000);
});
