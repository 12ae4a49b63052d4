// A task of the definition that the execution has not reached: what it will be, and the one thing that can be done about it.
import { useState } from "react";
import { Button } from "../../design/Button";
import { JsonTree } from "../../design/JsonTree";
import { Acts, Pair, Pairs, Part, Side } from "../../design/Side";
import { isOpen } from "../../design/status";
import type { Place } from "../../lib/definition";
import { Skip } from "./Skip";
import { skippable } from "./views";
import type { ViewProps } from "./views";

export function PlannedPanel({
  place,
  execution,
  tasks,
  places,
  onClose,
}: Pick<ViewProps, "execution" | "tasks" | "places"> & { place: Place; onClose: () => void }) {
  const [isSkipping, setSkipping] = useState(false);
  const { workflow } = execution;
  const refs = skippable(places, tasks.rows);
  return (
    <Side title={<span className="mono">{place.ref}</span>} onClose={onClose}>
      <Pairs>
        <Pair name="Status">{isOpen(workflow.status) ? "not reached yet" : "never reached"}</Pair>
        <Pair name="Type">
          <span className="mono">
            {place.node.name && place.node.name !== place.type ? `${place.node.name} (${place.type})` : place.type}
          </span>
        </Pair>
        {place.parent && (
          <Pair name="Inside">
            <span className="mono">{place.parent}</span>
          </Pair>
        )}
      </Pairs>
      {workflow.status === "RUNNING" && !workflow.rateLimited && refs.includes(place.ref) && (
        <Acts>
          <Button small icon="skip" onClick={() => setSkipping(true)}>
            Skip…
          </Button>
        </Acts>
      )}
      <Part title="In the definition">
        <JsonTree value={place.node} label="In the definition" />
      </Part>
      {isSkipping && (
        <Skip workflowId={workflow.workflowId} refs={refs} chosen={place.ref} onClose={() => setSkipping(false)} />
      )}
    </Side>
  );
}
