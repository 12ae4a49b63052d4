// One task: how it stands and why, its attempts, input, output and log, without another click.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { client, task as taskQuery, taskLogs } from "../../api/queries";
import type { TaskRow, Tasks } from "../../api/timeline";
import type { TaskDef } from "../../api/types";
import { Button } from "../../design/Button";
import { CopyText } from "../../design/CopyText";
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
  const logs = useQuery({
    ...taskLogs(row.id),
    enabled: row.queue !== "",
    refetchInterval: isOpen(row.status) ? 3000 : false,
  });
  const state = `${row.status} ${row.updated} ${row.ended} ${row.polls}`;
  useEffect(() => {
    void client.invalidateQueries({ queryKey: ["task", row.id] });
  }, [state, row.id]);
  const attempts = tasks.rows.filter(one => one.ref === row.ref);
  const reason = found.data?.task.reasonForIncompletion ?? row.reason;
  const limits = limitsOf(found.data?.task.taskDefinition as TaskDef | undefined);
  const started =
    row.type === "START_WORKFLOW" && (found.data?.task.outputData as { workflowId?: unknown })?.workflowId;
  const child = row.child || (typeof started === "string" ? started : "");
  const now = useNow(isOpen(row.status)) + tasks.skew;
  const start = row.due > row.scheduled ? row.due : row.scheduled;
  const place = attempts.findIndex(one => one.id === row.id);
  const before = attempts[place > 0 ? place - 1 : 1];
  const [isCompared, setCompared] = useState(false);
  const [isReporting, setReporting] = useState(false);
  const waited = (row.started || row.ended || now) - start;
  return (
    <div className={css.panel}>
      <div className={css.panelHead}>
        <h2 className="mono">{row.ref}</h2>
        <CopyText text={row.ref} label="Copy the reference" />
        <Button kind="quiet" small icon="x" aria-label="Close the task" onClick={onClose} />
      </div>
      {attempts.length > 1 && (
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
      )}
      <dl className={css.pairs}>
        <dt>Status</dt>
        <dd>
          <Status status={shownStatus(row.type, row.status)} />
        </dd>
        <dt>Type</dt>
        <dd className="mono">{row.name && row.name !== row.type ? `${row.name} (${row.type})` : row.type}</dd>
        {row.worker && (
          <>
            <dt>Worker</dt>
            <dd className="mono">{row.worker}</dd>
          </>
        )}
        <dt>Scheduled</dt>
        <dd>
          <When at={row.scheduled} />
          {row.queue && waited > 0 && (
            <span className="faint">
              {" "}
              ·{" "}
              {row.started
                ? `waited ${duration(waited)}`
                : row.ended
                  ? "never taken"
                  : `waiting for ${duration(waited)}`}
            </span>
          )}
        </dd>
        {row.started > 0 && (
          <>
            <dt>{row.type === "WAIT" || row.type === "HUMAN" ? "Waited" : "Ran"}</dt>
            <dd>
              <Duration from={row.started} to={row.ended} skew={tasks.skew} />
              {row.ended > 0 && <span className="faint"> · until {when(row.ended)}</span>}
            </dd>
          </>
        )}
        {row.until > 0 && isOpen(row.status) && (
          <>
            <dt>Ends</dt>
            <dd>
              <When at={row.until} relative ahead />
            </dd>
          </>
        )}
        {row.iteration > 0 && (
          <>
            <dt>Turn</dt>
            <dd>{row.iteration}</dd>
          </>
        )}
        {child && (
          <>
            <dt>{row.child ? "Sub-workflow" : "Started"}</dt>
            <dd>
              <Link href={to.execution(child)} className="mono">
                {child}
              </Link>
            </dd>
          </>
        )}
        {found.data?.task.cachedOutput && (
          <>
            <dt>Output</dt>
            <dd>from the cache: an earlier task of the same key did the work</dd>
          </>
        )}
        {limits.length > 0 && (
          <>
            <dt>Limits</dt>
            <dd>
              {limits.join(", ")}
              {row.status === "SCHEDULED" && <span className="faint"> · may be what it waits for</span>}
            </dd>
          </>
        )}
        <dt>Id</dt>
        <dd className="mono faint">{row.id}</dd>
      </dl>
      {reason && (
        <div
          className={isBad(row.status) || row.status === "CANCELED" ? css.reason : css.waits}
          role={isBad(row.status) ? "alert" : undefined}
        >
          <span title={reason}>{cause(reason)}</span>
        </div>
      )}
      {isOpen(row.status) &&
        isOpen(tasks.status) &&
        (row.queue !== "" || row.type === "WAIT" || row.type === "HUMAN") && (
          <div>
            <Button
              small={row.queue !== ""}
              kind={row.queue === "" ? "primary" : "plain"}
              icon="check"
              onClick={() => setReporting(true)}
            >
              Report…
            </Button>
          </div>
        )}
      {isReporting && <Report workflowId={tasks.workflowId} row={row} onClose={() => setReporting(false)} />}
      {before && (
        <div>
          <Button small icon="compare" aria-pressed={isCompared} onClick={() => setCompared(!isCompared)}>
            {isCompared ? "Show it alone" : `Compare with attempt ${attempts.indexOf(before) + 1}`}
          </Button>
        </div>
      )}
      {before && isCompared && (
        <Differences
          before={place > 0 ? before : row}
          after={place > 0 ? row : before}
          name={`attempt ${attempts.indexOf(before) + 1}`}
        />
      )}
      {found.error && <p role="alert">{found.error.message}</p>}
      {found.data && (
        <>
          <Payload
            kind="task"
            id={row.id}
            part="input"
            title="Input"
            value={found.data.task.inputData}
            size={found.data.sizes.input ?? 0}
            isWithheld={found.data.withheld.includes("input")}
            root={`${row.base}.input`}
          />
          <Payload
            kind="task"
            id={row.id}
            part="output"
            title="Output"
            value={found.data.task.outputData}
            size={found.data.sizes.output ?? 0}
            isWithheld={found.data.withheld.includes("output")}
            root={`${row.base}.output`}
          />
        </>
      )}
      {logs.data && logs.data.length > 0 && (
        <section className={css.part}>
          <h3>Log</h3>
          <pre className={css.logs} tabIndex={0}>
            {logs.data.map((line, index) => (
              <div key={index}>
                <time>{when(line.createdTime)}</time>
                {line.log}
              </div>
            ))}
          </pre>
        </section>
      )}
    </div>
  );
}
