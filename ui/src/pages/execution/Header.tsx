// What it is, how it stands and why, and what can be done about it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import * as actions from "../../api/actions";
import { pollData } from "../../api/queries";
import type { Tasks } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import { Button } from "../../design/Button";
import { CopyText } from "../../design/CopyText";
import { confirm, type Question } from "../../design/Dialog";
import { Menu, type MenuItem } from "../../design/Menu";
import { Status } from "../../design/Status";
import { isBad, isOpen } from "../../design/status";
import { Duration, useNow, When } from "../../design/Time";
import { told } from "../../design/Toast";
import { ago, count, duration, short } from "../../lib/format";
import { cause } from "../../lib/reason";
import { to } from "../../lib/url";
import css from "./Execution.module.css";
import { Origins } from "./Origins";
import { Rerun } from "./Rerun";
import { Skip } from "./Skip";
import { skippable, type ViewProps } from "./views";

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
        <Actions {...props} />
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
  const open = tasks.rows.filter(row => isOpen(row.status));
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

function Actions({ execution, selected, tasks, places }: ViewProps) {
  const { workflow } = execution;
  const [, navigate] = useLocation();
  const [rerun, setRerun] = useState<"task" | "start" | null>(null);
  const [isSkipping, setSkipping] = useState(false);
  const toSkip = skippable(places, tasks.rows);
  const id = workflow.workflowId;
  const name = workflow.workflowName;
  const status = workflow.status;
  const has = {
    ended: !isOpen(status),
    failed: status === "FAILED" || status === "TIMED_OUT" || status === "TERMINATED",
  };
  const act = async (
    question: Question,
    done: string,
    work: (answer: { text: string; choice: boolean }) => Promise<unknown>,
  ) => {
    const answer = await confirm(question);
    if (!answer) return false;
    const ok = await told(work(answer), done);
    await actions.refreshExecution(id);
    return ok;
  };
  const what = `${name} (${short(id)})`;
  const retry = () =>
    act(
      {
        title: `Retry ${name}?`,
        body: `What failed in ${what} gets a new attempt; what was done stays done.`,
        act: "Retry",
        choice: tasks.rows.some(row => row.child)
          ? "Continue inside the sub-workflow that failed, instead of a new one"
          : undefined,
      },
      "Retried",
      answer => actions.retry(id, answer.choice),
    );
  const items: (MenuItem | null)[] = [
    has.ended
      ? {
          label: "Rerun from the selected task…",
          icon: "play",
          disabled: !selected,
          hint: selected ? selected.ref : "Select a task first",
          onSelect: () => setRerun("task"),
        }
      : null,
    has.ended ? { label: "Rerun with another input…", icon: "edit", onSelect: () => setRerun("start") } : null,
    has.ended
      ? {
          label: "Restart…",
          icon: "loop",
          onSelect: () =>
            void act(
              {
                title: `Restart ${name}?`,
                body: `${what} begins again from its first task, with the input it had. All ${count(tasks.rows.length, "task")} it has and their outputs are lost.`,
                act: "Restart",
                danger: true,
                choice: "Use the latest definition",
              },
              "Restarted",
              answer => actions.restart(id, answer.choice),
            ),
        }
      : null,
    status === "RUNNING" && !workflow.rateLimited
      ? {
          label: "Skip a task…",
          icon: "skip",
          disabled: !toSkip.length,
          hint: toSkip.length ? undefined : "Every task was reached",
          onSelect: () => setSkipping(true),
        }
      : null,
    {
      label: "Run again with edited input…",
      icon: "plus",
      onSelect: () => navigate(to.start(name, { like: id })),
    },
    { label: "Compare with the last one", icon: "compare", onSelect: () => navigate(to.compare(id, "last")) },
    { label: "Executions of this workflow", icon: "list", onSelect: () => navigate(to.executions({ name })) },
    null,
    !has.ended
      ? {
          label: "Terminate…",
          icon: "stop",
          danger: true,
          onSelect: () =>
            void act(
              {
                title: `Terminate ${name}?`,
                body: `${what} ends now: ${count(tasks.rows.filter(row => isOpen(row.status)).length, "open task")} cancelled, sub-workflows too. It can be retried afterwards.`,
                act: "Terminate",
                danger: true,
                text: "Why (is kept with the execution)",
              },
              "Terminated",
              answer => actions.terminate(id, answer.text),
            ),
        }
      : {
          label: "Delete…",
          icon: "trash",
          danger: true,
          onSelect: () =>
            void act(
              {
                title: `Delete ${name}?`,
                body: `${what}, its ${count(tasks.rows.length, "task")} and their logs are deleted for good.`,
                act: "Delete",
                danger: true,
              },
              "Deleted",
              () => actions.remove(id),
            ).then(done => done && navigate(to.executions())),
        },
  ];
  const shown = items.filter((item, index) => item !== null || (items[index - 1] !== null && index > 0));
  return (
    <div className={css.actions}>
      {has.failed && (
        <Button kind="primary" icon="retry" onClick={() => void retry()}>
          Retry
        </Button>
      )}
      {status === "RUNNING" && (
        <Button
          icon="pause"
          onClick={() =>
            void act(
              {
                title: `Pause ${name}?`,
                body: "Tasks under way end; nothing new is scheduled until it is resumed.",
                act: "Pause",
              },
              "Paused",
              () => actions.pause(id),
            )
          }
        >
          Pause
        </Button>
      )}
      {status === "PAUSED" && (
        <Button
          kind="primary"
          icon="play"
          onClick={() => void told(actions.resume(id), "Resumed").then(() => actions.refreshExecution(id))}
        >
          Resume
        </Button>
      )}
      <Menu trigger={<Button icon="more" aria-label="More to do" />} items={shown} />
      {isSkipping && <Skip workflowId={id} refs={toSkip} onClose={() => setSkipping(false)} />}
      {rerun && <Rerun from={rerun} execution={execution} row={selected} onClose={() => setRerun(null)} />}
    </div>
  );
}
