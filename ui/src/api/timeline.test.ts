import { expect, test } from "vitest";
import { laidOver, rowsOf } from "./timeline";
import type { Timeline } from "./types";

const ID = "0123456789abcdef01-3456-89abcdef0123".padEnd(36, "0");

export function timeline(
  tasks: { n: number; ref: string; status: string; ended?: number }[],
  more: Partial<Timeline> = {},
): Timeline {
  const words = ["", ...tasks.flatMap(task => [task.ref, task.status])];
  const zeros = tasks.map(() => 0);
  return {
    workflowId: ID,
    status: "RUNNING",
    revision: 3,
    createTime: 1000,
    updateTime: 1500,
    endTime: 0,
    wakeAt: 0,
    at: 2000,
    total: tasks.length,
    whole: true,
    words,
    n: tasks.map(task => task.n),
    ref: tasks.map(task => words.indexOf(task.ref)),
    base: tasks.map(task => words.indexOf(task.ref)),
    type: zeros,
    name: zeros,
    statusOf: tasks.map(task => words.indexOf(task.status)),
    worker: zeros,
    loop: zeros,
    fork: zeros,
    queue: zeros,
    seq: tasks.map(task => task.n + 1),
    attempt: zeros,
    iteration: zeros,
    polls: zeros,
    scheduled: zeros,
    started: tasks.map(() => 5),
    ended: tasks.map(task => task.ended ?? -1),
    updated: zeros,
    retried: zeros,
    ids: {},
    retryOf: {},
    due: {},
    until: {},
    reasons: {},
    children: {},
    ...more,
  };
}

test("columns become rows with instants and ids", () => {
  const { rows, skew } = rowsOf(
    timeline(
      [
        { n: 17, ref: "a", status: "COMPLETED", ended: 40 },
        { n: 18, ref: "b", status: "SCHEDULED" },
      ],
      { reasons: { "18": "why" }, ids: { "18": "own" } },
    ),
    1900,
  );
  expect(rows[0]).toMatchObject({
    n: 17,
    ref: "a",
    status: "COMPLETED",
    scheduled: 1000,
    started: 1005,
    ended: 1040,
    reason: "",
  });
  expect(rows[0]!.id.endsWith("-000000000011")).toBe(true);
  expect(rows[1]).toMatchObject({ id: "own", ended: 0, reason: "why" });
  expect(skew).toBe(100);
});

test("what changed is laid over what was known, in order", () => {
  const before = rowsOf(
    timeline([
      { n: 0, ref: "a", status: "COMPLETED" },
      { n: 1, ref: "b", status: "SCHEDULED" },
    ]),
  );
  const change = timeline(
    [
      { n: 1, ref: "b", status: "COMPLETED" },
      { n: 2, ref: "c", status: "SCHEDULED" },
    ],
    { whole: false, total: 3, revision: 8 },
  );
  expect(laidOver(before, change)!.rows.map(row => [row.ref, row.status])).toEqual([
    ["a", "COMPLETED"],
    ["b", "COMPLETED"],
    ["c", "SCHEDULED"],
  ]);
});

test("when tasks have gone, the two do not add up", () => {
  const before = rowsOf(
    timeline([
      { n: 0, ref: "a", status: "COMPLETED" },
      { n: 1, ref: "b", status: "FAILED" },
    ]),
  );
  expect(
    laidOver(before, timeline([{ n: 2, ref: "b", status: "SCHEDULED" }], { whole: false, total: 2, revision: 8 })),
  ).toBeNull();
});

test("a failure that was retried is a past one, though nothing else of it changed", () => {
  const before = rowsOf(timeline([{ n: 0, ref: "a", status: "FAILED", ended: 4 }]));
  const change = timeline([{ n: 1, ref: "a", status: "SCHEDULED" }], {
    whole: false,
    total: 2,
    revision: 8,
    retryOf: { "1": before.rows[0]!.id },
  });
  expect(laidOver(before, change)!.rows.map(row => [row.status, row.retried])).toEqual([
    ["FAILED", true],
    ["SCHEDULED", false],
  ]);
});

test("nothing new leaves the rows as they are; a revision that went back is read again as a whole", () => {
  const before = rowsOf(timeline([{ n: 0, ref: "a", status: "IN_PROGRESS" }], { revision: 5 }));
  const same = timeline([], { whole: false, total: 1, revision: 5 });
  expect(laidOver(before, same)!.rows).toBe(before.rows);
  expect(laidOver(before, { ...same, revision: 4 })).toBeNull();
  expect(laidOver(before, { ...same, updateTime: before.updateTime + 1 })).toBeNull();
});
