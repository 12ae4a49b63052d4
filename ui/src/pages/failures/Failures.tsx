// What fails, grouped by workflow, task and reason: how often, when, and all of a group tried again.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { client, failures } from "../../api/queries";
import type { Failures as Found } from "../../api/types";
import { useLive } from "../../app/live";
import { Outcomes, outcomesOf, type Outcome } from "../../app/Outcomes";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { SearchField } from "../../design/SearchField";
import { Status } from "../../design/Status";
import { When } from "../../design/Time";
import { toast } from "../../design/Toast";
import { count, duration, wordsOf } from "../../lib/format";
import { cause } from "../../lib/reason";
import { useRefresh } from "../../lib/refresh";
import { quoted, WITHIN } from "../../lib/search";
import { to, useParams } from "../../lib/url";
import css from "./Failures.module.css";

type Group = Found["groups"][number];
const SPANS = ["1h", "24h", "7d", "30d"];
const PAUSE_MS = 2000; // between two looks, however much moves
const NAMED_MAX = 40; // executions that a link names one by one

export default function Failures() {
  const [params, change] = useParams();
  const span = SPANS.includes(params.get("within") ?? "") ? params.get("within")! : "24h";
  const [at, setAt] = useState(() => Date.now());
  const found = useQuery({ ...failures(at - WITHIN[span]!), placeholderData: before => before });
  const refresh = useRefresh(async () => setAt(Date.now()), PAUSE_MS);
  useLive(null, changes => changes.some(one => isEnd(one.status)) && refresh(), refresh);
  const [outcome, setOutcome] = useState<Told | null>(null); // of a group that is gone when all of it is done
  const workflow = params.get("workflow") ?? "";
  const words = params.get("q") ?? "";
  const groups = (found.data?.groups ?? []).filter(
    group =>
      (!workflow || group.workflow === workflow) &&
      `${group.reason} ${group.ref} ${group.workflow}`.toLowerCase().includes(words.toLowerCase()),
  );
  const names = [...new Set([...(found.data?.groups ?? []).map(group => group.workflow), workflow])]
    .filter(Boolean)
    .sort();
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  return (
    <div className="page">
      <div className={css.line}>
        <h1>Failures</h1>
        <div className={css.spans} role="group" aria-label="Created within">
          {SPANS.map(one => (
            <button key={one} type="button" aria-pressed={one === span} onClick={() => change({ within: one })}>
              {one}
            </button>
          ))}
        </div>
        <select
          className="control"
          aria-label="Workflow"
          value={workflow}
          onChange={event => change({ workflow: event.target.value })}
        >
          <option value="">all workflows</option>
          {names.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <SearchField
          label="Search failures"
          placeholder="Reason, task"
          value={words}
          onChange={q => change({ q })}
          isSearch
        />
      </div>
      {groups.length > 0 && found.data && (
        <p className="soft">
          {count(total, "execution")} failed or timed out, for {count(groups.length, "reason")}.
          {found.data.capped && ` Only the newest ${count(found.data.lookedAt)} were looked at.`}
        </p>
      )}
      {found.data && groups.length === 0 && (
        <EmptyState icon="check" title={workflow || words ? "Nothing that failed is like that" : "Nothing failed"}>
          {workflow || words ? (
            <Link href={to.failures()}>Show all failures</Link>
          ) : (
            `Of all that was started in the last ${span}.`
          )}
        </EmptyState>
      )}
      <ul className={css.groups}>
        {groups.map(group => (
          <One
            key={`${group.workflow} ${group.ref} ${group.reason}`}
            group={group}
            stepMs={found.data!.stepMs}
            onOutcome={setOutcome}
          />
        ))}
      </ul>
      <Outcomes outcome={outcome} onClose={() => setOutcome(null)} />
    </div>
  );
}

type Told = { label: string; rows: Outcome[] };
const isEnd = (status: string) => status === "FAILED" || status === "TIMED_OUT" || status === "RUNNING";

function One({ group, stepMs, onOutcome }: { group: Group; stepMs: number; onOutcome: (outcome: Told) => void }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const ids = group.workflowIds;
  const retry = async () => {
    const answer = await confirm({
      title: `Retry ${count(ids.length, "execution")}?`,
      body: (
        <>
          <p>
            What failed in {count(ids.length, "execution")} of {group.workflow} gets a new attempt; what was done stays
            done.
          </p>
          <p>If the cause is still there, they fail again.</p>
        </>
      ),
      act: "Retry",
    });
    if (!answer) return;
    setBusy(true);
    try {
      const rows = await outcomesOf("retry", ids);
      if (rows.some(row => row.failed)) onOutcome({ label: "Retry", rows });
      else toast("good", `Retried ${count(rows.length, "execution")}`, listOf(group));
    } catch (error) {
      toast("bad", wordsOf(error));
    } finally {
      setBusy(false);
      await Promise.all(
        ["failures", "executions", "overview"].map(key => client.invalidateQueries({ queryKey: [key] })),
      );
    }
  };
  return (
    <li className={css.group}>
      <div className={css.head}>
        <strong className={css.count}>{count(group.count)}</strong>
        <Status status={group.status} />
        <Link href={to.definition(group.workflow)}>{group.workflow}</Link>
        {group.ref && <span className="mono soft">{group.ref}</span>}
        <span className="grow" />
        <Over steps={group.steps} stepMs={stepMs} />
        <span className="soft">
          last <When at={group.lastAt} relative />
        </span>
      </div>
      <p className={css.reason}>{cause(group.reason) || "No reason was given."}</p>
      <div className={css.line}>
        <Button small icon="retry" busy={busy} onClick={() => void retry()}>
          Retry {ids.length === 1 ? "it" : `all ${count(ids.length)}`}
        </Button>
        <Link href={listOf(group)}>{count(group.count, "execution")}</Link>
        <button type="button" className={css.more} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide them" : "Show them here"}
        </button>
        {group.count > 1 && (
          <span className="faint">
            first <When at={group.firstAt} relative />
          </span>
        )}
      </div>
      {open && (
        <ul className={css.ids}>
          {ids.slice(0, 50).map(id => (
            <li key={id}>
              <Link href={to.execution(id)} className="mono">
                {id}
              </Link>{" "}
              <Link href={to.start(group.workflow, { like: id })}>run again with edited input</Link>
            </li>
          ))}
          {ids.length > 50 && <li className="faint">and {count(ids.length - 50)} more</li>}
        </ul>
      )}
    </li>
  );
}

/** Where the executions of a group are listed: each by its id while a link may be so long. */
function listOf(group: Group): string {
  if (group.workflowIds.length <= NAMED_MAX)
    return to.executions({ q: `workflowId IN (${group.workflowIds.join(",")})` });
  const q = group.ref && !group.ref.includes(",") ? `failedReferenceTaskNames = ${quoted(group.ref)}` : "";
  return to.executions({ name: group.workflow, status: group.status, q });
}

const WIDE = 5;
const HIGH = 24;
/** How many in each step of time. */
function Over({ steps, stepMs }: { steps: number[]; stepMs: number }) {
  const most = Math.max(...steps, 1);
  const said = `At most ${count(most)} within ${duration(stepMs)}`;
  return (
    <svg className={css.over} width={steps.length * WIDE} height={HIGH} role="img" aria-label={said}>
      <title>{said}</title>
      <line x1="0" x2={steps.length * WIDE} y1={HIGH - 0.5} y2={HIGH - 0.5} />
      {steps.map((n, at) => {
        const high = n ? Math.max((n / most) * (HIGH - 2), 3) : 0;
        return <rect key={at} x={at * WIDE} y={HIGH - high} width={WIDE - 1} height={high} />;
      })}
    </svg>
  );
}
