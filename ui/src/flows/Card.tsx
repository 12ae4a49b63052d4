// One node: what it is, who does it, how it stands, what it made, and its ports.
import { Handle, Position, type NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import { Dialog } from "../design/Dialog";
import { Icon } from "../design/Icon";
import { Status } from "../design/Status";
import { NodeIcon } from "./NodeIcon";
import { CardPreview, labelOf, Medium } from "./Preview";
import { portsOf, shownInputs, takenBy } from "./ports";
import { lookOfStatus, progressOf, shownOf, type Shown } from "./results";
import { useStudio } from "./studio";
import type { FlowNode, InputPort, NodeStatus, NodeType, OutputPort, Problem } from "./types";
import css from "./Card.module.css";

export const Card = memo(function Card({ id, selected }: Pick<NodeProps, "id" | "selected">) {
  const node = useStudio(state => state.nodes.get(id));
  const types = useStudio(state => state.types);
  const status = useStudio(state => state.statuses.get(id));
  const problems = useStudio(state => state.problems.get(id));
  const output = useStudio(state => state.outputs.get(id));
  const isMapped = useStudio(state => (state.shapes.get(id)?.mapped.length ?? 0) > 0);
  const [open, setOpen] = useState(false);
  if (!node) return null;
  const type = types.get(node.type);
  const bad = problems?.find(problem => problem.severity === "error");
  const shown = shownOf(node, types, output);
  const title = node.title || type?.title || node.type;
  return (
    <article
      className={css.card}
      data-node={id}
      data-status={status?.status}
      data-bad={bad ? "" : undefined}
      data-selected={selected || undefined}
      data-off={node.enabled === false || undefined}
      aria-label={title}
    >
      <header className={css.head}>
        <span className={css.icon} data-category={type?.category}>
          <NodeIcon name={type?.icon ?? ""} />
        </span>
        <span className={`${css.title} cut`}>{title}</span>
        {status && <Status status={lookOfStatus(status.status, status.partial)} bare size={16} />}
      </header>
      <Chips node={node} type={type} status={status} isMapped={isMapped} />
      {status?.status === "running" && <Bar value={status.progress} />}
      {shown && <CardPreview shown={shown} title={title} onOpen={() => setOpen(true)} />}
      <Complaint bad={bad} status={status} />
      <Ports inputs={shownInputs(node, types)} outputs={portsOf(node, types)} type={type} />
      {open && shown && <Large title={title} shown={shown} onClose={() => setOpen(false)} />}
    </article>
  );
});

/** Who would do the work now: the chosen provider, or the first that is configured. */
export function providerOf(node: FlowNode, type: NodeType | undefined): string {
  const wanted = node.config.provider;
  const found =
    typeof wanted === "string" && wanted && wanted !== "auto"
      ? type?.providers.find(provider => provider.id === wanted)
      : type?.providers.find(provider => provider.configured);
  return found?.title ?? (type?.providers.length ? `needs ${type.providers[0]!.needs.join(" or ")}` : "");
}

function Chips({
  node,
  type,
  status,
  isMapped,
}: {
  node: FlowNode;
  type?: NodeType;
  status?: NodeStatus;
  isMapped: boolean;
}) {
  const progress = progressOf(status);
  const provider = type?.providers.find(one => one.id === status?.provider)?.title ?? providerOf(node, type);
  return (
    <div className={css.chips}>
      {provider && <span className={css.chip}>{provider}</span>}
      {progress ? (
        <span className={css.chip} data-items="">
          {progress.done} of {progress.all}
          {progress.failed > 0 && `, ${progress.failed} failed`}
        </span>
      ) : (
        isMapped && <span className={css.chip}>each item</span>
      )}
      {status?.cachedFrom && <span className={css.chip}>kept from before</span>}
      {status?.status === "running" && status.note && <span className={`${css.note} cut`}>{status.note}</span>}
    </div>
  );
}

function Bar({ value }: { value?: number }) {
  return (
    <div className={css.bar} data-unknown={value === undefined || undefined}>
      <div style={{ width: `${Math.round((value ?? 0.3) * 100)}%` }} />
    </div>
  );
}

function Complaint({ bad, status }: { bad?: Problem; status?: NodeStatus }) {
  const failed = status?.items?.find(item => item.error);
  const words = status?.error || failed?.error || bad?.message;
  if (!words) return null;
  return (
    <p className={css.complaint} role="alert">
      <Icon name="alert" size={13} />
      <span>{words}</span>
    </p>
  );
}

function Ports({ inputs, outputs, type }: { inputs: InputPort[]; outputs: OutputPort[]; type?: NodeType }) {
  const rows = Math.max(inputs.length, outputs.length);
  return (
    <div className={css.ports}>
      <Handle id="" type="target" position={Position.Left} className={css.order} isConnectable={false} />
      <Handle id="" type="source" position={Position.Right} className={css.order} isConnectable={false} />
      <Handle id="items" type="source" position={Position.Right} className={css.order} isConnectable={false} />
      {Array.from({ length: rows }, (_, row) => {
        const [input, output] = [inputs[row], outputs[row]];
        return (
          <div key={row} className={css.row}>
            {input ? (
              <span className={css.in}>
                <Handle
                  id={input.name}
                  type="target"
                  position={Position.Left}
                  className={css.port}
                  data-many={input.arity !== "one" || undefined}
                  style={{ "--port": `var(--medium-${input.accepts[0] ?? "json"})` } as React.CSSProperties}
                  data-takes={takenBy(input).join(" ")}
                  title={`takes ${input.accepts.join(" or ")}`}
                />
                <span className="cut">{type?.settings.properties[input.name]?.title ?? input.name}</span>
                {input.required && <i aria-label="needed">*</i>}
              </span>
            ) : (
              <span />
            )}
            {output && (
              <span className={css.out}>
                <span className="cut">{output.name}</span>
                <Handle
                  id={output.name}
                  key={output.name}
                  type="source"
                  position={Position.Right}
                  className={css.port}
                  data-many={output.many || undefined}
                  style={{ "--port": `var(--medium-${output.medium})` } as React.CSSProperties}
                  title={`gives ${output.many ? "a list of " : ""}${output.medium}`}
                />
              </span>
            )}
          </div>
        );
      })}
    </div>
  );
}

function Large({ title, shown, onClose }: { title: string; shown: Shown; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={title} wide>
      <div className={css.gallery}>
        {shown.values.map((value, index) => (
          <Medium key={index} medium={shown.medium} value={value} label={labelOf(title, index, shown.values.length)} />
        ))}
      </div>
    </Dialog>
  );
}
