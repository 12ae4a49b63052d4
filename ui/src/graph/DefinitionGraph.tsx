// A definition as a graph, without an execution. React Flow and ELK are loaded when one is shown.
import { lazy, Suspense, useMemo } from "react";
import type { WorkflowDef } from "../api/types";
import { graphOf } from "./build";
import css from "./Graph.module.css";

const Canvas = lazy(() => import("./Canvas"));

interface DefinitionGraphProps {
  /** May be half written: what is no task is left out, unknown types are drawn. */
  definition: WorkflowDef;
  /** The reference of the node that is shown as selected. */
  selected?: string;
  /** A node was clicked, or reached by the keyboard. */
  onSelect?: (ref: string) => void;
  /** What is wrong with a task, by its reference: it is marked, and says so. */
  problems?: ReadonlyMap<string, string>;
  /** Without search and map, for small places. */
  plain?: boolean;
}

/** It fills its container, which must have a height. Changes of the definition are laid out as they come; the view stays where it is. */
export function DefinitionGraph({ definition, selected, onSelect, problems, plain }: DefinitionGraphProps) {
  const graph = useMemo(() => graphOf(definition), [definition]);
  return (
    <Suspense fallback={<div className={css.canvas} aria-busy="true" />}>
      <Canvas
        graph={graph}
        label={`Graph of ${definition.name || "the definition"}`}
        selected={selected ? graph.byRef.get(` ${selected}`) : undefined}
        onPick={onSelect && (node => (node.kind === "task" || node.kind === "loop" ? onSelect(node.ref) : undefined))}
        marks={problems}
        plain={plain}
      />
    </Suspense>
  );
}
