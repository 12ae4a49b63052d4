import { describe, expect, test } from "vitest";
import type { TaskRow } from "../api/timeline";
import type { WorkflowDef, WorkflowTask } from "../api/types";
import { graphOf, type Graph, type Wishes } from "./build";
import { stepFrom } from "./walk";

const task = (ref: string, type = "SIMPLE", more: object = {}) =>
  ({ name: ref, taskReferenceName: ref, type, ...more }) as WorkflowTask;
const flow = (...tasks: unknown[]) => ({ name: "w", tasks }) as unknown as WorkflowDef;
const choice = (ref: string, cases: Record<string, WorkflowTask[]>, other: WorkflowTask[] = []) =>
  task(ref, "SWITCH", { decisionCases: cases, defaultCase: other });
const fork = (ref: string, ...branches: WorkflowTask[][]) => task(ref, "FORK_JOIN", { forkTasks: branches });
const loop = (ref: string, ...body: WorkflowTask[]) => task(ref, "DO_WHILE", { loopOver: body });

let made = 0;
/** A row from its reference: `body__2` is of `body`, in its second turn. */
function row(ref: string, status = "COMPLETED", more: Partial<TaskRow> = {}): TaskRow {
  const n = ++made;
  const base = ref.replace(/(__\d+)+$/, "");
  return {
    n,
    seq: n,
    id: `t${n}`,
    ref,
    base,
    type: "SIMPLE",
    name: base,
    status,
    fork: "",
    child: "",
    ...more,
  } as TaskRow;
}
const ran = (rows: TaskRow[], status = "RUNNING") => ({ rows, status });
const forked = (count: number, status: (n: number) => string = () => "COMPLETED") => [
  row("f", "COMPLETED", { type: "FORK" }),
  ...Array.from({ length: count }, (_, n) => row(`b${n}`, status(n), { fork: "f" })),
  row("j", "IN_PROGRESS", { type: "JOIN" }),
];

/** Edges as `a > b`, those that were taken as `a >> b`, a label behind a colon. */
const ways = (graph: Graph) =>
  graph.edges.map(
    edge => `${edge.source} ${edge.isTaken ? ">>" : ">"} ${edge.target}${edge.label ? `: ${edge.label}` : ""}`,
  );
const find = (graph: Graph, id: string) => graph.nodes.find(node => node.id === id);

// name, definition, edges without an execution
const SHAPES: [string, WorkflowDef, string[]][] = [
  ["one after another", flow(task("a"), task("b")), ["start > a", "a > b", "b > end"]],
  ["nothing", flow(), ["start > end"]],
  [
    "cases come together; those without tasks lead on as one way",
    flow(choice("s", { x: [task("a")], y: [], z: [] }), task("b")),
    ["start > s", "s > a: x", "s > b: y, z, default", "a > b"],
  ],
  [
    "a switch in a switch",
    flow(choice("s", { x: [choice("t", { u: [task("a")] }, [task("b")])] }, [task("c")]), task("d")),
    ["start > s", "s > t: x", "t > a: u", "t > b: default", "s > c: default", "a > d", "b > d", "c > d", "d > end"],
  ],
  [
    "a case that terminates does not go on",
    flow(choice("s", { x: [task("t", "TERMINATE")] }), task("a")),
    ["start > s", "s > t: x", "s > a: default", "a > end"],
  ],
  [
    "branches join",
    flow(fork("f", [task("a"), task("b")], [task("c")]), task("j", "JOIN")),
    ["start > f", "f > a", "a > b", "f > c", "b > j", "c > j", "j > end"],
  ],
  ["a loop is a box", flow(loop("l", task("a"), task("b")), task("c")), ["start > l", "a > b", "l > c", "c > end"]],
  [
    "a dynamic fork is a stack of what is to come",
    flow(task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN")),
    ["start > f", "f > f/branches", "f/branches > j", "j > end"],
  ],
  ["a type nobody knows", flow(task("q", "QUANTUM")), ["start > q", "q > end"]],
  ["the same reference twice", flow(task("a"), task("a")), ["start > a", "a > a~2", "a~2 > end"]],
];

test.each(SHAPES)("%s", (_name, definition, expected) => {
  const graph = graphOf(definition);
  expect(ways(graph).sort()).toEqual([...expected, ...(expected.some(e => / end$/.test(e)) ? [] : ["b > end"])].sort());
  expect(graph.isExecuted).toBe(false);
});

// name, definition, rows, edges that were taken
const TAKEN: [string, WorkflowDef, TaskRow[], string[]][] = [
  ["as far as it came", flow(task("a"), task("b"), task("c")), [row("a"), row("b", "IN_PROGRESS")], ["start a", "a b"]],
  [
    "the case that was chosen",
    flow(choice("s", { x: [task("a")], y: [task("b")] }), task("c")),
    [row("s"), row("b"), row("c", "SCHEDULED")],
    ["start s", "s b", "b c"],
  ],
  [
    "a case without tasks",
    flow(choice("s", { x: [task("a")], y: [] }), task("c")),
    [row("s"), row("c")],
    ["start s", "s c"],
  ],
  [
    "a join waits for the branch that is under way",
    flow(fork("f", [task("a")], [task("b")]), task("j", "JOIN")),
    [row("f"), row("a"), row("b", "IN_PROGRESS"), row("j", "IN_PROGRESS")],
    ["start f", "f a", "f b", "a j"],
  ],
  [
    "a loop in a fork",
    flow(fork("f", [loop("l", task("a"), task("b"))], [task("c")]), task("j", "JOIN")),
    [
      row("f"),
      row("l", "IN_PROGRESS", { iteration: 2 }),
      row("a__1"),
      row("b__1"),
      row("a__2"),
      row("c"),
      row("j", "IN_PROGRESS"),
    ],
    ["start f", "f l", "f c", "c j"],
  ],
  [
    "branches made when it ran",
    flow(task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN")),
    forked(2),
    ["start f", "f b0", "f b1", "b0 j", "b1 j"],
  ],
  ["no branches at all", flow(task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN")), forked(0), ["start f", "f j"]],
];

test.each(TAKEN)("taken: %s", (_name, definition, rows, expected) => {
  const graph = graphOf(definition, ran(rows));
  expect(
    graph.edges
      .filter(edge => edge.isTaken)
      .map(edge => `${edge.source} ${edge.target}`)
      .sort(),
  ).toEqual(expected.sort());
});

describe("loops", () => {
  const definition = flow(loop("outer", task("a"), loop("inner", task("b"))));
  const rows = [
    row("outer", "IN_PROGRESS", { iteration: 2 }),
    row("a__1"),
    row("inner__1", "COMPLETED", { iteration: 2 }),
    row("b__1__1"),
    row("b__1__2"),
    row("a__2"),
    row("inner__2", "IN_PROGRESS", { iteration: 1 }),
    row("b__2__1", "IN_PROGRESS"),
  ];
  const shown = (wishes: Wishes) => {
    const graph = graphOf(definition, ran(rows), wishes);
    return ["a", "inner", "b"].map(id => find(graph, id)!.ref);
  };
  test("show their last turn", () => expect(shown({})).toEqual(["a__2", "inner__2", "b__2__1"]));
  test("or the one wished for", () =>
    expect(shown({ turns: new Map([["outer", 1]]) })).toEqual(["a__1", "inner__1", "b__1__2"]));
  test("or that of the selected task", () =>
    expect(shown({ selected: rows[3] })).toEqual(["a__1", "inner__1", "b__1__1"]));
  test("never one that there is not", () =>
    expect(shown({ turns: new Map([["outer", 99]]) })).toEqual(["a__2", "inner__2", "b__2__1"]));
  test("have the same nodes in every turn", () => {
    const ids = (turn: number) =>
      graphOf(definition, ran(rows), { turns: new Map([["outer", turn]]) }).nodes.map(n => n.id);
    expect(ids(1)).toEqual(ids(2));
  });
});

describe("many branches", () => {
  const definition = flow(task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN"));
  const rows = forked(1000, n => (n < 3 ? "FAILED" : n < 10 ? "IN_PROGRESS" : "COMPLETED"));
  test("are one stack with counts, what failed first", () => {
    const graph = graphOf(definition, ran(rows));
    const stack = find(graph, "f/branches")!;
    expect(graph.nodes.length).toBe(5);
    expect(stack.counts.map(one => [one.status, one.count])).toEqual([
      ["FAILED", 3],
      ["IN_PROGRESS", 7],
      ["COMPLETED", 990],
    ]);
    expect([stack.status, stack.counts[0]!.row!.ref]).toEqual(["FAILED", "b0"]);
    expect(graph.byRef.get(" b999")).toBe("f/branches");
  });
  test("are all there when they are spread", () => {
    const graph = graphOf(definition, ran(rows), { spread: new Set(["f/branches"]) });
    expect(graph.nodes.filter(node => node.parent === "f/branches").length).toBe(1000);
    expect(graph.byRef.get(" b999")).toBe("b999");
  });
  test("fifty are still shown as they are", () =>
    expect(find(graphOf(definition, ran(forked(50))), "f/branches")).toBeUndefined());
  test("written in the definition count by what became of each", () => {
    const branches = Array.from({ length: 60 }, (_, n) => [task(`a${n}`), task(`b${n}`)]);
    const run = ran([row("f"), row("a0"), row("b0"), row("a1", "FAILED"), row("a2", "IN_PROGRESS")]);
    const stack = find(graphOf(flow(fork("f", ...branches), task("j", "JOIN")), run), "f/branches")!;
    expect(stack.counts.map(one => [one.status, one.count])).toEqual([
      ["FAILED", 1],
      ["IN_PROGRESS", 1],
      ["COMPLETED", 1],
      ["", 57],
    ]);
  });
  test("in a loop are those of the turn", () => {
    const looped = flow(loop("l", task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN")));
    const run = ran([
      row("l", "IN_PROGRESS", { iteration: 2 }),
      row("f__1"),
      row("x__1", "COMPLETED", { fork: "f" }),
      row("f__2"),
      row("y__2", "COMPLETED", { fork: "f" }),
    ]);
    expect(find(graphOf(looped, run), "y")!.ref).toBe("y__2");
    expect(find(graphOf(looped, run), "x")).toBeUndefined();
  });
});

test("attempts are of one node, and the last says how it stands", () => {
  const graph = graphOf(flow(task("a")), ran([row("a", "FAILED", { retried: true }), row("a", "IN_PROGRESS")]));
  expect([find(graph, "a")!.rows.length, find(graph, "a")!.status]).toEqual([2, "IN_PROGRESS"]);
});

test("a DYNAMIC is what it became", () => {
  const graph = graphOf(flow(task("d", "DYNAMIC")), ran([row("d", "COMPLETED", { type: "HTTP", name: "fetch" })]));
  expect([find(graph, "d")!.type, find(graph, "d")!.name]).toEqual(["HTTP", "fetch"]);
});

test("a child opens in place, and its rows are its own", () => {
  const parent = flow(task("c", "SUB_WORKFLOW"), task("a"));
  const run = ran([row("c", "IN_PROGRESS", { type: "SUB_WORKFLOW", child: "e2" })]);
  const inside = new Map([["c", { home: "e2", definition: flow(task("a")), run: ran([row("a", "FAILED")]) }]]);
  const graph = graphOf(parent, run, { inside });
  expect(find(graph, "c")!.kind).toBe("child");
  expect([find(graph, "c/a")!.home, find(graph, "c/a")!.status, find(graph, "a")!.status]).toEqual([
    "e2",
    "FAILED",
    "",
  ]);
  expect([graph.byRef.get("e2 a"), graph.byRef.get(" a")]).toEqual(["c/a", "a"]);
});

test("what has no place in the definition is shown beside it", () => {
  const graph = graphOf(flow(task("a")), ran([row("a"), row("stray")]));
  expect(find(graph, "stray")!.parent).toBe("others");
});

// name, what stands in the place of a definition
const JUNK: [string, unknown][] = [
  ["no tasks", { name: "w" }],
  ["tasks that are none", { name: "w", tasks: [null, 1, "x", {}] }],
  ["tasks as text", { name: "w", tasks: "abc" }],
  ["cases that are none", { tasks: [{ type: "SWITCH", decisionCases: [1], defaultCase: "x" }] }],
  ["branches that are none", { tasks: [{ type: "FORK_JOIN", forkTasks: [null, "x", [1]] }] }],
  ["a loop over text", { tasks: [{ type: "DO_WHILE", loopOver: "x" }] }],
];
test.each(JUNK)("half written: %s", (_name, definition) => {
  const graph = graphOf(definition as WorkflowDef);
  expect(new Set(graph.nodes.map(node => node.id)).size).toBe(graph.nodes.length);
});

test("every recording of a real Conductor has a node for each of its tasks", () => {
  const recorded = import.meta.glob("../../../tests/compat/golden/recorded/**/*.json", {
    eager: true,
    import: "default",
  });
  let seen = 0;
  for (const [file, said] of Object.entries(recorded)) {
    for (const tasks of tasksIn(said)) {
      const rows = tasks.map(one =>
        row(String(one.referenceTaskName), String(one.status), {
          type: String(one.taskType),
          name: String(one.taskDefName),
        }),
      );
      const graph = graphOf(flow(), ran(rows));
      for (const one of rows)
        expect(find(graph, graph.byRef.get(` ${one.ref}`) ?? ""), `${file}: ${one.ref}`).toBeDefined();
      seen += rows.length;
    }
  }
  expect(seen).toBeGreaterThan(300);
});

/** The task lists anywhere in a recording. */
function tasksIn(value: unknown): Record<string, unknown>[][] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const isTasks =
      value.length > 0 && value.every(one => one && typeof one === "object" && "referenceTaskName" in one);
    return isTasks ? [value] : value.flatMap(tasksIn);
  }
  return Object.values(value).flatMap(tasksIn);
}

describe("the keyboard's way", () => {
  const definition = flow(choice("s", { x: [task("a")], y: [task("b")] }), loop("l", task("c"), task("d")), task("e"));
  const graph = graphOf(definition, ran([row("s"), row("b"), row("l", "IN_PROGRESS", { iteration: 1 })]));
  const at = (x: number, y: number) => ({ x, y, width: 100, height: 40 });
  const places = new Map([
    ["start", at(100, 0)],
    ["s", at(100, 50)],
    ["a", at(0, 100)],
    ["b", at(200, 100)],
    ["l", { x: 80, y: 150, width: 140, height: 120 }],
    ["c", at(100, 170)],
    ["d", at(100, 220)],
    ["e", at(100, 300)],
    ["end", at(100, 350)],
  ]);
  const CASES: [string, "up" | "down" | "left" | "right", string | null][] = [
    ["start", "down", "s"],
    ["s", "down", "b"], // the way that was taken
    ["b", "left", "a"],
    ["a", "right", "b"],
    ["a", "left", null],
    ["b", "down", "l"],
    ["l", "down", "c"],
    ["d", "down", "e"], // out of the box
    ["e", "up", "d"], // and into it again
    ["c", "up", "l"],
    ["l", "up", "b"],
    ["end", "down", null],
    ["nowhere", "down", "start"],
  ];
  test.each(CASES)("from %s %s to %s", (from, direction, to) =>
    expect(stepFrom(graph, places, from, direction)).toBe(to),
  );
});
