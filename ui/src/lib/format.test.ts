import { expect, test, vi } from "vitest";
import { ago, bytes, count, duration, instant, when } from "./format";

vi.mock("../app/preferences", () => ({ timeZone: () => "UTC" }));

test.each([
  [0, "0ms"],
  [999, "999ms"],
  [1000, "1.0s"],
  [9_999, "9.9s"],
  [41_300, "41s"],
  [72_000, "1m 12s"],
  [120_000, "2m"],
  [7_500_000, "2h 5m"],
  [273_600_000, "3d 4h"],
  [-5, "0ms"],
  [NaN, "–"],
])("%d ms lasts %s", (ms, said) => expect(duration(ms)).toBe(said));

test("sizes and counts", () => {
  expect([bytes(12), bytes(2048), bytes(5_500_000), bytes(3 * 1024 ** 3)]).toEqual([
    "12 B",
    "2.0 KiB",
    "5.2 MiB",
    "3.0 GiB",
  ]);
  expect([count(1, "task"), count(1200, "task"), count(2, "try", "tries")]).toEqual([
    "1 task",
    "1,200 tasks",
    "2 tries",
  ]);
});

test("instants say as much as is needed", () => {
  const now = Date.UTC(2026, 2, 3, 14, 2, 11);
  expect(when(now - 60_000, now)).toBe("14:01:11");
  expect(when(Date.UTC(2026, 1, 1, 8, 5), now)).toBe("1 Feb, 08:05");
  expect(when(Date.UTC(2024, 1, 1), now)).toBe("1 Feb 2024");
  expect(when(0)).toBe("–");
  expect(instant(now)).toContain("14:02:11.000");
});

test("how long ago", () => {
  const now = 1_000_000_000;
  expect([ago(now, now), ago(now - 12_000, now), ago(now + 300_000, now), ago(0, now)]).toEqual([
    "just now",
    "12 s ago",
    "in 5 min",
    "never",
  ]);
});

test("instants that no calendar has are told as such", () => {
  expect([when(9e15), instant(9e15), ago(9e15)]).toEqual(Array(3).fill("in the far future"));
  expect([when(-9e15), when(NaN), ago(NaN)]).toEqual(["–", "–", "never"]);
});
