// Play again from a task or from the beginning, with an input that may be changed.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import * as actions from "../../api/actions";
import { executionPayloads, task as taskQuery, wholePayload } from "../../api/queries";
import type { TaskRow } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import { Button } from "../../design/Button";
import { Dialog } from "../../design/Dialog";
import { JsonEditor } from "../../design/JsonEditor";
import { told } from "../../design/Toast";

export function Rerun({
  from,
  execution,
  row,
  onClose,
}: {
  from: "task" | "start";
  execution: ConsoleExecution;
  row: TaskRow | null;
  onClose: () => void;
}) {
  const { workflow } = execution;
  const isTask = from === "task" && row !== null;
  const task = useQuery({ ...taskQuery(row?.id ?? ""), enabled: isTask });
  const payloads = useQuery({ ...executionPayloads(workflow.workflowId), enabled: !isTask });
  const large = (isTask ? task.data : payloads.data)?.withheld.includes("input");
  const whole = useQuery({
    ...wholePayload(isTask ? "task" : "execution", isTask ? row.id : workflow.workflowId, "input"),
    enabled: large === true,
  });
  const given = large ? whole.data : isTask ? task.data?.task.inputData : payloads.data?.workflow.input;
  const before = given === undefined ? "" : JSON.stringify(given, null, 2);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => setText(before), [before]);
  let input: unknown;
  let wrong = "";
  try {
    input = JSON.parse(text || "{}");
    if (typeof input !== "object" || input === null || Array.isArray(input)) wrong = "An input is an object: { … }";
  } catch (error) {
    wrong = error instanceof Error ? error.message : "This is no JSON";
  }
  const act = async () => {
    setBusy(true);
    const changed = text !== before ? input : undefined;
    const request = isTask ? { reRunFromTaskId: row.id, taskInput: changed } : { workflowInput: changed };
    const ok = await told(
      actions.rerun(workflow.workflowId, request),
      isTask ? `Runs again from ${row.ref}` : "Runs again",
    );
    setBusy(false);
    await actions.refreshExecution(workflow.workflowId);
    if (ok) onClose();
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={isTask ? `Rerun from ${row.ref}` : `Rerun ${workflow.workflowName} from the beginning`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            icon="play"
            busy={busy}
            disabled={wrong !== "" || given === undefined}
            onClick={() => void act()}
          >
            Rerun
          </Button>
        </>
      }
    >
      <p className="soft">
        {isTask
          ? "This task and all that came after it are played again; their outputs are lost. What came before stays as it is."
          : "All tasks are played again with this input; their outputs are lost."}
      </p>
      <JsonEditor label={isTask ? "Input of the task" : "Input"} value={text} onChange={setText} />
      {wrong && text !== "" && <p role="alert">{wrong}</p>}
    </Dialog>
  );
}
