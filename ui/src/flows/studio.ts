// The state of the canvas: one flow, its undo, what is selected, what the backend says of it, the run that is watched. Components read parts of it with useStudio.
import { useSyncExternalStore } from "react";
import { toast } from "../design/Toast";
import { ApiError } from "../api/http";
import { wordsOf } from "../lib/format";
import * as api from "./api";
import { empty } from "./document";
import { shapesOf, type Shapes } from "./ports";
import { isOver, outputsOfRun } from "./results";
import { begin, changedTo, redone, undone, type Timeline } from "./undo";
import type { Estimate, FlowDocument, FlowNode, Medium, NodeStatus, NodeTypes, Problem, Run, Saved } from "./types";

export type Saving = "empty" | "saved" | "waiting" | "saving" | "conflict" | "failed";

export interface State {
  types: NodeTypes;
  line: Timeline<FlowDocument>;
  document: FlowDocument;
  nodes: ReadonlyMap<string, FlowNode>;
  shapes: Shapes;
  selected: ReadonlySet<string>;
  problems: ReadonlyMap<string, Problem[]>;
  estimate: Estimate | null;
  flow: Saved | null;
  saving: Saving;
  savingError: string;
  run: Run | null;
  statuses: ReadonlyMap<string, NodeStatus>;
  outputs: ReadonlyMap<string, Record<string, unknown>>;
  busy: boolean;
  /** An output that was drawn to where nothing is: the next node that is added takes it, there. */
  wanted: Wanted | null;
}
interface Wanted {
  source: string;
  output: string;
  medium: Medium;
  at: [number, number];
}
export const NONE: ReadonlySet<string> = new Set();

const SAVE_MS = 700;
const CHECK_MS = 300;
const AGAIN_MS = 3_000; // after the backend did not answer

const fresh = (types: NodeTypes, document: FlowDocument): State => ({
  types,
  line: begin(document),
  document,
  nodes: new Map(document.nodes.map(node => [node.id, node])),
  shapes: shapesOf(document, types),
  selected: new Set(),
  problems: new Map(),
  estimate: null,
  flow: null,
  saving: document.nodes.length ? "saved" : "empty",
  savingError: "",
  run: null,
  statuses: new Map(),
  outputs: new Map(),
  busy: false,
  wanted: null,
});

export class Studio {
  state: State;
  private readonly listeners = new Set<() => void>();
  private saveTimer = 0;
  private checkTimer = 0;
  private unwatch = () => {};
  private saved: Promise<boolean> = Promise.resolve(true);
  private kept: FlowDocument;
  private isOver = false; // left; what is still on its way changes no address any more

  constructor(
    types: NodeTypes,
    document: FlowDocument | null,
    flow: Saved | null,
    /** Called when the flow or the run has another address. */
    private readonly onMoved: (flow: string, run: string) => void,
  ) {
    this.state = { ...fresh(types, document ?? empty()), flow };
    this.kept = this.state.document;
    this.check();
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  // -- the document -------------------------------------------------------------------------------------------------

  /** *kind*: changes of one kind in quick succession are undone together. */
  change(change: (document: FlowDocument) => FlowDocument, kind = ""): void {
    const next = change(this.state.document);
    this.goTo(changedTo(this.state.line, next, kind, Date.now()));
  }

  undo = () => this.goTo(undone(this.state.line));
  redo = () => this.goTo(redone(this.state.line));

  private goTo(line: Timeline<FlowDocument>): void {
    if (line === this.state.line) return;
    const document = line.now;
    const nodes = new Map(document.nodes.map(node => [node.id, node]));
    const selected = new Set([...this.state.selected].filter(id => nodes.has(id)));
    this.set({ line, document, nodes, shapes: shapesOf(document, this.state.types), selected });
    this.saveSoon();
    this.checkSoon();
  }

  select(ids: Iterable<string>): void {
    const selected = new Set(ids);
    const now = this.state.selected;
    if (selected.size !== now.size || [...selected].some(id => !now.has(id))) this.set({ selected });
  }

  want(wanted: Wanted | null): void {
    if (wanted !== this.state.wanted) this.set({ wanted });
  }

  // -- what is wrong with it ----------------------------------------------------------------------------------------

  private checkSoon(): void {
    clearTimeout(this.checkTimer);
    this.checkTimer = window.setTimeout(() => this.check(), CHECK_MS);
  }

  private async check(): Promise<void> {
    const { document } = this.state;
    if (!document.nodes.length) return this.set({ problems: new Map(), estimate: null });
    try {
      const found = await api.validate(document);
      if (document === this.state.document) this.set({ problems: byNode(found.problems), estimate: found.estimate });
    } catch (error) {
      if (error instanceof ApiError && error.status) toast("bad", `The flow could not be checked: ${error.message}`);
    }
  }

  // -- keeping it ---------------------------------------------------------------------------------------------------

  private saveSoon(): void {
    if (this.state.saving === "conflict") return;
    this.set({ saving: this.state.document.nodes.length ? "waiting" : "empty" });
    clearTimeout(this.saveTimer);
    this.saveTimer = window.setTimeout(() => void this.save(), SAVE_MS);
  }

  /** Everything is kept, or it is said why not. One request at a time. */
  save = (): Promise<boolean> => {
    clearTimeout(this.saveTimer);
    this.saved = this.saved.then(() => this.keep());
    return this.saved;
  };

  private async keep(): Promise<boolean> {
    const { document, flow, saving } = this.state;
    if (saving === "conflict") return false;
    if (!document.nodes.length || (flow && document === this.kept)) return true;
    this.set({ saving: "saving" });
    try {
      const now = flow ? await api.saveFlow(flow.id, document, flow.version) : await api.createFlow(document);
      this.kept = document;
      this.set({ flow: now, saving: document === this.state.document ? "saved" : "waiting", savingError: "" });
      if (!flow) this.moved();
      return true;
    } catch (error) {
      const isConflict = error instanceof api.Refusal && error.code === "conflict";
      this.set({ saving: isConflict ? "conflict" : "failed", savingError: wordsOf(error) });
      if (error instanceof ApiError && !error.status && !this.isOver)
        this.saveTimer = window.setTimeout(() => void this.save(), AGAIN_MS);
      return false;
    }
  }

  /** After a conflict: ours over theirs. Theirs stays among the versions. */
  async overwrite(): Promise<void> {
    const { flow } = this.state;
    if (!flow) return;
    const theirs = await api.loadFlow(flow.id);
    this.set({ flow: { ...flow, version: theirs.version }, saving: "waiting" });
    await this.save();
  }

  /** After a conflict: ours as a flow of its own. */
  async saveAsCopy(): Promise<void> {
    this.set({ flow: null, saving: "waiting" });
    this.change(document => ({ ...document, workflowName: `${document.workflowName} (copy)` }));
    await this.save();
  }

  private moved(): void {
    if (this.isOver) return;
    this.onMoved(this.state.flow?.id ?? "", this.state.run?.workflowId ?? "");
  }

  // -- running it ---------------------------------------------------------------------------------------------------

  async start(scope: api.Scope = "all", node = ""): Promise<void> {
    if (this.state.busy || !this.state.document.nodes.length) return;
    this.set({ busy: true });
    try {
      await this.save();
      const { document, flow } = this.state;
      const { workflowId } = await api.start(document, flow?.id ?? "", scope, node);
      this.watch(workflowId, scope !== "all", true);
    } catch (error) {
      if (error instanceof api.Refusal && error.problems.length) {
        this.set({ problems: byNode(error.problems) });
        this.select([error.problems[0]!.nodeId]);
        toast("bad", `The flow cannot run yet: ${error.problems[0]!.message}`);
      } else toast("bad", wordsOf(error));
    } finally {
      this.set({ busy: false });
    }
  }

  /** Look at a run. *over*: what earlier runs made stays on nodes that are not part of this one. *isNew*: its end is told, however soon it comes. */
  watch(id: string, over = false, isNew = false): void {
    this.unwatch();
    const before = over ? this.state.outputs : new Map<string, Record<string, unknown>>();
    const told = new Set<string>(isNew ? ["begun"] : []);
    this.unwatch = api.watch(
      id,
      run => {
        const statuses = sameAs(this.state.statuses, new Map(run.nodeStatuses.map(node => [node.id, node])));
        const outputs = sameAs(this.state.outputs, new Map([...before, ...outputsOfRun(run)]));
        const isOther = this.state.run?.workflowId !== id;
        this.set({ run, statuses, outputs });
        if (isOther) this.moved();
        if (isOver(run.status) && !told.has(run.status) && told.size)
          toast(run.status === "completed" ? "good" : "bad", endOf(run));
        told.add(run.status);
      },
      error => toast("bad", error.message),
    );
  }

  cancel = () => this.act(api.cancel, "Cancelled");

  async retry(): Promise<void> {
    const { run } = this.state;
    if (run && (await this.act(api.retry, "Trying again what failed"))) this.watch(run.workflowId, true);
  }

  private async act(work: (run: string) => Promise<void>, done: string): Promise<boolean> {
    const { run } = this.state;
    if (!run) return false;
    try {
      await work(run.workflowId);
      toast("good", done);
      return true;
    } catch (error) {
      toast("bad", wordsOf(error));
      return false;
    }
  }

  end(): void {
    this.isOver = true;
    clearTimeout(this.checkTimer);
    this.unwatch();
    void this.save();
  }
}

/** What is as it was stays the same object, so that only the cards that have something new are drawn again. */
function sameAs<T>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map(
    [...now].map(([id, value]) => {
      const old = before.get(id);
      return [id, old !== undefined && JSON.stringify(old) === JSON.stringify(value) ? old : value];
    }),
  );
}

function endOf(run: Run): string {
  if (run.status === "completed") return "The flow has run.";
  const failed = run.nodeStatuses.find(node => node.error);
  return run.status === "cancelled"
    ? "The run was cancelled."
    : `The run failed: ${failed?.error ?? run.error ?? "no reason was given"}`;
}

function byNode(problems: Problem[]): Map<string, Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) found.set(problem.nodeId, [...(found.get(problem.nodeId) ?? []), problem]);
  return found;
}

// -- for components -------------------------------------------------------------------------------------------------

let current: Studio | null = null;
export function show(studio: Studio): void {
  current = studio;
}
export function studio(): Studio {
  if (!current) throw new Error("no flow is open");
  return current;
}
/** A part of the state; *pick* must give the same thing while nothing has changed. */
export function useStudio<T>(pick: (state: State) => T): T {
  const open = studio();
  return useSyncExternalStore(open.subscribe, () => pick(open.state));
}
