// Where an execution comes from, and what came of it: who started it, what it was run again from, who handles its failure.
import { Link } from "wouter";
import type { ConsoleExecution } from "../../api/types";
import { When } from "../../design/Time";
import { short } from "../../lib/format";
import { to } from "../../lib/url";

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

export function Origins({ execution }: { execution: ConsoleExecution }) {
  const { workflow, origin, failureWorkflow } = execution;
  const masked = workflow.workflowDefinition.maskedFields ?? [];
  const domains = Object.entries(workflow.taskToDomain ?? {});
  return (
    <>
      {workflow.parentWorkflowId && (
        <span>
          parent <Other id={workflow.parentWorkflowId} taskId={workflow.parentWorkflowTaskId} />
        </span>
      )}
      {origin.failureOf && (
        <span>
          handles the failure of <Other id={origin.failureOf} />
        </span>
      )}
      {ID.test(failureWorkflow) && (
        <span>
          failure handled by <Other id={failureWorkflow} />
        </span>
      )}
      {workflow.reRunFromWorkflowId && (
        <span>
          run again from <Other id={workflow.reRunFromWorkflowId} />
        </span>
      )}
      {origin.schedule && (
        <span>
          by schedule <Link href={to.schedules(origin.schedule)}>{origin.schedule}</Link>, due{" "}
          <When at={origin.scheduledAt ?? 0} />
        </span>
      )}
      {workflow.event && (
        <span>
          by event <Link href={to.events({ view: "messages", event: workflow.event })}>{workflow.event}</Link>
        </span>
      )}
      {workflow.createdBy && <span>by {workflow.createdBy}</span>}
      {workflow.lastRetriedTime > 0 && (
        <span>
          <span>
            tried again <When at={workflow.lastRetriedTime} relative />
          </span>
        </span>
      )}
      {workflow.priority > 0 && <span>priority {workflow.priority}</span>}
      {workflow.idempotencyKey && <span>idempotency key {workflow.idempotencyKey}</span>}
      {domains.length > 0 && <span>domains {domains.map(([task, domain]) => `${task}: ${domain}`).join(", ")}</span>}
      {masked.length > 0 && (
        <span title="The definition hides the values of these fields: they are shown as ***">
          masked {masked.join(", ")}
        </span>
      )}
    </>
  );
}

function Other({ id, taskId }: { id: string; taskId?: string }) {
  return (
    <Link href={to.execution(id, taskId)} className="mono" title={id}>
      {short(id)}
    </Link>
  );
}
