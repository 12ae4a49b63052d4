// What is different between two attempts at a task: their inputs and outputs, place by place.
import { useQuery } from "@tanstack/react-query";
import { task as taskQuery } from "../../api/queries";
import type { TaskRow } from "../../api/timeline";
import { count } from "../../lib/format";
import { differences, spelled, type Difference } from "../../lib/json";
import css from "./Execution.module.css";

const TEXT_MAX = 300;

export function Differences({ before, after, name }: { before: TaskRow; after: TaskRow; name: string }) {
  const a = useQuery(taskQuery(before.id));
  const b = useQuery(taskQuery(after.id));
  if (!a.data || !b.data) return null;
  if (a.data.withheld.length || b.data.withheld.length)
    return <p className="faint">Payloads above 1 MiB are not compared.</p>;
  const parts = [
    ["input", differences(a.data.task.inputData, b.data.task.inputData)],
    ["output", differences(a.data.task.outputData, b.data.task.outputData)],
  ] as const;
  return (
    <section className={css.part} aria-label={`Differences to ${name}`}>
      {parts.map(([part, found]) => (
        <div key={part}>
          <h3>
            {part === "input" ? "Input" : "Output"}{" "}
            <span className="faint">{found.length ? count(found.length, "difference") : `the same as of ${name}`}</span>
          </h3>
          {found.slice(0, 200).map(one => (
            <One key={spelled(one.path)} difference={one} />
          ))}
        </div>
      ))}
    </section>
  );
}

function One({ difference }: { difference: Difference }) {
  return (
    <div className={css.difference}>
      <code>{spelled(difference.path) || "all of it"}</code>
      {difference.kind !== "added" && <del>{shown(difference.before)}</del>}
      {difference.kind !== "removed" && <ins>{shown(difference.after)}</ins>}
    </div>
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
