// The server at a glance: what runs, what failed, what waits and for whom. Every number leads to what it counts.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { client, overview } from "../../api/queries";
import type { Overview, QueueState } from "../../api/types";
import { useLive } from "../../app/live";
import { Chart } from "../../design/Chart";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Status } from "../../design/Status";
import { Duration, When } from "../../design/Time";
import { count, duration } from "../../lib/format";
import { alive, failing, longestWaits, perMinute, unserved } from "../../lib/overview";
import { readAgain, useRefresh } from "../../lib/refresh";
import { to } from "../../lib/url";
import css from "./Home.module.css";

const SHOWN = 8;
const ENDED = "COMPLETED,FAILED,TIMED_OUT,TERMINATED";

export default function Home() {
  const found = useQuery(overview());
  const refresh = useRefresh(() => readAgain(client, { queryKey: ["overview"] }), 1000);
  useLive(null, refresh, refresh);
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div className="page faint" aria-busy="true" />;
  if (!Object.keys(found.data.counts).length)
    return (
      <EmptyState icon="play" title="Nothing has run yet" command="batuta workflow start NAME --input '{}'">
        <h1 className="visually-hidden">Home</h1>
        <Link href={to.newDefinition()}>Write a workflow</Link>, or register one with{" "}
        <code>batuta definitions apply FILE</code>. Start it, and see it here as it runs:
      </EmptyState>
    );
  return <Glance data={found.data} />;
}

function Glance({ data }: { data: Overview }) {
  return (
    <div className="page">
      <h1 className="visually-hidden">Home</h1>
      <Counts data={data} />
      <Charts data={data} />
      <div className={css.lists}>
        <Failing data={data} />
        <Unserved data={data} />
        <Waits data={data} />
        <Oldest data={data} />
      </div>
    </div>
  );
}

function Counts({ data }: { data: Overview }) {
  const { counts } = data;
  return (
    <ul className={css.counts}>
      {["RUNNING", "PAUSED", "FAILED", "TIMED_OUT", "COMPLETED", "TERMINATED"].map(status => (
        <li key={status}>
          <Link href={to.executions({ status })}>
            <strong>{count(counts[status] ?? 0)}</strong>
            <Status status={status} />
          </Link>
        </li>
      ))}
      <li>
        <Link href={to.taskSearch({ status: "SCHEDULED", sort: "scheduledTime:ASC" })}>
          <strong>{count(data.queues.reduce((total, queue) => total + queue.waiting, 0))}</strong>
          <span className="soft">tasks waiting</span>
        </Link>
      </li>
      <li>
        <Link href={to.workers()}>
          <strong>{count(alive(data))}</strong>
          <span className="soft">workers alive</span>
        </Link>
      </li>
    </ul>
  );
}

function Charts({ data }: { data: Overview }) {
  const times = data.beats.map(beat => beat.at);
  const latency = (pick: (beat: Overview["beats"][number]) => number) =>
    data.beats.map(beat => (pick(beat) < 0 ? null : pick(beat)));
  return (
    <div className={css.charts}>
      <Chart
        title="Executions a minute"
        times={times}
        format={value => count(Math.round(value))}
        series={[
          {
            label: "started",
            colour: "--running-fill",
            href: to.executions({ within: "15m" }),
            values: perMinute(data, beat => beat.started),
          },
          {
            label: "completed",
            colour: "--completed-fill",
            href: to.executions({ status: "COMPLETED", within: "15m" }),
            values: perMinute(data, beat => beat.completed),
          },
          {
            label: "failed",
            colour: "--failed-fill",
            href: to.executions({ status: "FAILED,TIMED_OUT", within: "15m" }),
            values: perMinute(data, beat => beat.failed),
          },
        ]}
      />
      <Chart
        title="How long they took"
        times={times}
        format={value => duration(value)}
        series={[
          {
            label: "half within",
            colour: "--accent",
            href: to.executions({ status: "COMPLETED", within: "15m", sort: "executionTime:DESC" }),
            values: latency(beat => beat.p50),
          },
          {
            label: "95 % within",
            colour: "--waiting-fill",
            href: to.executions({ status: "COMPLETED", within: "15m", sort: "executionTime:DESC" }),
            values: latency(beat => beat.p95),
          },
        ]}
      />
    </div>
  );
}

function Failing({ data }: { data: Overview }) {
  const lost = failing(data);
  return (
    <List
      title="Failing in the last 24 h"
      all={to.failures()}
      count={lost.length}
      empty="No execution failed in the last 24 hours."
    >
      {lost.slice(0, SHOWN).map(one => (
        <li key={one.name}>
          <Link className="cut" href={to.failures({ workflow: one.name })}>
            {one.name}
          </Link>
          <span className={css.numbers}>
            <Link
              className={css.bad}
              href={to.executions({ name: one.name, status: "FAILED,TIMED_OUT", within: "24h" })}
            >
              {count(one.failed)}
            </Link>{" "}
            <span className="faint">of</span>{" "}
            <Link href={to.executions({ name: one.name, status: ENDED, within: "24h" })}>{count(one.ended)}</Link>
          </span>
        </li>
      ))}
    </List>
  );
}

function Unserved({ data }: { data: Overview }) {
  const alone = unserved(data);
  return (
    <List
      title="Queues without a worker"
      all={to.queues()}
      count={alone.length}
      empty="Every task that is due has a worker that asks for it."
    >
      {alone.slice(0, SHOWN).map(queue => (
        <li key={queue.queue}>
          <Link className="cut mono" href={to.queues(queue.queue)}>
            {queue.queue}
          </Link>
          <span>
            <Link href={waitingIn(queue)}>{count(queue.due)}</Link> due,{" "}
            <span className="faint">
              {queue.lastPollAt ? (
                <>
                  last asked <When at={queue.lastPollAt} relative />
                </>
              ) : (
                "never asked for"
              )}
            </span>
          </span>
        </li>
      ))}
    </List>
  );
}

function Waits({ data }: { data: Overview }) {
  const waits = longestWaits(data);
  return (
    <List title="Longest waits" all={to.queues()} count={waits.length} empty="Nothing is due.">
      {waits.slice(0, SHOWN).map(queue => (
        <li key={queue.queue}>
          <Link className="cut mono" href={to.queues(queue.queue)}>
            {queue.queue}
          </Link>
          <Link className={css.numbers} href={waitingIn(queue)}>
            <Duration from={queue.oldestDueAt} to={0} />
          </Link>
        </li>
      ))}
    </List>
  );
}

function Oldest({ data }: { data: Overview }) {
  return (
    <List
      title="Running for longest"
      all={to.executions({ status: "RUNNING", sort: "startTime:ASC" })}
      count={data.oldest.length}
      empty="Nothing runs."
    >
      {data.oldest.map(one => (
        <li key={one.workflowId}>
          <Status status={one.status} bare />
          <Link className="cut" href={to.execution(one.workflowId)}>
            {one.name} <span className="faint">{one.correlationId}</span>
          </Link>
          <Duration from={one.createTime} to={0} />
        </li>
      ))}
    </List>
  );
}

/** The tasks that wait in a queue, the oldest first. */
const waitingIn = (queue: QueueState) =>
  to.taskSearch({ type: queue.taskType, domain: queue.domain, status: "SCHEDULED", sort: "scheduledTime:ASC" });

function List({
  title,
  all,
  count: size,
  empty,
  children,
}: {
  title: string;
  all: string;
  count: number;
  empty: string;
  children: ReactNode;
}) {
  return (
    <section className={css.list}>
      <header>
        <h2>{title}</h2>
        {size > 0 && <Link href={all}>All</Link>}
      </header>
      {size ? <ul>{children}</ul> : <p className="faint">{empty}</p>}
    </section>
  );
}
