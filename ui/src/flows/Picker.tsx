// Which output goes into an input: those that fit, the nearest first, with what each was in the last run. Type to find, Enter takes.
import { Popover } from "radix-ui";
import { useState } from "react";
import { Button } from "../design/Button";
import { Choice, Choices } from "../design/Choices";
import { connected, offers, withSetting } from "./document";
import { NodeIcon } from "./NodeIcon";
import { addressOf, sampleOf } from "./results";
import { studio, useStudio } from "./studio";
import type { FlowNode } from "./types";
import { reference } from "./values";
import css from "./Picker.module.css";

export function LinkPicker({ node, name, title }: { node: FlowNode; name: string; title: string }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button kind="quiet" small icon="flow" aria-label={`Link ${title}`} />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className={css.picker}
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={`Outputs for ${title}`}
        >
          {open && <Offers node={node} name={name} title={title} onDone={() => setOpen(false)} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Offers({ node, name, title, onDone }: { node: FlowNode; name: string; title: string; onDone: () => void }) {
  const types = useStudio(state => state.types);
  const outputs = useStudio(state => state.outputs);
  const [found] = useState(() => offers(studio().state.document, types, node, name)); // as it was when it was opened
  return (
    <Choices
      label={`Outputs for ${title}`}
      placeholder="An output of another node…"
      empty={found.length ? "No output is called so." : "No other node gives what fits here."}
    >
      {found.map(({ node: other, port }) => {
        const value = outputs.get(other.id)?.[port.name];
        return (
          <Choice
            key={`${other.id} ${port.name}`}
            value={`${other.title || other.id} · ${port.name} ${other.id}`}
            onTake={() => {
              link(node, name, other.id, port.name);
              onDone();
            }}
          >
            <i
              className={css.port}
              data-many={port.many || undefined}
              style={{ "--port": `var(--medium-${port.medium})` } as React.CSSProperties}
            />
            <NodeIcon name={types.get(other.type)?.icon ?? ""} />
            <span className={css.words}>
              <span className="cut">
                {other.title || other.id} · {port.name}
              </span>
              <small className="cut">{value === undefined ? port.medium : sampleOf(value)}</small>
            </span>
            <Sample value={value} medium={port.medium} />
          </Choice>
        );
      })}
    </Choices>
  );
}

/** The picture of a sample, when it is one. */
export function Sample({ value, medium }: { value: unknown; medium: string }) {
  const address = addressOf(Array.isArray(value) ? value[0] : value);
  if (!address || (medium !== "image" && medium !== "video")) return null;
  return <img className={css.sample} src={`${address}/thumbnail`} alt="" />;
}

/** Behind words that were typed the output is put, not in their place. */
function link(node: FlowNode, name: string, source: string, output: string): void {
  const typed = studio().state.nodes.get(node.id)?.config[name];
  const isText = studio().state.types.get(node.type)?.settings.properties[name]?.["x-ui"].kind === "longtext";
  studio().change(document =>
    typeof typed === "string" && typed.trim() && isText
      ? withSetting(document, node.id, name, {
          _type: "text",
          parts: [`${typed.trimEnd()} `, reference(source, output)],
        })
      : connected(document, studio().state.types, { source, output, target: node.id, field: name }),
  );
}
