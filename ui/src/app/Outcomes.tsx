// Acting on many executions: what became of each.
import { Link } from "wouter";
import { bulk, type BulkVerb } from "../api/actions";
import { Dialog } from "../design/Dialog";
import { Status } from "../design/Status";
import { Table } from "../design/Table";
import { to } from "../lib/url";
import css from "./Outcomes.module.css";

export interface Outcome {
  id: string;
  /** Why it was not done; "" when it was. */
  failed: string;
}
const AT_ONCE = 1000; // the API takes no more in one request

export async function outcomesOf(verb: BulkVerb, ids: string[]): Promise<Outcome[]> {
  const results: Outcome[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const said = await bulk(verb, ids.slice(at, at + AT_ONCE));
    results.push(...Object.entries(said.bulkErrorResults).map(([id, failed]) => ({ id, failed })));
    results.push(...(said.bulkSuccessfulResults as string[]).map(id => ({ id, failed: "" })));
  }
  return results;
}

/** A row for each, in a dialog; nothing while there is no outcome. */
export function Outcomes({
  outcome,
  onClose,
}: {
  outcome: { label: string; rows: Outcome[] } | null;
  onClose: () => void;
}) {
  const failed = outcome?.rows.filter(row => row.failed).length ?? 0;
  return (
    <Dialog
      open={outcome !== null}
      onClose={onClose}
      wide
      title={`${outcome?.label}: ${failed} of ${outcome?.rows.length} failed`}
    >
      <div className={css.outcome}>
        <Table
          label="What became of each"
          rows={outcome?.rows ?? []}
          keyOf={row => row.id}
          columns={[
            {
              key: "result",
              head: "Result",
              width: "130px",
              cell: row => <Status status={row.failed ? "FAILED" : "COMPLETED"} />,
            },
            {
              key: "id",
              head: "Execution",
              width: "300px",
              cell: row => (
                <Link href={to.execution(row.id)} className="mono">
                  {row.id}
                </Link>
              ),
            },
            {
              key: "why",
              head: "Why",
              width: "minmax(200px, 1fr)",
              cell: row => <span title={row.failed}>{row.failed}</span>,
            },
          ]}
        />
      </div>
    </Dialog>
  );
}
