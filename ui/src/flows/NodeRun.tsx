// How the chosen node went in the run that is looked at: who did it, what it cost, where it came from, item by item, and what was written down.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../design/Button";
import { Status } from "../design/Status";
import { duration, when } from "../lib/format";
import * as api from "./api";
import { withSetting } from "./document";
import { lookOfStatus, named } from "./results";
import { costOf, dollars } from "./spend";
import { studio, useStudio } from "./studio";
import type { Attempt, FlowNode, ItemStatus, NodeType } from "./types";
import css from "./NodeRun.module.css";

export function NodeRun({ node, type }: { node: FlowNode; type?: NodeType }) {
  const status = useStudio(state => state.statuses.get(node.id));
  const output = useStudio(state => state.outputs.get(node.id));
  const run = useStudio(state => state.run?.workflowId);
  if (!status || !run) return null;
  const provider = type?.providers.find(one => one.id === (status.provider || output?.provider));
  const cost = costOf(output);
  const seed = typeof output?.seed === "number" ? output.seed : undefined;
  const took = status.startedAt && status.endedAt ? duration(status.endedAt - status.startedAt) : "";
  const facts: [string, React.ReactNode][] = [
    ["Took", took],
    ["Made by", provider && madeBy(provider.title, output?.model)],
    ["What that is", provider?.note],
    ["Seed", seed !== undefined && <Seed node={node} type={type} seed={seed} />],
    ["Cost", cost > 0 && dollars(cost)],
    ["Attempts", (status.attempts ?? 0) > 1 && status.attempts],
    ["Cached", status.cachedFrom && <From run={status.cachedFrom} />],
  ];
  return (
    <section className={css.run} aria-label="Last run">
      <header className={css.head}>
        <h3>Last run</h3>
        <Status status={lookOfStatus(status.status, status.partial)} />
      </header>
      {status.error && <p className={css.error}>{status.error}</p>}
      <dl className={css.facts}>
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {status.items && status.items.length > 0 && <Items items={status.items} />}
      <Log run={run} node={node.id} />
    </section>
  );
}

function madeBy(title: string, model: unknown): string {
  const named = Array.isArray(model) ? (model as unknown[])[0] : model;
  return typeof named === "string" && named ? `${title}, ${named}` : title;
}

/** A seed that can be kept: the next run makes the same again. */
function Seed({ node, type, seed }: { node: FlowNode; type?: NodeType; seed: number }) {
  if (!type?.settings.properties.seed || node.config.seed === seed) return <>{seed}</>;
  return (
    <>
      {seed}{" "}
      <Button small kind="quiet" onClick={() => studio().change(now => withSetting(now, node.id, "seed", seed))}>
        Keep it
      </Button>
    </>
  );
}

function From({ run }: { run: string }) {
  return (
    <>
      from run{" "}
      <button type="button" className={css.other} title={run} onClick={() => studio().watch(run)}>
        {named(run)}
      </button>
    </>
  );
}

function Items({ items }: { items: readonly ItemStatus[] }) {
  return (
    <details className={css.more} open={items.some(item => item.error)}>
      <summary>{items.length} items</summary>
      <ol>
        {items.map(item => (
          <li key={item.index}>
            <Status status={lookOfStatus(item.status)} bare />
            <span>
              {item.index + 1}
              {item.error && <b className={css.error}> {item.error}</b>}
              {item.cachedFrom && <span className="faint"> cached from run {named(item.cachedFrom)}</span>}
              {item.status === "running" && item.note && <span className="faint"> {item.note}</span>}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function Log({ run, node }: { run: string; node: string }) {
  const [open, setOpen] = useState(false);
  const status = useStudio(state => state.statuses.get(node)?.status);
  const found = useQuery({
    queryKey: ["flow-log", run, node, status],
    queryFn: () => api.logOf(run, node),
    enabled: open,
    placeholderData: before => before,
    refetchInterval: status === "running" && 2000,
  });
  return (
    <details className={css.more} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>Log</summary>
      {found.error && <p className={css.error}>{found.error.message}</p>}
      {found.data && !found.data.attempts.length && <p className="faint">Nothing has been tried yet.</p>}
      {found.data && found.data.left > 0 && <p className="faint">{found.data.left} older attempts are not shown.</p>}
      <ol>
        {found.data?.attempts.map(attempt => (
          <OneAttempt key={attempt.taskId} attempt={attempt} />
        ))}
      </ol>
    </details>
  );
}

function OneAttempt({ attempt }: { attempt: Attempt }) {
  const { item, status, worker, startedAt, endedAt, reason, lines } = attempt;
  const said = [
    item !== null && `item ${item + 1}`,
    startedAt > 0 && when(startedAt),
    startedAt > 0 && endedAt > 0 && duration(endedAt - startedAt),
    worker && `by ${worker}`,
  ];
  return (
    <li>
      <Status status={lookOfStatus(status)} bare />
      <span>
        {said.filter(Boolean).join(" · ")}
        {reason && <b className={css.error}> {reason}</b>}
        {lines.map((line, index) => (
          <code key={index} className={css.line}>
            {line.text}
          </code>
        ))}
      </span>
    </li>
  );
}
