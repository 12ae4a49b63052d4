import ELK from "elkjs/lib/elk.bundled.js";
import { expect, test } from "vitest";
import type { TaskRow } from "../api/timeline";
import type { WorkflowDef } from "../api/types";
import { graphOf } from "./build";
import { asked, inOneLine } from "./layout";

const task = (ref: string, type = "SIMPLE", more: object = {}) => ({
  name: ref,
  taskReferenceName: ref,
  type,
  ...more,
});
const flow = (...tasks: unknown[]) => ({ name: "w", tasks }) as unknown as WorkflowDef;
const fork = (count: number) => {
  const branch = (n: number) => ({ id: `t${n}`, ref: `b${n}`, base: `b${n}`, name: "b", fork: "f", child: "", seq: n });
  const row = (n: number) => ({ ...branch(n), n, type: "SIMPLE", status: n % 2 ? "COMPLETED" : "SCHEDULED" });
  const first = { ...row(0), id: "f", ref: "f", base: "f", fork: "", type: "FORK" };
  const rows = [first, ...Array.from({ length: count }, (_, n) => row(n + 1))] as unknown as TaskRow[];
  return graphOf(flow(task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN"), task("z")), { rows, status: "RUNNING" });
};

test.each([
  ["three tasks", graphOf(flow(task("a"), task("b", "HTTP"), task("c", "JOIN")))],
  ["a fork of a thousand branches, stacked", fork(1000)],
])(
  "a sequence stands where ELK would put it, without ELK: %s",
  async (_, graph) => {
    const line = inOneLine(graph)!;
    const laid = await new ELK().layout(asked(graph));
    for (const { id, x, y, width, height } of laid.children!)
      expect(line.boxes.get(id)).toEqual({ x, y, width, height });
    for (const { id, sections } of laid.edges!)
      expect(line.routes.get(id)!.points).toEqual([sections![0]!.startPoint, sections![0]!.endPoint]);
  },
  60_000,
); // ELK takes its time to begin on a busy machine

test("what is hidden in a stack costs nothing: a thousand branches are as many nodes as sixty", () => {
  expect(fork(1000).nodes.length).toBe(fork(60).nodes.length);
  expect(asked(fork(1000)).children).toHaveLength(6);
});

test("anything else is ELK's", () => {
  const choice = task("s", "SWITCH", { decisionCases: { x: [task("a")] }, defaultCase: [] });
  for (const one of [choice, task("l", "DO_WHILE", { loopOver: [task("a")] })])
    expect(inOneLine(graphOf(flow(one, task("b"))))).toBeNull();
  expect(inOneLine(graphOf(flow(task("f", "FORK_JOIN", { forkTasks: [[task("a")], [task("b")]] }))))).toBeNull();
});
