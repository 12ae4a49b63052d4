import { expect, it } from "vitest";
import { addressOf, lookOfStatus, outputsOfRun, progressOf, textOf } from "./results";
import type { Run } from "./types";

it("fetches media from this server alone, whatever the backend calls itself", () => {
  expect(addressOf("http://localhost:5111/assets/abc.png")).toBe("/assets/abc.png");
  expect(addressOf({ name: "x", url: "asset://abc.png" })).toBe("/assets/abc.png");
  expect(addressOf("https://elsewhere.example/x.png")).toBe("");
  expect(addressOf("javascript:alert(1)")).toBe("");
  expect(addressOf(7)).toBe("");
});

it("shows items that are ready before their node is", () => {
  const items = [
    { index: 0, status: "completed", output: { imageUrl: "a" } },
    { index: 1, status: "failed", error: "no" },
    { index: 2, status: "running" },
  ];
  const run = { nodeStatuses: [{ id: "n", status: "running", items }], results: [] } as unknown as Run;
  expect(outputsOfRun(run).get("n")).toEqual({ imageUrl: ["a"] });
  expect(progressOf(run.nodeStatuses[0])).toEqual({ done: 1, failed: 1, all: 3 });
  expect(outputsOfRun(null).size).toBe(0);
});

it("says statuses in the words of the design, and texts as they are", () => {
  expect(lookOfStatus("completed", true)).toBe("COMPLETED_WITH_ERRORS");
  expect(lookOfStatus("cancelled")).toBe("CANCELED");
  expect(lookOfStatus("strange")).toBe("strange");
  expect(textOf({ text: "<b>" })).toBe("<b>");
  expect(textOf([1])).toBe("[1]");
});
