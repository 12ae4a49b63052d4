// The graph's nodes as a list: what is shown when it cannot be laid out.
import { useMemo } from "react";
import { Button } from "../design/Button";
import { Status } from "../design/Status";
import { Table, type Column } from "../design/Table";
import type { Graph, GraphNode } from "./build";
import css from "./Graph.module.css";

export function NodeList({
  graph,
  label,
  selected,
  onPick,
  error,
  again,
}: {
  graph: Graph;
  label: string;
  selected?: string;
  onPick?: (node: GraphNode) => void;
  error: Error;
  again: () => void;
}) {
  const rows = useMemo(
    () => graph.nodes.filter(node => node.kind !== "start" && node.kind !== "end" && node.kind !== "branch"),
    [graph],
  );
  const depths = useMemo(() => {
    const found = new Map<string, number>();
    for (const node of graph.nodes) found.set(node.id, (found.get(node.parent) ?? -1) + 1);
    return found;
  }, [graph]);
  const columns: Column<GraphNode>[] = [
    {
      key: "ref",
      head: "Reference",
      width: "minmax(160px, 1fr)",
      cell: node => <span style={{ paddingLeft: (depths.get(node.id) ?? 0) * 14 }}>{node.ref}</span>,
    },
    {
      key: "type",
      head: "Type",
      width: "minmax(90px, 0.6fr)",
      cell: node => <span className="soft">{node.type}</span>,
    },
    {
      key: "status",
      head: "Status",
      width: "160px",
      cell: node => (node.status ? <Status status={node.status} /> : <span className="faint">not reached</span>),
    },
  ];
  return (
    <div className={css.whole}>
      <p className={css.trouble} role="alert">
        <span>The graph could not be drawn, so here are its tasks as a list. {error.message}</span>
        <Button small onClick={again}>
          Try again
        </Button>
      </p>
      <Table
        label={label}
        columns={columns}
        rows={rows}
        keyOf={node => node.id}
        onOpen={node => onPick?.(node)}
        current={selected}
      />
    </div>
  );
}
