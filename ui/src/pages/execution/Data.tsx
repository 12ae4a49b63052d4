import css from "./Execution.module.css";
import { Payload } from "./Payload";
import type { ViewProps } from "./views";

/** What went in, what came out, and the variables. */
export default function Data({ execution }: ViewProps) {
  const { workflow, sizes, withheld } = execution;
  return (
    <div className={css.data}>
      {(["input", "output", "variables"] as const).map(part => (
        <Payload
          key={part}
          kind="execution"
          id={workflow.workflowId}
          part={part}
          title={part[0]!.toUpperCase() + part.slice(1)}
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
