// All that differs at one task, or between the executions themselves.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { task as taskQuery } from "../../api/queries";
import type { TaskRow } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import { Button } from "../../design/Button";
import { JsonDiff } from "../../design/JsonDiff";
import { Status } from "../../design/Status";
import { shownStatus } from "../../design/status";
import { parting, slower, type Pair } from "../../lib/compare";
import { duration } from "../../lib/format";
import { cause } from "../../lib/reason";
import { to } from "../../lib/url";
import css from "./Compare.module.css";

interface Props {
  a: ConsoleExecution;
  b: ConsoleExecution;
  /** None: the executions themselves. */
  pair: Pair | null;
  onClose: () => void;
}

export function Details({ a, b, pair, onClose }: Props) {
  if (!pair) {
    const withheld = new Set([...a.withheld, ...b.withheld]);
    return (
      <div className={css.details}>
        <div className={css.detailsHead}>
          <h2>The executions</h2>
          <Button kind="quiet" small icon="x" aria-label="Close the executions" onClick={onClose} />
        </div>
        {(["input", "output", "variables"] as const).map(part =>
          withheld.has(part) ? (
            <p key={part} className="faint">
              {part}: above 1 MiB, not compared.
            </p>
          ) : (
            <JsonDiff
              key={part}
              title={part[0]!.toUpperCase() + part.slice(1)}
              before={a.workflow[part]}
              after={b.workflow[part]}
            />
          ),
        )}
      </div>
    );
  }
  const by = slower(pair);
  return (
    <div className={css.details}>
      <div className={css.detailsHead}>
        <h2 className="mono">{pair.ref}</h2>
        <Button kind="quiet" small icon="x" aria-label="Close the task" onClick={onClose} />
      </div>
      <Where letter="A" id={a.workflow.workflowId} row={pair.a.at(-1)} />
      <Where letter="B" id={b.workflow.workflowId} row={pair.b.at(-1)} />
      {parting(pair) && <p>{parting(pair)}</p>}
      {by !== null && by !== 0 && (
        <p className="soft">
          B took {duration(Math.abs(by))} {by > 0 ? "longer" : "less"} than A.
        </p>
      )}
      {pair.a.length > 0 && pair.b.length > 0 && <Payloads a={pair.a.at(-1)!} b={pair.b.at(-1)!} />}
    </div>
  );
}

function Where({ letter, id, row }: { letter: string; id: string; row: TaskRow | undefined }) {
  return (
    <div className={css.where}>
      <span className={css.letter}>{letter}</span>
      {row ? (
        <div>
          <Status status={shownStatus(row.type, row.status)} />{" "}
          <Link href={to.execution(id, row.id)}>open the task</Link>
          {row.reason && <p className={css.reason}>{cause(row.reason)}</p>}
        </div>
      ) : (
        <span className="faint">it did not come to this task</span>
      )}
    </div>
  );
}

function Payloads({ a, b }: { a: TaskRow; b: TaskRow }) {
  const left = useQuery(taskQuery(a.id));
  const right = useQuery(taskQuery(b.id));
  const error = left.error ?? right.error;
  if (error) return <p role="alert">{error.message}</p>;
  if (!left.data || !right.data) return null;
  return (
    <>
      {(["input", "output"] as const).map(part =>
        left.data.withheld.includes(part) || right.data.withheld.includes(part) ? (
          <p key={part} className="faint">
            {part}: above 1 MiB, not compared.
          </p>
        ) : (
          <JsonDiff
            key={part}
            title={part === "input" ? "Input" : "Output"}
            before={left.data.task[`${part}Data`]}
            after={right.data.task[`${part}Data`]}
          />
        ),
      )}
    </>
  );
}
