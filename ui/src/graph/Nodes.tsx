// How nodes look: cards for tasks, boxes around loops and children, a stack for many branches.
import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { createContext, useContext } from "react";
import { Button } from "../design/Button";
import { Icon, type IconName } from "../design/Icon";
import { Status } from "../design/Status";
import { lookOf } from "../design/status";
import { count, duration } from "../lib/format";
import type { GraphNode } from "./build";
import css from "./Graph.module.css";

/** What can be done to a node; what is missing cannot. */
export interface Acts {
  onPick?: (node: GraphNode) => void;
  /** Open a child in place, or close it. */
  onChild?: (node: GraphNode) => void;
  /** Show all branches of a stack, or stack them again. */
  onSpread?: (node: GraphNode) => void;
  onTurn?: (node: GraphNode, turn: number) => void;
  /** What is wrong with a node, by reference. */
  marks?: ReadonlyMap<string, string>;
}
export const ActsContext = createContext<Acts>({});

export type Drawn = Node<{
  node: GraphNode;
  isSelected: boolean;
  isCursor: boolean;
  isFaint: boolean;
  isHit: boolean;
}>;

const ICONS: Record<string, IconName> = {
  SWITCH: "flow",
  DECISION: "flow",
  FORK_JOIN: "layers",
  FORK_JOIN_DYNAMIC: "layers",
  FORK: "layers",
  JOIN: "layers",
  EXCLUSIVE_JOIN: "layers",
  DO_WHILE: "loop",
  SUB_WORKFLOW: "child",
  START_WORKFLOW: "external",
  DYNAMIC: "flow",
  HTTP: "globe",
  EVENT: "bolt",
  KAFKA_PUBLISH: "bolt",
  WAIT: "time",
  HUMAN: "time",
  TERMINATE: "stop",
  INLINE: "chip",
  LAMBDA: "chip",
  JSON_JQ_TRANSFORM: "chip",
  SET_VARIABLE: "edit",
};

const toneOf = (status: string) => (status ? (lookOf(status).tone ?? "scheduled") : undefined);

/** What a node is called by those who do not see it. */
export function spoken(node: GraphNode): string {
  const parts = [node.kind === "stack" ? `branches of ${node.ref}` : node.ref];
  if (node.type) parts.push(node.type);
  if (node.status) parts.push(lookOf(node.status).label);
  if (node.rows.length > 1) parts.push(`${node.rows.length} attempts`);
  if (node.kind === "loop" && node.turns) parts.push(`turn ${node.turn} of ${node.turns}`);
  for (const one of node.counts) parts.push(`${one.count} ${one.status ? lookOf(one.status).label : "not reached"}`);
  return parts.join(", ");
}

function Ends() {
  return (
    <>
      <Handle type="target" position={Position.Top} className={css.handle} isConnectable={false} />
      <Handle type="source" position={Position.Bottom} className={css.handle} isConnectable={false} />
    </>
  );
}

/** Attributes every kind of node has. */
function looks({ data }: NodeProps<Drawn>) {
  const { node } = data;
  return {
    "data-ref": node.ref,
    "data-kind": node.kind,
    "data-tone": toneOf(node.status),
    "data-selected": data.isSelected || undefined,
    "data-cursor": data.isCursor || undefined,
    "data-faint": data.isFaint || undefined,
    "data-hit": data.isHit || undefined,
    title: spoken(node),
  };
}

function Mark({ node }: { node: GraphNode }) {
  if (node.status) return <Status status={node.status} bare size={16} />;
  return <Icon name={ICONS[node.type] ?? "play"} size={15} />;
}

export function Card(props: NodeProps<Drawn>) {
  const { node } = props.data;
  const acts = useContext(ActsContext);
  const wrong = acts.marks?.get(node.ref);
  const last = node.rows.at(-1);
  const took = last?.started && last.ended ? duration(last.ended - last.started) : "";
  const kind = node.type === "SIMPLE" || node.type === node.name ? node.name : node.type;
  const below = [kind === node.ref ? "" : kind, node.rows.length > 1 ? `${node.rows.length} attempts` : "", took];
  const said = below.filter(Boolean).join(" · ");
  return (
    <div className={css.card} {...looks(props)} data-wrong={wrong ? "" : undefined}>
      <Ends />
      <span className={css.mark}>
        <Mark node={node} />
      </span>
      <span className={css.words}>
        <span className={css.ref}>{node.ref || "no reference"}</span>
        {(wrong || said) && <span className={css.said}>{wrong ?? said}</span>}
      </span>
      {node.child && acts.onChild && (
        <Button
          kind="quiet"
          small
          icon="plus"
          className="nopan"
          tabIndex={-1}
          aria-label={`Open the sub-workflow of ${node.ref} in place`}
          onClick={event => (event.stopPropagation(), acts.onChild?.(node))}
        />
      )}
    </div>
  );
}

export function Pill(props: NodeProps<Drawn>) {
  const { node } = props.data;
  return (
    <div className={css.pill} {...looks(props)}>
      <Ends />
      {node.kind === "end" && node.status && <Status status={node.status} bare size={13} />}
      {node.kind}
    </div>
  );
}

export function Stack(props: NodeProps<Drawn>) {
  const { node } = props.data;
  const acts = useContext(ActsContext);
  const total = node.counts.reduce((sum, one) => sum + one.count, 0);
  return (
    <div className={css.stack} {...looks(props)}>
      <Ends />
      <span className={css.stackHead}>
        <Icon name="layers" size={15} />
        <strong>{total ? count(total, "branch", "branches") : "branches made when it runs"}</strong>
        {total > 0 && acts.onSpread && (
          <Button
            kind="quiet"
            small
            className="nopan"
            tabIndex={-1}
            aria-label={`Show all ${total} branches of ${node.ref}`}
            onClick={event => (event.stopPropagation(), acts.onSpread?.(node))}
          >
            Show all
          </Button>
        )}
      </span>
      {node.counts.map(one => (
        <button
          key={one.status}
          type="button"
          className={`${css.count} nopan`}
          tabIndex={-1}
          disabled={!one.row || !acts.onPick}
          title={one.row ? `Select ${one.row.ref}` : undefined}
          onClick={event => {
            event.stopPropagation();
            if (one.row) acts.onPick?.({ ...node, rows: [one.row] });
          }}
        >
          <span className={css.number}>{one.count.toLocaleString("en")}</span>
          {one.status ? <Status status={one.status} size={13} /> : <span className="faint">not reached</span>}
        </button>
      ))}
    </div>
  );
}

export function BoxNode(props: NodeProps<Drawn>) {
  const { node } = props.data;
  const acts = useContext(ActsContext);
  const close = node.kind === "child" ? acts.onChild : node.kind === "grid" ? acts.onSpread : undefined;
  const title = node.kind === "others" ? node.name : node.kind === "grid" ? `branches of ${node.ref}` : node.ref;
  return (
    <div className={css.box} {...looks(props)}>
      <Ends />
      {node.kind !== "branch" && (
        <div className={css.boxHead}>
          {node.kind !== "others" && node.kind !== "grid" && (
            <span className={css.mark}>
              <Mark node={node} />
            </span>
          )}
          <span className={css.ref}>{title}</span>
          {node.kind === "loop" && <Turns node={node} onTurn={acts.onTurn} />}
          {close && (
            <Button
              kind="quiet"
              small
              icon="x"
              className="nopan"
              tabIndex={-1}
              aria-label={node.kind === "child" ? `Close the sub-workflow of ${node.ref}` : "Stack the branches"}
              onClick={event => (event.stopPropagation(), close(node))}
            />
          )}
        </div>
      )}
    </div>
  );
}

function Turns({ node, onTurn }: { node: GraphNode; onTurn?: Acts["onTurn"] }) {
  if (!node.turns) return <Icon name="loop" size={14} />;
  const go = (turn: number) => onTurn?.(node, Math.min(Math.max(turn, 1), node.turns));
  return (
    <span className={`${css.turns} nopan`} onClick={event => event.stopPropagation()}>
      <Button
        kind="quiet"
        small
        icon="left"
        tabIndex={-1}
        aria-label={`Turn before of ${node.ref}`}
        disabled={node.turn <= 1}
        onClick={() => go(node.turn - 1)}
      />
      <span>turn</span>
      <input
        type="number"
        tabIndex={-1}
        aria-label={`Turn of ${node.ref}`}
        min={1}
        max={node.turns}
        value={node.turn}
        onChange={event => event.target.value && go(Number(event.target.value))}
      />
      <span>of {node.turns}</span>
      <Button
        kind="quiet"
        small
        icon="right"
        tabIndex={-1}
        aria-label={`Next turn of ${node.ref}`}
        disabled={node.turn >= node.turns}
        onClick={() => go(node.turn + 1)}
      />
    </span>
  );
}
