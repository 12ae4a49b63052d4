import { JsonTree } from "../../design/JsonTree";
import css from "./Execution.module.css";
import type { ViewProps } from "./views";

/** The definition as it was when the execution began; it keeps it whatever is registered since. */
export default function DefinitionView({ execution }: ViewProps) {
  return (
    <div className={css.fill}>
      <JsonTree value={execution.workflow.workflowDefinition} label="Definition" height="fill" />
    </div>
  );
}
