// One task: how it stands and why, its attempts, input, output and log, without another click.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { client, task as taskQuery, taskLogs } from "../../api/queries";
import type { TaskRow, Tasks } from "../../api/timeline";
import type { Task, TaskDef } from "../../api/types";
import { Button } from "../../design/Button";
import { CopyText } from "../../design/CopyText";
import { Pair, Pairs, Part, Side } from "../../design/Side";
import { Status } from "../../design/Status";
import { isBad, isOpen, shownStatus } from "../../design/status";
import { Duration, useNow, When } from "../../design/Time";
import { duration, when } from "../../lib/format";
import { cause } from "../../lib/reason";
import { to } from "../../lib/url";
import { limitsOf } from "../../lib/work";
import css from "./Execution.module.css";
import { Differences } from "./Differences";
import { Payload } from "./Payload";
import { Report } from "./Report";

const LOG_MS = 3_000; // nobody tells of lines that a worker writes down

const isAwaited = (row: TaskRow) => row.type === "WAIT" || row.type === "HUMAN";

export function TaskPanel({
  row,
  tasks,
  select,
  onClose,
}: {
  row: TaskRow;
  tasks: Tasks;
  select: (row: TaskRow) => void;
  onClose: () => void;
}) {
  const found = useQuery(taskQuery(row.id));
  const state = `${row.status} ${row.updated} ${row.ended} ${row.polls}`;
  useEffect(() => {
    for (const key of ["task", "logs"]) void client.invalidateQueries({ queryKey: [key, row.id] });
  }, [state, row.id]);
  const attempts = tasks.rows.filter(one => one.ref === row.ref);
  const reason = found.data?.task.reasonForIncompletion ?? row.reason;
  const mayReport = isOpen(row.status) && isOpen(tasks.status) && (row.queue !== "" || isAwaited(row));
  return (
    <Side
      title={<span className="mono">{row.ref}</span>}
      beside={<CopyText text={row.ref} label="Copy the reference" />}
      onClose={onClose}
    >
      {attempts.length > 1 && <Attempts attempts={attempts} row={row} select={select} />}
      <Facts row={row} tasks={tasks} details={found.data?.task} />
      {reason && (
        <div
          className={isBad(row.status) || row.status === "CANCELED" ? css.reason : css.waits}
          role={isBad(row.status) ? "alert" : undefined}
        >
          <span title={reason}>{cause(reason)}</span>
        </div>
      )}
      {mayReport && <Reporting workflowId={tasks.workflowId} row={row} />}
      {attempts.length > 1 && <Compared attempts={attempts} row={row} />}
      {found.error && <p role="alert">{found.error.message}</p>}
      {found.data &&
        (["input", "output"] as const).map(part => (
          <Payload
            key={part}
            kind="task"
            id={row.id}
            part={part}
            value={found.data.task[`${part}Data`]}
            size={found.data.sizes[part] ?? 0}
            isWithheld={found.data.withheld.includes(part)}
            root={`${row.base}.${part}`}
          />
        ))}
      <Log row={row} />
    </Side>
  );
}

function Attempts({
  attempts,
  row,
  select,
}: {
  attempts: readonly TaskRow[];
  row: TaskRow;
  select: (row: TaskRow) => void;
}) {
  return (
    <div className={css.attempts} role="group" aria-label="Attempts">
      {attempts.map((one, index) => (
        <button
          key={one.id}
          type="button"
          className={css.attempt}
          aria-pressed={one.id === row.id}
          onClick={() => select(one)}
        >
          <Status status={shownStatus(one.type, one.status)} bare size={12} /> attempt {index + 1}
        </button>
      ))}
    </div>
  );
}

function Facts({ row, tasks, details }: { row: TaskRow; tasks: Tasks; details?: Task }) {
  const limits = limitsOf(details?.taskDefinition as TaskDef | undefined);
  return (
    <Pairs>
      <Pair name="Status">
        <Status status={shownStatus(row.type, row.status)} />
      </Pair>
      <Pair name="Type">
        <span className="mono">{row.name && row.name !== row.type ? `${row.name} (${row.type})` : row.type}</span>
      </Pair>
      {row.worker && (
        <Pair name="Worker">
          <span className="mono">{row.worker}</span>
        </Pair>
      )}
      <Pair name="Scheduled">
        <When at={row.scheduled} />
        <Waited row={row} skew={tasks.skew} />
      </Pair>
      {row.started > 0 && (
        <Pair name={isAwaited(row) ? "Waited" : "Ran"}>
          <Duration from={row.started} to={row.ended} skew={tasks.skew} />
          {row.ended > 0 && <span className="faint"> · until {when(row.ended)}</span>}
        </Pair>
      )}
      {row.until > 0 && isOpen(row.status) && (
        <Pair name="Ends">
          <When at={row.until} relative ahead />
        </Pair>
      )}
      {row.iteration > 0 && <Pair name="Turn">{row.iteration}</Pair>}
      <Other row={row} details={details} />
      {details?.cachedOutput && <Pair name="Output">from the cache: an earlier task of the same key did the work</Pair>}
      {limits.length > 0 && (
        <Pair name="Limits">
          {limits.join(", ")}
          {row.status === "SCHEDULED" && <span className="faint"> · may be what it waits for</span>}
        </Pair>
      )}
      <Pair name="Id">
        <span className="mono faint">{row.id}</span>
      </Pair>
    </Pairs>
  );
}

/** How long it was in its queue, or is. */
function Waited({ row, skew }: { row: TaskRow; skew: number }) {
  const now = useNow(isOpen(row.status)) + skew;
  const waited = (row.started || row.ended || now) - Math.max(row.due, row.scheduled);
  if (!row.queue || waited <= 0) return null;
  const said = row.started
    ? `waited ${duration(waited)}`
    : row.ended
      ? "never taken"
      : `waiting for ${duration(waited)}`;
  return <span className="faint"> · {said}</span>;
}

/** The execution inside it, or the one that it started and did not wait for. */
function Other({ row, details }: { row: TaskRow; details?: Task }) {
  const output = details?.outputData as { workflowId?: unknown } | undefined;
  const started = row.type === "START_WORKFLOW" && output?.workflowId;
  const id = row.child || (typeof started === "string" ? started : "");
  if (!id) return null;
  return (
    <Pair name={row.child ? "Sub-workflow" : "Started"}>
      <Link href={to.execution(id)} className="mono">
        {id}
      </Link>
    </Pair>
  );
}

function Reporting({ workflowId, row }: { workflowId: string; row: TaskRow }) {
  const [isReporting, setReporting] = useState(false);
  const isWorkers = row.queue !== ""; // a worker reports it as a rule, and a person only when none will
  return (
    <div>
      <Button small={isWorkers} kind={isWorkers ? "plain" : "primary"} icon="check" onClick={() => setReporting(true)}>
        Report…
      </Button>
      {isReporting && <Report workflowId={workflowId} row={row} onClose={() => setReporting(false)} />}
    </div>
  );
}

/** This attempt beside the one before it; the first beside the second. */
function Compared({ attempts, row }: { attempts: readonly TaskRow[]; row: TaskRow }) {
  const [isCompared, setCompared] = useState(false);
  const place = attempts.findIndex(one => one.id === row.id);
  const at = place > 0 ? place - 1 : 1;
  const other = attempts[at]!;
  const [before, after] = place > 0 ? [other, row] : [row, other];
  return (
    <>
      <div>
        <Button small icon="compare" aria-pressed={isCompared} onClick={() => setCompared(!isCompared)}>
          {isCompared ? "Show it alone" : `Compare with attempt ${at + 1}`}
        </Button>
      </div>
      {isCompared && <Differences before={before} after={after} name={`attempt ${at + 1}`} />}
    </>
  );
}

function Log({ row }: { row: TaskRow }) {
  const logs = useQuery({
    ...taskLogs(row.id),
    enabled: row.queue !== "",
    refetchInterval: row.status === "IN_PROGRESS" && LOG_MS,
  });
  if (!logs.data?.length) return null;
  return (
    <Part title="Log">
      <pre className={css.logs} tabIndex={0}>
        {logs.data.map((line, index) => (
          <div key={index}>
            <time>{when(line.createdTime)}</time>
            {line.log}
          </div>
        ))}
      </pre>
    </Part>
  );
}
