// The execution as a graph: the way it took strong, the rest faint, children opened in place.
import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { execution as executionQuery, timeline as timelineQuery } from "../../api/queries";
import type { WorkflowDef } from "../../api/types";
import { useFollowing } from "../../app/following";
import { graphOf, type GraphNode, type Run, type Wishes } from "../../graph/build";
import Canvas from "../../graph/Canvas";
import { to } from "../../lib/url";
import css from "./Execution.module.css";
import type { ViewProps } from "./views";

export default function Graph({ execution, tasks, places, selected, planned, select, selectRef }: ViewProps) {
  const { workflow } = execution;
  const [, navigate] = useLocation();
  const [turns, setTurns] = useState<ReadonlyMap<string, { turn: number; since: string }>>(new Map());
  const [spread, setSpread] = useState<ReadonlySet<string>>(new Set());
  const [opened, setOpened] = useState<ReadonlyMap<string, string>>(new Map()); // the child's id, by its node
  const inside = useChildren(opened);
  const since = selected?.id ?? "";
  const graph = useMemo(() => {
    // A turn that was chosen holds until another task is selected; then the loop shows the turn of that task.
    const chosen = new Map([...turns].filter(([, one]) => one.since === since).map(([id, one]) => [id, one.turn]));
    const wishes: Wishes = { turns: chosen, spread, inside, selected };
    return graphOf(workflow.workflowDefinition, { status: workflow.status, rows: tasks.rows }, wishes);
  }, [workflow.workflowDefinition, workflow.status, tasks.rows, turns, spread, inside, selected]);
  const at = graph.byRef.get(` ${selected?.ref ?? planned?.ref ?? ""}`);

  const onPick = (node: GraphNode) => {
    const row = node.rows.at(-1);
    if (!row) return node.home || !places.has(node.ref) ? undefined : selectRef(node.ref);
    if (node.home) navigate(to.execution(node.home, row.id, { view: "graph" }));
    else select(row);
  };
  const onChild = (node: GraphNode) => {
    const next = new Map(opened);
    if (!next.delete(node.id)) next.set(node.id, node.child);
    setOpened(next);
  };
  const onSpread = (node: GraphNode) => {
    const next = new Set(spread);
    if (!next.delete(node.id)) next.add(node.id);
    setSpread(next);
  };
  return (
    <div className={css.fill}>
      <Canvas
        graph={graph}
        label={`Graph of ${workflow.workflowName}`}
        selected={at}
        onPick={onPick}
        onChild={onChild}
        onSpread={onSpread}
        onTurn={(node, turn) => setTurns(new Map(turns).set(node.id, { turn, since }))}
      />
    </div>
  );
}

/** Reads the children that were opened, again whenever they move. */
function useChildren(opened: ReadonlyMap<string, string>): Wishes["inside"] {
  const ids = useMemo(() => [...new Set(opened.values())], [opened]);
  const executions = useQueries({ queries: ids.map(executionQuery) });
  const timelines = useQueries({ queries: ids.map(timelineQuery) });
  useFollowing(ids);
  const read = ids.map((id, index) => ({ id, execution: executions[index]?.data, tasks: timelines[index]?.data }));
  const state = read.map(one => `${one.id} ${one.execution?.revision} ${one.tasks?.revision}`).join();
  return useMemo(() => {
    const found: [string, { home: string; definition: WorkflowDef; run: Run }][] = [];
    for (const [node, home] of opened) {
      const { execution, tasks } = read.find(one => one.id === home)!;
      if (!execution || !tasks) continue;
      const { status, workflowDefinition: definition } = execution.workflow;
      found.push([node, { home, definition, run: { status, rows: tasks.rows } }]);
    }
    return new Map(found);
  }, [opened, state]);
}
