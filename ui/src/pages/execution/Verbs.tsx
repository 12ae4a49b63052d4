// What can be done about an execution: the likely thing as a button, the rest in a menu. What it affects is said before.
import { useState } from "react";
import { useLocation } from "wouter";
import * as actions from "../../api/actions";
import { Button } from "../../design/Button";
import { confirm, type Question } from "../../design/Dialog";
import { Menu, type MenuItem } from "../../design/Menu";
import { isOpen } from "../../design/status";
import { told } from "../../design/Toast";
import { count, short } from "../../lib/format";
import { to } from "../../lib/url";
import css from "./Execution.module.css";
import { Rerun } from "./Rerun";
import { Skip } from "./Skip";
import { skippable, type ViewProps } from "./views";

/** A question, and what is done once it is answered. */
interface Verb {
  question: Question;
  done: string;
  work: (answer: { text: string; choice: boolean }) => Promise<unknown>;
}

/** The verbs that ask first. */
function verbsOf({ execution, tasks }: ViewProps) {
  const { workflowId: id, workflowName: name } = execution.workflow;
  const what = `${name} (${short(id)})`;
  const all = count(tasks.rows.length, "task");
  const open = count(tasks.rows.filter(row => isOpen(row.status)).length, "open task");
  const hasChildren = tasks.rows.some(row => row.child);
  return {
    retry: {
      question: {
        title: `Retry ${name}?`,
        body: `What failed in ${what} gets a new attempt; what was done stays done.`,
        act: "Retry",
        choice: hasChildren ? "Continue inside the sub-workflow that failed, instead of a new one" : undefined,
      },
      done: "Retried",
      work: answer => actions.retry(id, answer.choice),
    },
    restart: {
      question: {
        title: `Restart ${name}?`,
        body: `${what} begins again from its first task, with the input it had. All ${all} it has and their outputs are lost.`,
        act: "Restart",
        danger: true,
        choice: "Use the latest definition",
      },
      done: "Restarted",
      work: answer => actions.restart(id, answer.choice),
    },
    pause: {
      question: {
        title: `Pause ${name}?`,
        body: "Tasks under way end; nothing new is scheduled until it is resumed.",
        act: "Pause",
      },
      done: "Paused",
      work: () => actions.pause(id),
    },
    terminate: {
      question: {
        title: `Terminate ${name}?`,
        body: `${what} ends now: ${open} cancelled, sub-workflows too. It can be retried afterwards.`,
        act: "Terminate",
        danger: true,
        text: "Why (is kept with the execution)",
      },
      done: "Terminated",
      work: answer => actions.terminate(id, answer.text),
    },
    remove: {
      question: {
        title: `Delete ${name}?`,
        body: `${what}, its ${all} and their logs are deleted for good.`,
        act: "Delete",
        danger: true,
      },
      done: "Deleted",
      work: () => actions.remove(id),
    },
  } satisfies Record<string, Verb>;
}

export function Verbs(props: ViewProps) {
  const { execution, selected, tasks, places } = props;
  const { workflow } = execution;
  const { workflowId: id, workflowName: name, status } = workflow;
  const [, navigate] = useLocation();
  const [rerun, setRerun] = useState<"task" | "start" | null>(null);
  const [isSkipping, setSkipping] = useState(false);
  const toSkip = skippable(places, tasks.rows);
  const verbs = verbsOf(props);
  const act = async ({ question, done, work }: Verb) => {
    const answer = await confirm(question);
    if (!answer) return false;
    const ok = await told(work(answer), done);
    await actions.refreshExecution(id);
    return ok;
  };
  const whenEnded: MenuItem[] = [
    {
      label: "Rerun from the selected task…",
      icon: "play",
      disabled: !selected,
      hint: selected ? selected.ref : "Select a task first",
      onSelect: () => setRerun("task"),
    },
    { label: "Rerun with another input…", icon: "edit", onSelect: () => setRerun("start") },
    { label: "Restart…", icon: "loop", onSelect: () => void act(verbs.restart) },
  ];
  const skip: MenuItem = {
    label: "Skip a task…",
    icon: "skip",
    disabled: !toSkip.length,
    hint: toSkip.length ? undefined : "Every task was reached",
    onSelect: () => setSkipping(true),
  };
  const items: (MenuItem | null)[] = [
    ...(isOpen(status) ? [] : whenEnded),
    ...(status === "RUNNING" && !workflow.rateLimited ? [skip] : []),
    {
      label: "Run again with edited input…",
      icon: "plus",
      onSelect: () => navigate(to.start(name, { like: id })),
    },
    { label: "Compare with the last one", icon: "compare", onSelect: () => navigate(to.compare(id, "last")) },
    { label: "Executions of this workflow", icon: "list", onSelect: () => navigate(to.executions({ name })) },
    null,
    isOpen(status)
      ? { label: "Terminate…", icon: "stop", danger: true, onSelect: () => void act(verbs.terminate) }
      : {
          label: "Delete…",
          icon: "trash",
          danger: true,
          onSelect: () => void act(verbs.remove).then(isGone => isGone && navigate(to.executions())),
        },
  ];
  return (
    <div className={css.actions}>
      {["FAILED", "TIMED_OUT", "TERMINATED"].includes(status) && (
        <Button kind="primary" icon="retry" onClick={() => void act(verbs.retry)}>
          Retry
        </Button>
      )}
      {status === "RUNNING" && (
        <Button icon="pause" onClick={() => void act(verbs.pause)}>
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
      <Menu trigger={<Button icon="more" aria-label="More to do" />} items={items} />
      {isSkipping && <Skip workflowId={id} refs={toSkip} onClose={() => setSkipping(false)} />}
      {rerun && <Rerun from={rerun} execution={execution} row={selected} onClose={() => setRerun(null)} />}
    </div>
  );
}
