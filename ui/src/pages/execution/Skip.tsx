// A task that is not reached yet is stepped over: chosen, given what those who read its output shall find, and confirmed.
import { useState } from "react";
import * as actions from "../../api/actions";
import { Field } from "../../design/Field";
import { FormDialog } from "../../design/FormDialog";
import { JsonField } from "../../design/JsonField";
import { toast } from "../../design/Toast";

export function Skip({
  workflowId,
  refs,
  chosen = refs[0] ?? "",
  onClose,
}: {
  workflowId: string;
  /** Tasks that may be skipped. */
  refs: readonly string[];
  chosen?: string;
  onClose: (skipped?: string) => void;
}) {
  const [ref, setRef] = useState(chosen);
  const [output, setOutput] = useState<Record<string, unknown> | null>({});
  const skip = async () => {
    await actions.skip(workflowId, ref, output ?? {});
    toast("good", `${ref} will be skipped`);
    await actions.refreshExecution(workflowId);
    onClose(ref);
  };
  return (
    <FormDialog
      title="Skip a task"
      acts={[{ label: "Skip it", icon: "skip", kind: "danger", work: skip }]}
      isReady={ref !== "" && output !== null}
      isDirty={output === null || Object.keys(output).length > 0}
      onClose={() => onClose()}
    >
      <Field label="Task" hint="Tasks of this execution that it has not reached.">
        {control => (
          <select {...control} value={ref} onChange={event => setRef(event.target.value)}>
            {refs.map(one => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      <p className="soft">
        Nobody will do it: when the execution comes to <span className="mono">{ref}</span>, it goes on at once. This
        cannot be taken back while it runs.
      </p>
      <JsonField
        label="Output, for what reads it"
        value={{}}
        onChange={said => setOutput(said && isObject(said.read ?? {}) ? ((said.read ?? {}) as never) : null)}
      />
    </FormDialog>
  );
}

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
