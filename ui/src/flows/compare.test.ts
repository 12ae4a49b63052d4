import { describe, expect, it } from "vitest";
import { isAlike, pairsOf, spelledOut } from "./compare";
import type { FlowNode, NodeType, Run } from "./types";
import { reference } from "./values";

const image: NodeType = {
  type: "image",
  title: "Image",
  category: "generation",
  icon: "image",
  summary: "",
  settings: {
    properties: { prompt: { title: "Prompt", type: "string", "x-ui": { kind: "longtext", advanced: false } } },
    required: [],
  },
  inputs: [],
  outputs: [{ name: "imageUrl", medium: "image", many: false }],
  variants: [],
  providers: [],
};
const types = new Map([["image", image]]);
const node = (id: string, config: FlowNode["config"]): FlowNode => ({ id, type: "image", title: id, config });

function ran(made: Record<string, string>, ...nodes: FlowNode[]) {
  const run: Run = {
    workflowId: "r",
    workflowName: "",
    status: "completed",
    nodeStatuses: nodes.map(({ id }) => ({ id, status: "completed" })),
    results: nodes.map(({ id }) => ({
      nodeId: id,
      nodeType: "image",
      success: true,
      data: { type: "image", output: { imageUrl: made[id] } },
    })),
    error: null,
    startTime: null,
    endTime: null,
    spentUsd: 0,
  };
  return { run, document: { format: "", workflowName: "", nodes } };
}

describe("two runs", () => {
  it("are paired node by node, with what was set otherwise", () => {
    const a = ran({ x: "/assets/1.png", y: "/assets/2.png" }, node("x", { prompt: "fox" }), node("y", { prompt: "a" }));
    const b = ran({ x: "/assets/9.png", z: "/assets/3.png" }, node("x", { prompt: "owl" }), node("z", {}));
    const found = pairsOf(a, b, types);
    expect(found.map(({ id, a, b }) => [id, !!a, !!b])).toEqual([
      ["x", true, true],
      ["y", true, false],
      ["z", false, true],
    ]);
    expect(found[0]!.differences).toEqual([{ name: "Prompt", a: "fox", b: "owl" }]);
    expect(found.map(isAlike)).toEqual([false, false, false]);
  });

  it("that made the same of the same are alike", () => {
    const a = ran({ x: "/assets/1.png" }, node("x", { prompt: "fox" }));
    expect(pairsOf(a, a, types).map(isAlike)).toEqual([true]);
  });

  it("spell links by the titles of their nodes", () => {
    const titles = new Map([["a", "Story"]]);
    const text = { _type: "text", parts: ["Photo of ", reference("a", "text")] };
    expect(spelledOut(text, titles)).toBe("Photo of [→ Story · text]");
    expect(spelledOut(undefined, titles)).toBe("not set");
  });
});
