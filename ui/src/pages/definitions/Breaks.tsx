// Before a definition is saved: who would notice, among those who start it and what runs.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { definitions, overview, running, starters } from "../../api/queries";
import type { WorkflowDef } from "../../api/types";
import { breaksOf, type Break } from "../../lib/breaks";
import { count } from "../../lib/format";
import { to } from "../../lib/url";
import { workersOf } from "../../lib/uses";
import css from "./Definitions.module.css";
import { placeOf, useUses } from "./Uses";

const WORDS: Record<Break["kind"], string> = {
  reads: "reads of its output",
  lacks: "does not give what is read now:",
  "lacks a required": "does not give what is required now:",
};

/** *isOver*: the version itself is replaced, so that those who ask for it by number notice too; unknown: both are told of. */
export function Breaks({ before, after, isOver }: { before: WorkflowDef; after: WorkflowDef; isOver?: boolean }) {
  const all = useQuery(definitions());
  const others = useQuery(starters());
  const state = useQuery(overview());
  const version = before.version ?? 1;
  const open = useQuery(running(before.name, [version]));
  const uses = useUses(before.name).filter(use => !use.version || (isOver !== false && use.version === version));
  const found = breaksOf(before, after, uses, { definitions: all.data ?? [], ...others.data });
  const served = new Set(
    state.data?.queues.filter(queue => queue.workers || queue.isOurs).map(queue => queue.taskType),
  );
  const had = workersOf(before);
  const unserved = state.data ? workersOf(after).filter(type => !had.includes(type) && !served.has(type)) : [];
  const runs = open.data?.get(version) ?? 0;
  const none = !found.length && !unserved.length;
  return (
    <section className={css.breaks} aria-label="What it would break">
      <p className={none ? "soft" : css.warn}>
        {none
          ? "Nobody who starts it would notice."
          : `${count(found.length + unserved.length, "thing")} to look at before it is saved:`}{" "}
        {runs > 0 && (
          <span className="soft">
            {count(runs, "open execution")} of version {version} {runs === 1 ? "keeps" : "keep"} what{" "}
            {runs === 1 ? "it" : "they"} began with.
          </span>
        )}
      </p>
      {!none && (
        <ul className={css.list}>
          {found.map((one, n) => (
            <li key={n}>
              <Link href={placeOf(one.use)}>{one.use.name}</Link>
              <span>
                {WORDS[one.kind]} <code>{one.name}</code>
              </span>
              {isOver === undefined && one.use.version > 0 && (
                <span className="faint">if version {version} is replaced</span>
              )}
              {one.use.ref && <Ahead name={one.use.name} />}
            </li>
          ))}
          {unserved.map(type => (
            <li key={type}>
              <Link href={to.queues(type)} className="mono">
                {type}
              </Link>
              <span>has no worker: nobody asked for it within a minute</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Open executions of who starts it: those that have not come to it yet will start the new one. */
function Ahead({ name }: { name: string }) {
  const state = useQuery(overview());
  const { RUNNING = 0, PAUSED = 0 } = state.data?.definitions.find(one => one.name === name)?.total ?? {};
  if (!RUNNING && !PAUSED) return null;
  return (
    <Link href={to.executions({ name, status: "RUNNING,PAUSED" })}>
      {count(RUNNING + PAUSED, "open execution")} of it
    </Link>
  );
}
