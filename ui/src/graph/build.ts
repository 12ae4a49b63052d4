// A workflow as nodes and edges: what the definition says, laid under what the rows say happened. Pure; where things stand on the screen is layout.ts.
//
// Nodes are named by the reference in the definition, without a loop's turn, so another turn is the same picture with other rows in it.
import type { TaskRow } from "../api/timeline";
import type { WorkflowDef, WorkflowTask } from "../api/types";
import { isBad, isOpen, shownStatus } from "../design/status";
import { branches, membersOf, placesOf, tasksIn, type Place } from "../lib/definition";

/** Forks of more branches than this are one node until somebody spreads them. */
const BRANCHES_MAX = 50;

/** task: one place of the definition. loop, child, grid, branch, others: boxes with nodes in them. stack: many branches as one. */
type NodeKind = "start" | "end" | "task" | "loop" | "child" | "stack" | "grid" | "branch" | "others";

export interface GraphNode {
  id: string;
  kind: NodeKind;
  /** The box it stands in; "" at the top. A box comes before what is in it. */
  parent: string;
  /** With the turns of the loops around it, as its rows have it. */
  ref: string;
  type: string;
  name: string;
  /** Attempts, the oldest first; none: it was not reached, or this is a definition alone. */
  rows: TaskRow[];
  /** As it is shown; "": never scheduled. */
  status: string;
  isTaken: boolean;
  /** The execution that the rows belong to, when that is a child opened in place. */
  home: string;
  /** loop: the turn shown, and how many there are. */
  turn: number;
  turns: number;
  /** The execution that can be opened in place. */
  child: string;
  /** stack, grid: branches by status with one row of each; "" has those that were not reached. */
  counts: { status: string; count: number; row: TaskRow | null }[];
}

export interface GraphEdge {
  id: string;
  /** The box both ends stand in. */
  parent: string;
  source: string;
  target: string;
  label: string;
  isTaken: boolean;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Whether there are rows to tell taken from untaken by. */
  isExecuted: boolean;
  /** The node of a row, by the execution it belongs to ("": the one shown) and its reference: `home ref`. */
  byRef: ReadonlyMap<string, string>;
}

/** An execution: its rows and how it stands. */
export interface Run {
  status: string;
  rows: readonly TaskRow[];
}

/** What a person wishes to see of it. */
export interface Wishes {
  /** The turn of a loop, by its node's id. */
  turns?: ReadonlyMap<string, number>;
  /** Forks shown with all their branches, by the stack's id. */
  spread?: ReadonlySet<string>;
  /** Children opened in place, by the id of their node. */
  inside?: ReadonlyMap<string, { home: string; definition: WorkflowDef; run: Run }>;
  /** Loops show the turn that this row belongs to. */
  selected?: TaskRow | null;
}

export function graphOf(definition: WorkflowDef, run: Run | null = null, wishes: Wishes = {}): Graph {
  const graph = { nodes: [], edges: [], isExecuted: run !== null, byRef: new Map<string, string>() };
  new Drawing(graph, definition, run, wishes, "", "", "").whole();
  return graph;
}

/** What leads on from a place: the node it comes from, and what is said about the way. */
interface Exit {
  from: string;
  label: string;
  /** Whether this way was gone, as far as its beginning knows. */
  isTaken: boolean;
}

type Open = Omit<Graph, "byRef"> & { byRef: Map<string, string> };

class Drawing {
  private readonly places: Map<string, Place>;
  private readonly byRef = new Map<string, TaskRow[]>();
  private readonly dynamic = new Map<string, Map<string, TaskRow[]>>(); // by fork and turn, then by reference
  private readonly selectedAround: Set<string>; // loops and others around the selected row
  private readonly seen = new Set<string>();
  private readonly edges = new Map<string, GraphEdge>();

  constructor(
    private readonly graph: Open,
    private readonly definition: WorkflowDef,
    private readonly run: Run | null,
    private readonly wishes: Wishes,
    private readonly prefix: string,
    private readonly box: string,
    private readonly home: string,
  ) {
    this.places = placesOf(definition);
    for (const row of run?.rows ?? []) {
      push(this.byRef, row.ref, row);
      if (!row.fork) continue;
      const key = `${row.fork}\n${turnsIn(row)}`;
      let found = this.dynamic.get(key);
      if (!found) this.dynamic.set(key, (found = new Map()));
      push(found, row.ref, row);
    }
    this.selectedAround = new Set();
    const selected = home ? null : wishes.selected;
    let at = selected ? this.places.get(selected.base)?.parent || selected.fork : "";
    while (at && !this.selectedAround.has(at)) {
      this.selectedAround.add(at);
      at = this.places.get(at)?.parent ?? "";
    }
  }

  whole(): void {
    const { run } = this;
    const start = this.add("start", "start", this.box, { isTaken: run !== null });
    const exits = this.sequence(tasksIn(this.definition.tasks), [exit(start.id)], this.box, "");
    if (exits.length) {
      const isTaken = run?.status === "COMPLETED";
      const end = this.add("end", "end", this.box, { isTaken, status: run && !isOpen(run.status) ? run.status : "" });
      this.connect(exits, end);
    }
    this.others();
  }

  /** One after another; what leads on from the last. */
  private sequence(tasks: readonly WorkflowTask[], entries: Exit[], parent: string, turns: string): Exit[] {
    let exits = entries;
    for (const task of tasks) exits = this.place(task, exits, parent, turns);
    return exits;
  }

  private place(task: WorkflowTask, entries: Exit[], parent: string, turns: string): Exit[] {
    const type = String(task.type || "SIMPLE");
    const base = String(task.taskReferenceName ?? "");
    const rows = this.byRef.get(base + turns) ?? [];
    if (type === "DO_WHILE" && tasksIn(task.loopOver).length) return this.loop(task, rows, entries, parent, turns);
    const node = this.task(base, parent, base + turns, type, String(task.name ?? ""), rows);
    this.connect(entries, node);
    if (type === "SWITCH" || type === "DECISION") return this.cases(task, node, parent, turns);
    if (type === "FORK_JOIN" || type === "FORK") return this.fork(task, node, parent, turns);
    if (type === "FORK_JOIN_DYNAMIC") return this.dynamicFork(base, node, parent, turns);
    if (type === "TERMINATE") return [];
    return [exit(node.id, "", isDone(node))];
  }

  /** A node of one place, or the box of its child when that is opened. */
  private task(base: string, parent: string, ref: string, type: string, name: string, rows: TaskRow[]): GraphNode {
    const last = rows.at(-1);
    const node = this.add("task", base, parent, {
      ref,
      type: type === "DYNAMIC" && last ? last.type : type,
      name: last?.name || name,
      rows,
      status: last ? shownStatus(last.type, last.status) : "",
      isTaken: rows.length > 0,
      child: last?.child ?? "",
    });
    this.graph.byRef.set(`${this.home} ${ref}`, node.id);
    const inside = this.wishes.inside?.get(node.id);
    if (inside) {
      node.kind = "child";
      new Drawing(this.graph, inside.definition, inside.run, this.wishes, `${node.id}/`, node.id, inside.home).whole();
    }
    return node;
  }

  private cases(task: WorkflowTask, node: GraphNode, parent: string, turns: string): Exit[] {
    const exits: Exit[] = [];
    const direct: string[] = []; // cases without tasks lead straight on; which of them was chosen, rows do not say
    let wasOther = false;
    const cases = Object.entries(membersOf(task.decisionCases));
    for (const [name, inner] of [...cases, ["default", task.defaultCase] as const]) {
      const tasks = tasksIn(inner);
      if (!tasks.length) {
        direct.push(name);
        continue;
      }
      const first = this.byRef.has(`${tasks[0]!.taskReferenceName}${turns}`);
      wasOther ||= first;
      exits.push(...this.sequence(tasks, [exit(node.id, name, first)], parent, turns));
    }
    if (direct.length) exits.unshift(exit(node.id, direct.join(", "), isDone(node) && !wasOther));
    return exits;
  }

  private fork(task: WorkflowTask, node: GraphNode, parent: string, turns: string): Exit[] {
    const listed = (Array.isArray(task.forkTasks) ? task.forkTasks : []).map(tasksIn).filter(tasks => tasks.length > 0);
    const lead = [exit(node.id, "", isDone(node))];
    if (!listed.length) return lead;
    if (listed.length <= BRANCHES_MAX) return listed.flatMap(tasks => this.sequence(tasks, lead, parent, turns));
    const found = listed.map(tasks => this.rowOf(tasks, turns));
    return this.many(node, found, lead, parent, grid => {
      for (const [index, tasks] of listed.entries()) this.branch(tasks, `${grid}/${index + 1}`, grid, turns);
    });
  }

  private dynamicFork(base: string, node: GraphNode, parent: string, turns: string): Exit[] {
    const made = [...(this.dynamic.get(`${base}\n${turns}`) ?? [])];
    const lead = [exit(node.id, "", isDone(node))];
    if (!made.length && node.isTaken) return lead;
    const draw = ([ref, rows]: [string, TaskRow[]], into: string) => {
      const row = rows.at(-1)!;
      return this.task(row.base, into, ref, kindOf(row), row.name, rows);
    };
    if (made.length && made.length <= BRANCHES_MAX)
      return made.map(one => {
        const branch = draw(one, parent);
        this.connect(lead, branch);
        return exit(branch.id, "", isDone(branch));
      });
    const found = made.map(([, rows]) => rows.at(-1)!);
    return this.many(node, found, lead, parent, grid => {
      for (const one of made) draw(one, grid);
    });
  }

  /** Branches as one stack, or spread in a box. */
  private many(
    fork: GraphNode,
    found: (TaskRow | null)[],
    lead: Exit[],
    parent: string,
    draw: (grid: string) => void,
  ): Exit[] {
    const counts = new Map<string, { status: string; count: number; row: TaskRow | null }>();
    for (const row of found) {
      const status = row ? shownStatus(row.type, row.status) : "";
      const known = counts.get(status);
      if (known) known.count++;
      else counts.set(status, { status, count: 1, row });
    }
    const isSpread = this.wishes.spread?.has(`${fork.id}/branches`) ?? false;
    const stack = this.add(isSpread ? "grid" : "stack", `${fork.id.slice(this.prefix.length)}/branches`, parent, {
      ref: fork.ref,
      name: fork.name,
      isTaken: found.some(row => row !== null),
      counts: [...counts.values()].sort((a, b) => rank(a.status) - rank(b.status) || b.count - a.count),
    });
    stack.status = worst(stack.counts.map(one => one.status));
    this.connect(lead, stack);
    if (isSpread) draw(stack.id);
    else for (const row of found) if (row) this.graph.byRef.set(`${this.home} ${row.ref}`, stack.id);
    return [exit(stack.id, "", isDone(stack))];
  }

  private branch(tasks: WorkflowTask[], id: string, grid: string, turns: string): void {
    const isOne = tasks.length === 1 && branches(tasks[0]!).length === 0;
    const box = isOne ? grid : this.add("branch", id.slice(this.prefix.length), grid, { isTaken: true }).id;
    this.sequence(tasks, [], box, turns);
  }

  private loop(task: WorkflowTask, rows: TaskRow[], entries: Exit[], parent: string, turns: string): Exit[] {
    const base = String(task.taskReferenceName ?? "");
    const last = rows.at(-1);
    const node = this.add("loop", base, parent, {
      ref: base + turns,
      type: "DO_WHILE",
      name: String(task.name ?? ""),
      rows,
      status: last?.status ?? "",
      isTaken: rows.length > 0,
      turns: last?.iteration ?? 0,
    });
    this.graph.byRef.set(`${this.home} ${node.ref}`, node.id);
    this.connect(entries, node);
    const wished = this.wishes.turns?.get(node.id) ?? this.selectedTurn(base, turns) ?? node.turns;
    node.turn = Math.min(Math.max(wished, 1), Math.max(node.turns, 1));
    this.sequence(tasksIn(task.loopOver), [], node.id, this.run ? `${turns}__${node.turn}` : "");
    return [exit(node.id, "", isDone(node))];
  }

  private selectedTurn(loop: string, turns: string): number | undefined {
    const { selected } = this.wishes;
    if (!selected || !this.selectedAround.has(loop)) return undefined;
    const at = turnsIn(selected);
    const found = at.startsWith(`${turns}__`) ? parseInt(at.slice(turns.length + 2), 10) : NaN;
    return Number.isNaN(found) ? undefined : found;
  }

  /** The row that stands for a branch: one that failed, else one that is open, else the last. */
  private rowOf(tasks: readonly WorkflowTask[], turns: string): TaskRow | null {
    const rows: TaskRow[] = [];
    const walk = (list: readonly WorkflowTask[]) => {
      for (const task of list) {
        const last = this.byRef.get(`${task.taskReferenceName}${turns}`)?.at(-1);
        if (last) rows.push(last);
        for (const [, inner] of branches(task)) walk(inner);
      }
    };
    walk(tasks);
    return rows.find(row => isBad(row.status)) ?? rows.find(row => isOpen(row.status)) ?? rows.at(-1) ?? null;
  }

  /** What ran and has no place in this definition. */
  private others(): void {
    const found: TaskRow[][] = [];
    for (const rows of this.byRef.values()) {
      const { base, fork } = rows[0]!;
      if (!this.places.has(base) && !(fork && this.places.has(fork))) found.push(rows);
    }
    if (!found.length) return;
    const box = this.add("others", "others", this.box, { isTaken: true, name: "Not in the definition" });
    for (const rows of found) {
      const row = rows.at(-1)!;
      this.task(row.base, box.id, row.ref, kindOf(row), row.name, rows);
    }
  }

  private add(kind: NodeKind, name: string, parent: string, more: Partial<GraphNode>): GraphNode {
    let key = name;
    for (let n = 2; this.seen.has(key); n++) key = `${name}~${n}`; // a definition being written may say a reference twice
    this.seen.add(key);
    const node: GraphNode = {
      id: this.prefix + key,
      kind,
      parent,
      ref: name,
      type: "",
      name: "",
      rows: [],
      status: "",
      isTaken: false,
      home: this.home,
      turn: 0,
      turns: 0,
      child: "",
      counts: [],
      ...more,
    };
    this.graph.nodes.push(node);
    return node;
  }

  private connect(exits: readonly Exit[], target: GraphNode): void {
    for (const one of exits) {
      const id = `${one.from} > ${target.id}`;
      const isTaken = one.isTaken && target.isTaken;
      const same = this.edges.get(id);
      if (same) {
        same.label = `${same.label}, ${one.label}`;
        same.isTaken ||= isTaken;
        continue;
      }
      const edge = { id, parent: target.parent, source: one.from, target: target.id, label: one.label, isTaken };
      this.edges.set(id, edge);
      this.graph.edges.push(edge);
    }
  }
}

const exit = (from: string, label = "", isTaken = true): Exit => ({ from, label, isTaken });
const isDone = (node: GraphNode) => node.isTaken && !isOpen(node.status);
const kindOf = (row: TaskRow) => (row.type === row.name ? "SIMPLE" : row.type);
/** The turns of the loops around a row: `__2__1` of `body__2__1`. */
const turnsIn = (row: TaskRow) => row.ref.slice(row.base.length);

/** What one looks for first comes first. */
const rank = (status: string) => (isBad(status) ? 0 : isOpen(status) ? 1 : status ? 2 : 3);
const worst = (statuses: string[]) => [...statuses].sort((a, b) => rank(a) - rank(b))[0] ?? "";

function push<V>(into: Map<string, V[]>, key: string, value: V): void {
  const known = into.get(key);
  if (known) known.push(value);
  else into.set(key, [value]);
}
