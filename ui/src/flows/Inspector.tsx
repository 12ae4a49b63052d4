// What is selected, as a form. Made from the JSON Schema of its type; nothing here knows a type by name.
import { Button } from "../design/Button";
import { Menu } from "../design/Menu";
import { changed, withExecution } from "./document";
import { duplicate, remove } from "./actions";
import { Field, Wrong } from "./Fields";
import { NodeIcon } from "./NodeIcon";
import { NodeRun } from "./NodeRun";
import { studio, useStudio } from "./studio";
import type { Execution, FlowNode, NodeType } from "./types";
import css from "./Inspector.module.css";

export function Inspector() {
  const selected = useStudio(state => state.selected);
  const nodes = useStudio(state => state.nodes);
  const types = useStudio(state => state.types);
  const [id] = selected;
  const node = id === undefined ? undefined : nodes.get(id);
  if (!node) return null;
  return (
    <aside className={css.inspector} aria-label="Settings">
      {selected.size > 1 ? <Many ids={selected} /> : <One key={node.id} node={node} type={types.get(node.type)} />}
    </aside>
  );
}

function Many({ ids }: { ids: ReadonlySet<string> }) {
  return (
    <div className={css.body}>
      <h2>{ids.size} nodes</h2>
      <div className={css.row}>
        <Button icon="copy" onClick={() => duplicate(ids)}>
          Duplicate
        </Button>
        <Button icon="trash" kind="danger" onClick={() => remove(ids)}>
          Delete
        </Button>
      </div>
      <p className="faint">Ctrl C copies them as JSON, Ctrl V pastes them, here or in another flow.</p>
    </div>
  );
}

function One({ node, type }: { node: FlowNode; type?: NodeType }) {
  const problems = useStudio(state => state.problems.get(node.id)) ?? [];
  const ids = new Set([node.id]);
  const known = new Set(Object.keys(type?.settings.properties ?? {}));
  const set = (change: Partial<FlowNode>, kind: string) =>
    studio().change(document => changed(document, node.id, old => ({ ...old, ...change })), `${node.id} ${kind}`);
  return (
    <>
      <header className={css.head}>
        <NodeIcon name={type?.icon ?? ""} />
        <input
          className={css.title}
          aria-label="Title"
          value={node.title ?? ""}
          placeholder={type?.title}
          onChange={event => set({ title: event.target.value }, "title")}
        />
        <Menu
          trigger={<Button kind="quiet" small icon="more" aria-label="More" />}
          items={[
            {
              label: "Run this node",
              icon: "play",
              onSelect: () => void studio().start("node", node.id),
              hint: "with what its inputs were",
            },
            { label: "Run up to here", icon: "play", onSelect: () => void studio().start("upto", node.id) },
            {
              label: "Run from here",
              icon: "play",
              onSelect: () => void studio().start("from", node.id),
              hint: "with what came before",
            },
            null,
            {
              label: node.enabled === false ? "Switch on" : "Switch off",
              icon: "pause",
              onSelect: () => set({ enabled: node.enabled === false }, "enabled"),
            },
            { label: "Duplicate", icon: "copy", onSelect: () => duplicate(ids) },
            { label: "Delete", icon: "trash", danger: true, onSelect: () => remove(ids) },
          ]}
        />
        <Button kind="quiet" small icon="x" aria-label="Close settings" onClick={() => studio().select([])} />
      </header>
      <div className={css.body}>
        {type ? (
          <p className="soft">{type.summary}</p>
        ) : (
          <p className={css.wrong}>Nobody here knows the type {node.type}.</p>
        )}
        {problems
          .filter(problem => !known.has(problem.field))
          .map(problem => (
            <Wrong key={problem.code + problem.field} problem={problem} />
          ))}
        {type && <Form node={node} type={type} />}
        <Items node={node} type={type} />
        <NodeRun node={node} type={type} />
      </div>
    </>
  );
}

function Form({ node, type }: { node: FlowNode; type: NodeType }) {
  const fields = Object.entries(type.settings.properties);
  const main = fields.filter(([, schema]) => !schema["x-ui"].advanced);
  const further = fields.filter(([, schema]) => schema["x-ui"].advanced);
  return (
    <>
      {main.map(([name, schema]) => (
        <Field key={name} node={node} name={name} schema={schema} type={type} />
      ))}
      {further.length > 0 && (
        <details className={css.further} open={further.some(([name]) => node.config[name] !== undefined)}>
          <summary>More settings</summary>
          {further.map(([name, schema]) => (
            <Field key={name} node={node} name={name} schema={schema} type={type} />
          ))}
        </details>
      )}
    </>
  );
}

/** How it runs over a list: shown when it does, or could take one whole. */
function Items({ node, type }: { node: FlowNode; type?: NodeType }) {
  const isMapped = useStudio(state => (state.shapes.get(node.id)?.mapped.length ?? 0) > 0);
  const canGather = type?.inputs.some(port => port.arity === "either") ?? false;
  const run = node.execution ?? {};
  if (!isMapped && !canGather) return null;
  const set = (change: Execution) =>
    studio().change(document => withExecution(document, node.id, change), `${node.id} execution`);
  const id = (name: string) => `run-${node.id}-${name}`;
  return (
    <fieldset className={css.items}>
      <legend>Over a list</legend>
      {canGather && (
        <label className={css.check}>
          <input
            type="checkbox"
            checked={run.aggregateItems === true}
            onChange={event => set({ aggregateItems: event.target.checked, waitForAll: true })}
          />
          Take the whole list at once
        </label>
      )}
      {isMapped && (
        <>
          <div className={css.field}>
            <label htmlFor={id("mode")}>Items run</label>
            <select
              id={id("mode")}
              value={run.mode ?? "parallel"}
              onChange={event => set({ mode: event.target.value as Execution["mode"] })}
            >
              <option value="parallel">side by side</option>
              <option value="sequential">one after the other</option>
            </select>
          </div>
          <div className={css.field}>
            <label htmlFor={id("max")}>At most at once (0: all)</label>
            <input
              id={id("max")}
              type="number"
              min={0}
              value={run.maxParallel ?? 0}
              onChange={event => set({ maxParallel: event.target.valueAsNumber || 0 })}
            />
          </div>
          <div className={css.field}>
            <label htmlFor={id("error")}>When an item fails</label>
            <select
              id={id("error")}
              value={run.onItemError ?? "fail"}
              onChange={event => set({ onItemError: event.target.value as Execution["onItemError"] })}
            >
              <option value="fail">the node fails</option>
              <option value="skip">it is left out</option>
              <option value="placeholder">a placeholder stands for it</option>
            </select>
          </div>
        </>
      )}
    </fieldset>
  );
}
