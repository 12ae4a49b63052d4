// One node: what it is, who does it, how it stands, what it made, and its ports.
import { Handle, Position, type NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import { CopyText } from "../design/CopyText";
import { Dialog } from "../design/Dialog";
import { Icon } from "../design/Icon";
import { Status } from "../design/Status";
import { NodeIcon } from "./NodeIcon";
import { CardPreview, labelOf, Medium } from "./Preview";
import { portsOf, shownInputs, takenBy } from "./ports";
import { addressOf, lookOfStatus, named, progressOf, shownOf, textOf, type Shown } from "./results";
import { useStudio } from "./studio";
import type { FlowNode, InputPort, ItemStatus, NodeStatus, NodeType, OutputPort, Problem, Provider } from "./types";
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
      {status?.items && status.items.length > 1 && <Tiles items={status.items} />}
      {status?.status === "running" && <Bar value={status.progress} />}
      {shown && <CardPreview shown={shown} title={title} onOpen={() => setOpen(true)} />}
      <Complaint bad={bad} status={status} />
      <Ports inputs={shownInputs(node, types)} outputs={portsOf(node, types)} type={type} />
      {open && shown && <Large title={title} shown={shown} onClose={() => setOpen(false)} />}
    </article>
  );
});

/** Who does the work: who did it, else the chosen provider, else the first that is configured. */
function providerOf(node: FlowNode, type: NodeType | undefined, ran: string | undefined): Provider | undefined {
  const wanted = ran || node.config.provider;
  return typeof wanted === "string" && wanted && wanted !== "auto"
    ? type?.providers.find(provider => provider.id === wanted)
    : type?.providers.find(provider => provider.configured);
}

/** This machine's stand-ins for what a provider makes are called what they are; its own tools, such as ffmpeg, are no stand-ins. */
const isSample = (provider: Provider, type: NodeType) =>
  !provider.needs.length && type.providers.some(one => one.needs.length);

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
  const provider = providerOf(node, type, status?.provider);
  const cached = status?.items?.filter(item => item.cachedFrom).length ?? 0;
  return (
    <div className={css.chips}>
      {node.enabled === false && <span className={css.chip}>switched off</span>}
      {provider ? (
        <span className={css.chip} title={provider.note}>
          {provider.title}
          {type && isSample(provider, type) && ", a sample"}
        </span>
      ) : (
        type?.providers[0] && <span className={css.chip}>needs {type.providers[0].needs.join(" or ")}</span>
      )}
      {progress ? (
        <span className={css.chip} data-items="">
          {progress.done} of {progress.all}
          {progress.failed > 0 && `, ${progress.failed} failed`}
        </span>
      ) : (
        isMapped && <span className={css.chip}>each item</span>
      )}
      {status?.cachedFrom ? (
        <span className={css.chip} title={`These inputs gave this in run ${status.cachedFrom}; it was not made again.`}>
          cached from run {named(status.cachedFrom)}
        </span>
      ) : (
        cached > 0 && <span className={css.chip}>{cached} cached</span>
      )}
      {status?.status === "running" && status.note && <span className={`${css.note} cut`}>{status.note}</span>}
    </div>
  );
}

const TILES_MAX = 60;

/** One tile an item: which are waiting, at work, done, failed. */
function Tiles({ items }: { items: readonly ItemStatus[] }) {
  return (
    <div className={css.tiles} aria-hidden="true">
      {items.slice(0, TILES_MAX).map(item => (
        <i
          key={item.index}
          data-status={item.status}
          title={`${item.index + 1}: ${item.error || item.note || item.status}`}
        />
      ))}
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
    <p className={css.complaint}>
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
  const run = useStudio(state => state.run?.workflowId ?? "");
  return (
    <Dialog open onClose={onClose} title={title} wide>
      <div className={css.gallery}>
        {shown.values.map((value, index) => {
          const label = labelOf(title, index, shown.values.length);
          const address = addressOf(value);
          return (
            <figure key={index} className={css.one}>
              <Medium medium={shown.medium} value={value} label={label} />
              <figcaption>
                {shown.values.length > 1 && <span className="faint">{label}</span>}
                {address ? (
                  <a href={`${address}/download?run=${encodeURIComponent(run)}`} download>
                    Download
                  </a>
                ) : (
                  <CopyText text={textOf(value)} label="Copy the text" />
                )}
              </figcaption>
            </figure>
          );
        })}
      </div>
    </Dialog>
  );
}
