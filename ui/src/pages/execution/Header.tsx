// What it is, how it stands and why.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "wouter";
import { pollData } from "../../api/queries";
import type { Tasks } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import { CopyText } from "../../design/CopyText";
import { Status } from "../../design/Status";
import { isBad, isOpen } from "../../design/status";
import { Duration, useNow, When } from "../../design/Time";
import { ago, count, duration } from "../../lib/format";
import { cause } from "../../lib/reason";
import { to } from "../../lib/url";
import css from "./Execution.module.css";
import { Origins } from "./Origins";
import { Verbs } from "./Verbs";
import type { ViewProps } from "./views";

const POLLED_MS = 30_000; // workers ask again within seconds

export function Header(props: ViewProps) {
  const { execution, tasks, select } = props;
  const { workflow } = execution;
  const failed = tasks.rows.findLast(row => isBad(row.status) && !row.retried);
  return (
    <header className={css.head}>
      <div className={css.title}>
        <h1>
          <Link href={to.definition(workflow.workflowName, workflow.workflowVersion)}>{workflow.workflowName}</Link>{" "}
          <span className="faint">v{workflow.workflowVersion}</span>
        </h1>
        <span className={css.status}>
          <Status status={workflow.status} size={16} />
        </span>
        <span title="from its start to its end">
          <Duration from={workflow.createTime} to={workflow.endTime} skew={tasks.skew} />
        </span>
        <Verbs {...props} />
      </div>
      <div className={css.facts}>
        <span>
          id <span className="mono cut">{workflow.workflowId}</span>
          <CopyText text={workflow.workflowId} label="Copy the id" />
        </span>
        {workflow.correlationId && (
          <span>
            correlation{" "}
            <Link href={to.executions({ correlation: workflow.correlationId })}>{workflow.correlationId}</Link>
          </span>
        )}
        <span>
          <span>
            started <When at={workflow.createTime} /> (<When at={workflow.createTime} relative />)
          </span>
        </span>
        <Origins execution={execution} />
        <span>{count(tasks.rows.length, "task")}</span>
      </div>
      {workflow.reasonForIncompletion && (
        <div className={css.reason}>
          {failed && (
            <button type="button" onClick={() => select(failed)}>
              {failed.ref}
            </button>
          )}
          <span title={workflow.reasonForIncompletion}>{cause(workflow.reasonForIncompletion)}</span>
        </div>
      )}
      {execution.failureWorkflow.includes(" ") && <p className={css.reason}>{execution.failureWorkflow}</p>}
      {workflow.rateLimited ? (
        <Held workflow={workflow} />
      ) : (
        isOpen(workflow.status) && <Waits status={workflow.status} tasks={tasks} />
      )}
    </header>
  );
}

/** It has no place under the rate limit of its workflow. */
function Held({ workflow }: { workflow: ConsoleExecution["workflow"] }) {
  const limit = workflow.workflowDefinition.rateLimitConfig as { concurrentExecLimit?: number } | undefined;
  const name = workflow.workflowName;
  return (
    <p className={css.waits}>
      Waits for a place: of{" "}
      <Link href={to.executions({ name, status: "RUNNING,PAUSED" })}>the open executions of {name}</Link>
      {workflow.rateLimitKey && (
        <>
          {" "}
          with the key <code>{workflow.rateLimitKey}</code>
        </>
      )}
      ,{" "}
      {limit?.concurrentExecLimit
        ? `only ${count(limit.concurrentExecLimit)} may run at a time`
        : "only so many may run at a time"}
      . It goes on by itself when one of them ends.
    </p>
  );
}

/** Why it does not move on by itself. */
function Waits({ status, tasks }: { status: string; tasks: Tasks }) {
  const now = useNow() + tasks.skew;
  const open = useMemo(() => tasks.rows.filter(row => isOpen(row.status)), [tasks.rows]);
  const queued = open.filter(row => row.status === "SCHEDULED" && row.queue);
  const first = queued.find(row => !row.due || row.due <= now);
  const poll = useQuery({ ...pollData(first?.type ?? ""), enabled: first !== undefined });
  if (status === "PAUSED")
    return <p className={css.waits}>Paused: tasks under way end, nothing new is scheduled until it is resumed.</p>;
  if (first) {
    const waited = now - (first.due || first.scheduled);
    if (waited < 3000) return null;
    const domain = first.queue.includes(":") ? first.queue.slice(0, first.queue.lastIndexOf(":")) : "";
    const last = poll.data
      ?.filter(one => (one.domain ?? "") === domain)
      .sort((a, b) => b.lastPollTime - a.lastPollTime)[0];
    const more = queued.length > 1 ? ` ${count(queued.length - 1, "more task")} in line.` : "";
    return (
      <p className={css.waits}>
        <span className="mono">{first.ref}</span> has waited {duration(waited)} for a worker of{" "}
        <Link href={to.queues(first.queue)}>{first.queue}</Link>.{" "}
        {!poll.data
          ? ""
          : !last
            ? "Nobody has polled it since the server started."
            : now - last.lastPollTime > POLLED_MS
              ? `Nobody has polled it since ${ago(last.lastPollTime, now)} (last: ${last.workerId || "a worker without a name"}).`
              : `Workers poll it (last: ${last.workerId || "a worker without a name"}, ${ago(last.lastPollTime, now)}): they have enough to do, or a limit holds it back.`}
        {more} {(!last || now - last.lastPollTime > POLLED_MS) && poll.data && <code>batuta worker MODULE</code>}
      </p>
    );
  }
  const held = queued.find(row => row.due > now);
  if (held)
    return (
      <p className={css.waits}>
        <span className="mono">{held.ref}</span> is held back for {duration(held.due - now)}
        {held.attempt > 0 && `: attempt ${held.attempt + 1} after a failure`}.
      </p>
    );
  const waiting = open.find(row => row.type === "WAIT" || row.type === "HUMAN");
  if (waiting)
    return (
      <p className={css.waits}>
        <span className="mono">{waiting.ref}</span>{" "}
        {waiting.until > now
          ? `ends by itself in ${duration(waiting.until - now)}.`
          : waiting.type === "HUMAN"
            ? "waits for a person."
            : "waits for a signal: report the task, or signal the execution."}
      </p>
    );
  return null;
}
