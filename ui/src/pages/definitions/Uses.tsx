// What would notice a change of this workflow: what runs, what starts it, what it needs.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { definitions, overview, running, starters, taskDefinitions } from "../../api/queries";
import type { WorkflowDef } from "../../api/types";
import { count } from "../../lib/format";
import { quoted } from "../../lib/search";
import { to } from "../../lib/url";
import { usesOfWorkflow, workersOf, type Use } from "../../lib/uses";
import css from "./Definitions.module.css";

export function useUses(name: string): Use[] {
  const all = useQuery(definitions());
  const others = useQuery(starters());
  return usesOfWorkflow(name, all.data ?? [], others.data?.schedules, others.data?.handlers);
}

const WORDS: Record<Use["kind"], string> = {
  "sub-workflow": "as a sub-workflow",
  "started by a task": "starts it",
  "failure workflow": "when it fails",
  schedule: "schedule",
  "event handler": "event handler",
  task: "task",
};
export const placeOf = (use: Use) =>
  use.kind === "schedule"
    ? to.schedules(use.name)
    : use.kind === "event handler"
      ? to.events({ name: use.name })
      : to.definition(use.name);

export function UseList({ uses, latest }: { uses: Use[]; latest?: boolean }) {
  return (
    <ul className={css.list}>
      {uses.map((use, n) => (
        <li key={n}>
          <Link href={placeOf(use)}>{use.name}</Link>
          <span className="soft">{WORDS[use.kind]}</span>
          {use.ref && <span className="mono soft">{use.ref}</span>}
          {latest && (
            <span className="faint">{use.version ? `version ${use.version}` : "always the latest version"}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Executions that have not ended, by the version they began with. */
function OpenRuns({ name, versions }: { name: string; versions: number[] }) {
  const open = useQuery(running(name, versions));
  const there = [...(open.data ?? [])].filter(([, runs]) => runs);
  if (!open.data) return <p className="faint">Counting …</p>;
  if (!there.length) return <p className="soft">No execution is open.</p>;
  return (
    <ul className={css.list}>
      {there.map(([version, runs]) => (
        <li key={version}>
          <Link
            href={to.executions({
              q: `workflowType = ${quoted(name)} AND version = ${version} AND status IN (RUNNING,PAUSED)`,
            })}
          >
            {count(runs, "execution")}
          </Link>
          <span className="soft">of version {version}</span>
        </li>
      ))}
    </ul>
  );
}

export default function Uses({ definition, versions }: { definition: WorkflowDef; versions: number[] }) {
  const uses = useUses(definition.name);
  const state = useQuery(overview());
  const tasks = useQuery(taskDefinitions());
  const queues = new Map(state.data?.queues.map(queue => [queue.taskType, queue]));
  const registered = new Set(tasks.data?.map(task => task.name));
  const types = workersOf(definition);
  return (
    <>
      <section className={css.box}>
        <h2>What runs</h2>
        <OpenRuns name={definition.name} versions={versions} />
        <p className="faint">
          An execution keeps the definition that it began with, whatever is registered or deleted since.
        </p>
      </section>
      <section className={css.box}>
        <h2>What starts it</h2>
        {uses.length ? (
          <UseList uses={uses} latest />
        ) : (
          <p className="soft">No other definition, schedule or event handler names it.</p>
        )}
      </section>
      <section className={css.box}>
        <h2>Workers it needs</h2>
        {!types.length && <p className="soft">None: the server does all of its tasks.</p>}
        <ul className={css.list}>
          {types.map(type => {
            const queue = queues.get(type);
            const workers = queue?.workers ?? 0;
            return (
              <li key={type}>
                <Link href={registered.has(type) ? to.task(type) : to.newTask(type)} className="mono">
                  {type}
                </Link>
                <span className={workers ? "soft" : css.failed}>
                  {workers ? `${count(workers, "worker")} polled within a minute` : "no worker polled within a minute"}
                </span>
                {queue && queue.waiting > 0 && <span className="soft">{count(queue.waiting, "task")} waiting</span>}
                {tasks.data && !registered.has(type) && (
                  <span className="faint">no task definition: one attempt, no limit of time</span>
                )}
              </li>
            );
          })}
        </ul>
      </section>
    </>
  );
}
