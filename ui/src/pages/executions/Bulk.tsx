// Acting on many: what it affects is said before, what became of each after.
import { useState } from "react";
import { Link } from "wouter";
import type { BulkVerb } from "../../api/actions";
import { client } from "../../api/queries";
import type { WorkflowSummary } from "../../api/types";
import { Outcomes, outcomesOf, type Outcome } from "../../app/Outcomes";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import type { IconName } from "../../design/Icon";
import { toast } from "../../design/Toast";
import { count, wordsOf } from "../../lib/format";
import { to } from "../../lib/url";
import css from "./Executions.module.css";

const VERBS: { verb: BulkVerb; label: string; icon: IconName; danger?: boolean; does: string }[] = [
  { verb: "retry", label: "Retry", icon: "retry", does: "What failed in them gets a new attempt." },
  {
    verb: "restart",
    label: "Restart",
    icon: "loop",
    does: "They begin again from their first task, with the input they had; what their tasks put out is lost.",
  },
  {
    verb: "pause",
    label: "Pause",
    icon: "pause",
    does: "Tasks under way end; nothing new is scheduled until they are resumed.",
  },
  { verb: "resume", label: "Resume", icon: "play", does: "Paused ones go on." },
  {
    verb: "terminate",
    label: "Terminate",
    icon: "stop",
    danger: true,
    does: "They end now; open tasks are cancelled, children too.",
  },
  {
    verb: "remove",
    label: "Delete",
    icon: "trash",
    danger: true,
    does: "Ended ones are deleted for good, with their tasks and logs.",
  },
];

export function Bulk({
  rows,
  selected,
  onDone,
  total,
  busy,
}: {
  rows: WorkflowSummary[];
  selected: ReadonlySet<string>;
  onDone: () => void;
  total: number;
  busy: boolean;
}) {
  const [outcome, setOutcome] = useState<{ label: string; rows: Outcome[] } | null>(null);
  const [acting, setActing] = useState(false);
  const ids = [...selected];
  const act = async (one: (typeof VERBS)[number]) => {
    const chosen = rows.filter(row => selected.has(row.workflowId));
    const names = [...new Set(chosen.map(row => row.workflowType))];
    const answer = await confirm({
      title: `${one.label} ${count(ids.length, "execution")}?`,
      body: (
        <>
          <p>{one.does}</p>
          <p>
            {count(ids.length, "execution")} of {names.slice(0, 3).join(", ")}
            {names.length > 3 && ` and ${names.length - 3} more workflows`}.
          </p>
        </>
      ),
      act: one.label,
      danger: one.danger,
    });
    if (!answer) return;
    setActing(true);
    try {
      const results = await outcomesOf(one.verb, ids);
      const failed = results.filter(result => result.failed).length;
      if (failed) setOutcome({ label: one.label, rows: results });
      else toast("good", `${one.label}: done for ${count(results.length, "execution")}`);
      onDone();
    } catch (error) {
      toast("bad", wordsOf(error));
    } finally {
      setActing(false);
      void client.invalidateQueries({ queryKey: ["executions"] });
    }
  };
  return (
    <div className={css.bulk} aria-live="polite">
      {selected.size ? (
        <>
          <strong>{count(selected.size)} selected</strong>
          {VERBS.map(one => (
            <Button
              key={one.verb}
              small
              icon={one.icon}
              kind={one.danger ? "danger" : "plain"}
              busy={acting}
              onClick={() => void act(one)}
            >
              {one.label}
            </Button>
          ))}
          <Button small kind="quiet" onClick={onDone}>
            Select none
          </Button>
          {selected.size === 2 && (
            <Link href={to.compare(ids[0]!, ids[1]!)} className={css.link}>
              Compare
            </Link>
          )}
        </>
      ) : (
        <span className="faint">
          {count(total, "execution")}
          {busy && " …"}
        </span>
      )}
      <Outcomes outcome={outcome} onClose={() => setOutcome(null)} />
    </div>
  );
}
