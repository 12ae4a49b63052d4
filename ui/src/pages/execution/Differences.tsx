// What is different between two attempts at a task: their inputs and outputs, place by place.
import { useQuery } from "@tanstack/react-query";
import { task as taskQuery } from "../../api/queries";
import type { TaskRow } from "../../api/timeline";
import { JsonDiff } from "../../design/JsonDiff";
import css from "./Execution.module.css";

export function Differences({ before, after, name }: { before: TaskRow; after: TaskRow; name: string }) {
  const a = useQuery(taskQuery(before.id));
  const b = useQuery(taskQuery(after.id));
  if (!a.data || !b.data) return null;
  if (a.data.withheld.length || b.data.withheld.length)
    return <p className="faint">Payloads above 1 MiB are not compared.</p>;
  const same = `the same as of ${name}`;
  return (
    <section className={css.part} aria-label={`Differences to ${name}`}>
      <JsonDiff title="Input" before={a.data.task.inputData} after={b.data.task.inputData} same={same} />
      <JsonDiff title="Output" before={a.data.task.outputData} after={b.data.task.outputData} same={same} />
    </section>
  );
}
