import { describe, expect, it } from "vitest";
import {
  added,
  AFTER,
  autoLinked,
  connected,
  disconnected,
  edgesOf,
  pasted,
  picked,
  placed,
  readDocument,
  refusal,
  removed,
  withPositions,
} from "./document";
import { fits, portsOf, shapesOf } from "./ports";
import type { FlowDocument, FlowNode, InputPort, NodeType, OutputPort } from "./types";
import { reference } from "./values";

const input = (name: string, accepts: InputPort["accepts"], arity: InputPort["arity"] = "one", required = true) => ({
  name,
  accepts,
  arity,
  required,
});
function type(name: string, inputs: InputPort[], outputs: OutputPort[], variants: NodeType["variants"] = []): NodeType {
  const properties = Object.fromEntries(
    inputs.map(port => [
      port.name,
      { title: port.name, type: "string", "x-ui": { kind: "text" as const, advanced: false } },
    ]),
  );
  return {
    type: name,
    title: name,
    category: "generation",
    icon: "text",
    summary: "",
    settings: { properties, required: [] },
    inputs,
    outputs,
    variants,
    providers: [],
  };
}
const out = (name: string, medium: OutputPort["medium"], many = false) => ({ name, medium, many });
const VIDEO = [out("files", "video", true)];
const TYPES = new Map(
  [
    type("write", [input("prompt", ["text"])], [out("text", "text"), out("tokens", "number")]),
    type("split", [input("text", ["text", "json"], "many")], [out("items", "text", true)]),
    type("draw", [input("prompt", ["text"])], [out("imageUrl", "image")]),
    type("move", [input("imageUrl", ["image"])], [out("videoUrl", "video")]),
    type("merge", [input("clips", ["video"], "many")], [out("videoUrl", "video")]),
    type("files", [], [out("files", "image", true)], [{ field: "kind", value: "Video", outputs: VIDEO }]),
  ].map(one => [one.type, one]),
);

const node = (id: string, config: FlowNode["config"] = {}, more: Partial<FlowNode> = {}): FlowNode => ({
  id,
  type: id.replace(/\d+$/, ""),
  config,
  ...more,
});
const flow = (...nodes: FlowNode[]): FlowDocument => ({ format: "batuta-flow/1", workflowName: "A", nodes });
const CHAIN = flow(
  node("write", { prompt: "a fox" }),
  node("split", { text: reference("write", "text") }),
  node("draw", { prompt: { _type: "text", parts: ["Photo of ", reference("split", "items")] } }),
  node("move", { imageUrl: reference("draw", "imageUrl") }),
  node("merge", { clips: [reference("move", "videoUrl")] }, { after: ["write"] }),
);

describe("edges", () => {
  it("follow from references, wherever in a value they stand, and from the order", () => {
    expect(edgesOf(CHAIN).map(({ source, output, target, field }) => [source, output, target, field])).toEqual([
      ["write", "text", "split", "text"],
      ["split", "items", "draw", "prompt"],
      ["draw", "imageUrl", "move", "imageUrl"],
      ["move", "videoUrl", "merge", "clips"],
      ["write", AFTER, "merge", AFTER],
    ]);
  });
  it("do not follow from references to nodes that are not there", () => {
    expect(edgesOf(flow(node("split", { text: reference("gone", "text") })))).toEqual([]);
  });
  it("are cut without touching what else is in the value", () => {
    for (const edge of edgesOf(CHAIN)) {
      const after = disconnected(CHAIN, edge);
      expect(edgesOf(after).map(one => one.id)).toEqual(
        edgesOf(CHAIN)
          .filter(one => one.id !== edge.id)
          .map(one => one.id),
      );
    }
    expect(disconnected(CHAIN, edgesOf(CHAIN)[1]!).nodes[2]!.config.prompt).toBe("Photo of ");
  });
});

describe("links", () => {
  const link = (source: string, output: string, target: string, field: string) => ({ source, output, target, field });
  it("are refused in words where they do not fit, bite their tail or nest lists", () => {
    expect(refusal(CHAIN, TYPES, link("draw", "imageUrl", "merge", "clips"))).toMatch("image does not fit");
    expect(refusal(CHAIN, TYPES, link("write", "text", "write", "prompt"))).toMatch("itself");
    expect(refusal(CHAIN, TYPES, link("split", "items", "write", "prompt"))).toMatch("circle");
    expect(refusal(CHAIN, TYPES, link("write", "nothing", "draw", "prompt"))).toMatch("no such port");
    const nodes = CHAIN.nodes.map(one =>
      one.id === "merge" ? node("merge", { clips: reference("move", "videoUrl") }) : one,
    );
    const two = flow(...nodes, node("move2", { imageUrl: reference("draw", "imageUrl") }));
    expect(refusal(two, TYPES, link("move2", "videoUrl", "merge", "clips"))).toMatch("list of lists");
  });
  it("replace what a port for one had, and join what a port for many has", () => {
    const one = flow(node("write"), node("write2"), node("draw", { prompt: reference("write", "text") }));
    expect(connected(one, TYPES, link("write2", "text", "draw", "prompt")).nodes[2]!.config.prompt).toEqual(
      reference("write2", "text"),
    );
    const many = flow(node("move"), node("move2"), node("merge", { clips: reference("move", "videoUrl") }));
    const both = connected(many, TYPES, link("move2", "videoUrl", "merge", "clips"));
    expect(both.nodes[2]!.config.clips).toEqual([reference("move", "videoUrl"), reference("move2", "videoUrl")]);
    expect(connected(both, TYPES, link("move2", "videoUrl", "merge", "clips"))).toBe(both);
  });
  it("are made to the needed inputs of a new node, and not where nothing fits", () => {
    const behind = added(flow(node("split")), TYPES.get("draw")!, [0, 0]);
    expect(edgesOf(autoLinked(behind.document, TYPES, behind.id, "split"))).toMatchObject([
      { output: "items", field: "prompt" },
    ]);
    const strange = added(flow(node("write")), TYPES.get("merge")!, [0, 0]);
    expect(edgesOf(autoLinked(strange.document, TYPES, strange.id, "write"))).toEqual([]);
  });
});

describe("ports", () => {
  it("connect as the backend says", () => {
    expect(fits("number", ["text"])).toBe(true);
    expect(fits("image", ["file"])).toBe(true);
    expect(fits("file", ["video"])).toBe(true);
    expect(fits("text", ["image"])).toBe(false);
    expect(fits("image", ["json"])).toBe(true);
  });
  it("differ with settings where the type says so", () => {
    expect(portsOf(node("files", { kind: "Video" }), TYPES)).toEqual(VIDEO);
    expect(portsOf(node("files", { kind: "Image" }), TYPES)[0]!.medium).toBe("image");
  });
  it("tell which nodes run item by item", () => {
    const mapped = [...shapesOf(CHAIN, TYPES)].filter(([, shape]) => shape.mapped.length).map(([id]) => id);
    expect(mapped).toEqual(["draw", "move"]);
    expect(shapesOf(CHAIN, TYPES).get("merge")!.nested).toEqual(["clips"]);
  });
});

describe("nodes", () => {
  it("leave no link behind when they are removed", () => {
    const after = removed(CHAIN, new Set(["split", "write"]));
    expect(after.nodes.map(one => one.id)).toEqual(["draw", "move", "merge"]);
    expect(after.nodes[0]!.config.prompt).toBe("Photo of ");
    expect(after.nodes[2]!.after).toEqual([]);
  });
  it("are pasted under new ids, with the links among them, and to what is here", () => {
    const { document, ids } = pasted(CHAIN, picked(CHAIN, new Set(["draw", "move"])));
    expect([...ids]).toEqual(["draw_1", "move_1"]);
    expect(document.nodes.at(-1)!.config.imageUrl).toEqual(reference("draw_1", "imageUrl"));
    expect(edgesOf(document).some(edge => edge.source === "split" && edge.target === "draw_1")).toBe(true);
    const elsewhere = pasted(flow(), picked(CHAIN, new Set(["move"])));
    expect(elsewhere.document.nodes[0]!.config).toEqual({});
  });
  it("stand where they were put, others by how far they are from the beginning", () => {
    const places = placed(withPositions(CHAIN, new Map([["draw", [5.4, 7.6]]])));
    expect(places.get("draw")).toEqual([5, 8]);
    expect(places.get("write")![0]).toBeLessThan(places.get("split")![0]);
  });
  it("are drawn for ever even in a circle", () => {
    const circle = flow(
      node("write", { prompt: reference("draw", "prompt") }),
      node("draw", { prompt: reference("write", "text") }),
    );
    expect(placed(circle).size).toBe(2);
    expect(shapesOf(circle, TYPES).size).toBe(2);
  });
});

it("a document that was read loses nothing that nobody here knows", () => {
  const strange = {
    ...CHAIN,
    id: "flow_1",
    colour: "red",
    nodes: [node("write", { x: { y: [1] } }, { estimatedTime: "10s" })],
  };
  expect(readDocument(JSON.stringify(strange))).toEqual(strange);
  expect(readDocument("{}")).toBeNull();
  expect(readDocument("[1]")).toBeNull();
  expect(readDocument("not json")).toBeNull();
});
