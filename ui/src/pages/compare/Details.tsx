// All that differs at one task, or between the executions themselves.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { task as taskQuery } from "../../api/queries";
import type { TaskRow } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import { JsonDiff } from "../../design/JsonDiff";
import { Side } from "../../design/Side";
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
  if (!pair)
    return (
      <Side title="The executions" onClose={onClose}>
        {(["input", "output", "variables"] as const).map(part => (
          <PartDiff
            key={part}
            part={part}
            before={a.workflow[part]}
            after={b.workflow[part]}
            isLarge={a.withheld.includes(part) || b.withheld.includes(part)}
          />
        ))}
      </Side>
    );
  const by = slower(pair);
  return (
    <Side title={<span className="mono">{pair.ref}</span>} onClose={onClose}>
      <Where letter="A" id={a.workflow.workflowId} row={pair.a.at(-1)} />
      <Where letter="B" id={b.workflow.workflowId} row={pair.b.at(-1)} />
      {parting(pair) && <p>{parting(pair)}</p>}
      {by !== null && by !== 0 && (
        <p className="soft">
          B took {duration(Math.abs(by))} {by > 0 ? "longer" : "less"} than A.
        </p>
      )}
      {pair.a.length > 0 && pair.b.length > 0 && <Payloads a={pair.a.at(-1)!} b={pair.b.at(-1)!} />}
    </Side>
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
  return (["input", "output"] as const).map(part => (
    <PartDiff
      key={part}
      part={part}
      before={left.data.task[`${part}Data`]}
      after={right.data.task[`${part}Data`]}
      isLarge={left.data.withheld.includes(part) || right.data.withheld.includes(part)}
    />
  ));
}

const TITLES = { input: "Input", output: "Output", variables: "Variables" };

function PartDiff({
  part,
  before,
  after,
  isLarge,
}: {
  part: keyof typeof TITLES;
  before: unknown;
  after: unknown;
  isLarge: boolean;
}) {
  if (isLarge) return <p className="faint">{TITLES[part]}: above 1 MiB, not compared.</p>;
  return <JsonDiff title={TITLES[part]} before={before} after={after} />;
}
