import { useQuery } from "@tanstack/react-query";
import { executionPayloads } from "../../api/queries";
import css from "./Execution.module.css";
import { Payload } from "./Payload";
import type { ViewProps } from "./views";

/** What went in, what came out, and the variables. */
export default function Data({ execution }: ViewProps) {
  const found = useQuery(executionPayloads(execution.workflow.workflowId));
  if (found.error && !found.data) return <p role="alert">{found.error.message}</p>;
  if (!found.data) return <div className={css.data} aria-busy="true" />;
  const { workflow, sizes, withheld } = found.data;
  return (
    <div className={css.data}>
      {(["input", "output", "variables"] as const).map(part => (
        <Payload
          key={part}
          kind="execution"
          id={workflow.workflowId}
          part={part}
          value={workflow[part]}
          size={sizes[part] ?? 0}
          isWithheld={withheld.includes(part)}
          root={`workflow.${part}`}
          height={420}
        />
      ))}
    </div>
  );
}
