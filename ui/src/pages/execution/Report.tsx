// A person reports a task: ends a WAIT or HUMAN, or stands in for a worker.
import { useState } from "react";
import * as actions from "../../api/actions";
import type { TaskRow } from "../../api/timeline";
import { Button } from "../../design/Button";
import { Dialog } from "../../design/Dialog";
import { JsonEditor } from "../../design/JsonEditor";
import { told } from "../../design/Toast";

export function Report({ workflowId, row, onClose }: { workflowId: string; row: TaskRow; onClose: () => void }) {
  const [text, setText] = useState("{}");
  const [busy, setBusy] = useState(false);
  const output = objectOf(text);
  const isHeld = row.status === "IN_PROGRESS" && row.queue !== "";
  const act = async (status: "COMPLETED" | "FAILED") => {
    setBusy(true);
    const ok = await told(
      actions.report(workflowId, row.ref, status, output ?? {}),
      `${row.ref} is reported as ${status.toLowerCase()}`,
    );
    setBusy(false);
    await actions.refreshExecution(workflowId);
    if (ok) onClose();
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={`Report ${row.ref}`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" busy={busy} disabled={!output} onClick={() => void act("FAILED")}>
            Fail it
          </Button>
          <Button kind="primary" busy={busy} disabled={!output} onClick={() => void act("COMPLETED")}>
            Complete it
          </Button>
        </>
      }
    >
      <p className="soft">
        {isHeld
          ? `The worker ${row.worker || "that took it"} is still on it: what it reports later changes nothing.`
          : row.queue
            ? "No worker will get it any more: what you report here is its result."
            : "The execution goes on with this output."}
      </p>
      <JsonEditor label="Output" value={text} onChange={setText} />
      {!output && <p role="alert">An output is a JSON object: {"{ … }"}</p>}
    </Dialog>
  );
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
