// What can be added, by kind, with a search: type, Enter takes the first.
import { useReactFlow } from "@xyflow/react";
import { useState, type Ref } from "react";
import { Button } from "../design/Button";
import { add } from "./actions";
import { NodeIcon } from "./NodeIcon";
import { fits } from "./ports";
import { studio, useStudio } from "./studio";
import type { NodeType } from "./types";
import { CARD } from "./view";
import css from "./Palette.module.css";

const CATEGORIES: [NodeType["category"], string][] = [
  ["input", "Input"],
  ["generation", "Make"],
  ["processing", "Change"],
  ["output", "Join"],
];

export function found(types: Iterable<NodeType>, words: string): NodeType[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return [...types].filter(type => {
    const text = `${type.title} ${type.type} ${type.summary}`.toLowerCase();
    return wanted.every(word => text.includes(word));
  });
}

export function Palette({
  field,
  onAdded,
  onLeave,
}: {
  field: Ref<HTMLInputElement>;
  onAdded: (id: string) => void;
  onLeave: () => void;
}) {
  const types = useStudio(state => state.types);
  const [words, setWords] = useState("");
  const flow = useReactFlow();
  const wanted = useStudio(state => state.wanted);
  const shown = found(types.values(), words).filter(
    type => !wanted || type.inputs.some(port => fits(wanted.medium, port.accepts)),
  );
  const take = (type: NodeType) => {
    const canvas = document.querySelector("[data-flow-canvas]")?.getBoundingClientRect();
    const at = canvas
      ? flow.screenToFlowPosition({ x: canvas.x + canvas.width / 2 - CARD.width / 2, y: canvas.y + canvas.height / 3 })
      : { x: 0, y: 0 };
    const id = add(type, [at.x, at.y]);
    setWords("");
    onAdded(id);
  };
  return (
    <nav className={css.palette} aria-label="Add a node">
      <input
        ref={field}
        type="search"
        aria-label="Search nodes"
        placeholder="Add a node…"
        value={words}
        onChange={event => setWords(event.target.value)}
        onKeyDown={event => {
          if (event.key === "Enter" && shown[0]) take(shown[0]);
          if (event.key === "Escape") {
            studio().want(null);
            onLeave();
          }
        }}
      />
      {wanted && (
        <p className={css.wanted}>
          What takes {wanted.medium}
          <Button small kind="quiet" icon="x" aria-label="All nodes" onClick={() => studio().want(null)} />
        </p>
      )}
      <div className={css.list}>
        {CATEGORIES.map(([category, title]) => {
          const of = shown.filter(type => type.category === category);
          return (
            of.length > 0 && (
              <section key={category}>
                <h3>{title}</h3>
                {of.map(type => (
                  <button key={type.type} type="button" title={type.summary} onClick={() => take(type)}>
                    <NodeIcon name={type.icon} />
                    <span className="cut">{type.title}</span>
                    {!type.providers.some(provider => provider.configured) && <small>needs a service</small>}
                  </button>
                ))}
              </section>
            )
          );
        })}
        {!shown.length && <p className="faint">No node does “{words}”.</p>}
      </div>
    </nav>
  );
}
