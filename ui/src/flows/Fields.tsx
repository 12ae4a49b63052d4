// One setting of a node as a form shows it, by its JSON Schema: typed, or taken from another node.
import { useRef, useState, type ReactNode } from "react";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { toast, told } from "../design/Toast";
import * as api from "./api";
import { withSetting } from "./document";
import { DropField } from "./Dropping";
import { LinkPicker, Sample } from "./Picker";
import { outputsOf } from "./ports";
import { sampleOf, textOf } from "./results";
import { studio, useStudio } from "./studio";
import type { FieldSchema, FlowNode, NodeType, Problem, Reference } from "./types";
import { isReference, isUnset, kindOf, partsOf } from "./values";
import css from "./Inspector.module.css";

export function Field({
  node,
  name,
  schema,
  type,
}: {
  node: FlowNode;
  name: string;
  schema: FieldSchema;
  type: NodeType;
}) {
  const problems = useStudio(state => state.problems.get(node.id))?.filter(problem => problem.field === name) ?? [];
  const value = node.config[name];
  const set = (next: unknown) =>
    studio().change(
      document => withSetting(document, node.id, name, next === "" ? undefined : next),
      `${node.id}.${name}`,
    );
  const isPort = !!schema["x-ui"].accepts;
  const id = `field-${node.id}-${name}`;
  return (
    <div className={css.field}>
      <div className={css.label}>
        <label htmlFor={id}>
          {schema.title}
          {type.settings.required.includes(name) && <i aria-label="needed"> *</i>}
        </label>
        {isPort && <LinkPicker node={node} name={name} title={schema.title} />}
      </div>
      <Value id={id} node={node} name={name} schema={schema} type={type} value={value} onChange={set} />
      {schema.description && <p className="faint">{schema.description}</p>}
      {problems.map(problem => (
        <Wrong key={problem.code} problem={problem} />
      ))}
    </div>
  );
}

export function Wrong({ problem }: { problem: Problem }) {
  return (
    <p className={css.wrong} data-severity={problem.severity}>
      {problem.message}
    </p>
  );
}

interface ValueProps {
  id: string;
  node: FlowNode;
  name: string;
  schema: FieldSchema;
  type: NodeType;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Value(props: ValueProps) {
  const { value, schema, onChange } = props;
  if (isReference(value)) return <Linked there={value} onCut={() => onChange(undefined)} />;
  if (kindOf(value) === "text") return <Parts value={value as object} onChange={onChange} />;
  if (schema["x-ui"].kind === "list" || Array.isArray(value)) return <List {...props} />;
  return <Literal {...props} />;
}

/** The output a setting is taken from, with what it was in the last run. */
function Linked({ there, onCut }: { there: Reference; onCut: () => void }) {
  const title = useStudio(state => state.nodes.get(there.nodeId)?.title);
  const sample = useStudio(state => state.outputs.get(there.nodeId)?.[there.outputKey]);
  const medium = useStudio(state => {
    const node = state.nodes.get(there.nodeId);
    return (node && outputsOf(node, state.types).find(port => port.name === there.outputKey)?.medium) ?? "json";
  });
  return (
    <div className={css.linked}>
      <Icon name="flow" size={14} />
      <button type="button" className="cut" onClick={() => studio().select([there.nodeId])}>
        {title || there.nodeId} · {there.outputKey}
        {sample !== undefined && <small className="cut">{sampleOf(sample)}</small>}
      </button>
      <Sample value={sample} medium={medium} />
      <Button kind="quiet" small icon="x" aria-label="Cut the link" onClick={onCut} />
    </div>
  );
}

/** A text with outputs of other nodes in it. */
function Parts({ value, onChange }: { value: object; onChange: (value: unknown) => void }) {
  const parts = partsOf(value);
  const put = (next: unknown[]) => {
    const left = next.filter(part => part !== "");
    onChange(left.length ? { ...value, parts: left } : undefined);
  };
  const at = (index: number, part: unknown) => put(parts.map((old, i) => (i === index ? part : old)));
  return (
    <div className={css.parts}>
      {parts.map((part, index) =>
        isReference(part) ? (
          <Linked key={index} there={part} onCut={() => put(parts.filter((_, i) => i !== index))} />
        ) : (
          <textarea
            key={index}
            aria-label={`Text ${index + 1}`}
            rows={2}
            value={textOf(part)}
            onChange={event => at(index, event.target.value)}
          />
        ),
      )}
      {typeof parts.at(-1) !== "string" && (
        <Button small kind="quiet" icon="plus" onClick={() => onChange({ ...value, parts: [...parts, " "] })}>
          Text behind it
        </Button>
      )}
    </div>
  );
}

/** Several values: links and addresses, and files of this machine. */
function List({ node, schema, value, onChange, id }: ValueProps) {
  const items: unknown[] = Array.isArray(value) ? value : isUnset(value) ? [] : [value];
  const put = (next: unknown[]) => onChange(next.length ? next : undefined);
  const [typed, setTyped] = useState("");
  const add = () => {
    if (typed.trim()) put([...items, typed.trim()]);
    setTyped("");
  };
  return (
    <div className={css.parts}>
      {items.map((item, index) => {
        const cut = () => put(items.filter((_, i) => i !== index));
        if (isReference(item)) return <Linked key={index} there={item} onCut={cut} />;
        const named =
          typeof item === "object" && item !== null
            ? String((item as { name?: unknown }).name || textOf(item))
            : textOf(item);
        return (
          <div key={index} className={css.linked}>
            <span className="cut">{named}</span>
            <Button kind="quiet" small icon="x" aria-label={`Remove ${named}`} onClick={cut} />
          </div>
        );
      })}
      <Upload
        accept={acceptOf(schema, node)}
        many
        onFiles={files => put([...items, ...files.map(file => ({ name: file.name, url: file.asset }))])}
      >
        <input
          id={id}
          value={typed}
          placeholder="Address, then Enter"
          onChange={event => setTyped(event.target.value)}
          onKeyDown={event => event.key === "Enter" && add()}
          onBlur={add}
        />
      </Upload>
    </div>
  );
}

function acceptOf(schema: FieldSchema, node: FlowNode): string {
  const kinds = schema["x-ui"].accepts?.filter(medium => ["image", "video", "audio"].includes(medium)) ?? [];
  if (kinds.length) return kinds.map(kind => `${kind}/*`).join(",");
  const asset = typeof node.config.assetType === "string" ? node.config.assetType : "Image";
  return `${asset.toLowerCase()}/*`;
}

/** What is typed, and beside it the way to files of this machine; they may be dropped on either. */
function Upload({
  accept,
  many = false,
  onFiles,
  children,
}: {
  accept: string;
  many?: boolean;
  onFiles: (files: api.Uploaded[]) => void;
  children: ReactNode;
}) {
  const field = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const send = async (given: FileList | null) => {
    const files = [...(given ?? [])].slice(0, many ? undefined : 1);
    const kinds = accept.split(",").map(kind => kind.replace("*", ""));
    const other = files.find(file => file.type && !kinds.some(kind => file.type.startsWith(kind)));
    if (other)
      return toast("bad", `${other.name} does not fit here: this takes ${kinds.join(" or ").replaceAll("/", "")}.`);
    if (!files.length) return;
    setBusy(true);
    await told(api.upload(files).then(onFiles), "Uploaded");
    setBusy(false);
  };
  return (
    <DropField className={css.row} onFiles={files => void send(files)}>
      {children}
      <input
        ref={field}
        type="file"
        hidden
        accept={accept}
        multiple={many}
        onChange={event => void send(event.target.files)}
      />
      <Button small busy={busy} onClick={() => field.current?.click()}>
        Upload
      </Button>
    </DropField>
  );
}

function Literal({ id, node, schema, type, name, value, onChange }: ValueProps) {
  const { kind } = schema["x-ui"];
  const hint = isUnset(schema.default) ? undefined : String(schema.default);
  const text = isUnset(value) ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  if (name === "provider") return <ProviderField id={id} type={type} value={text} onChange={onChange} />;
  switch (kind) {
    case "longtext":
      return (
        <textarea id={id} rows={4} value={text} placeholder={hint} onChange={event => onChange(event.target.value)} />
      );
    case "number":
    case "integer":
      return (
        <input
          id={id}
          type="number"
          min={schema.minimum}
          max={schema.maximum}
          step={kind === "integer" ? 1 : "any"}
          value={text}
          placeholder={hint}
          onChange={event => onChange(event.target.value === "" ? undefined : event.target.valueAsNumber)}
        />
      );
    case "boolean":
      return (
        <input
          id={id}
          type="checkbox"
          checked={(value ?? schema.default) === true}
          onChange={event => onChange(event.target.checked)}
        />
      );
    case "choice":
      return (
        <select id={id} value={text || hint} onChange={event => onChange(event.target.value)}>
          {text && !schema.enum?.includes(text) && <option>{text}</option>}
          {schema.enum?.map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      );
    case "color":
      return (
        <input
          id={id}
          type="color"
          value={text || hint || "#ffffff"}
          onChange={event => onChange(event.target.value)}
        />
      );
    case "model":
      return (
        <>
          <input
            id={id}
            list={`${id}-models`}
            value={text}
            placeholder={hint ?? "the provider's default"}
            onChange={event => onChange(event.target.value)}
          />
          <datalist id={`${id}-models`}>
            {type.providers.flatMap(provider => provider.models.map(model => <option key={model} value={model} />))}
          </datalist>
        </>
      );
    case "media":
      return (
        <Upload accept={acceptOf(schema, node)} onFiles={files => onChange(files[0]?.asset)}>
          <input
            id={id}
            value={text}
            placeholder="Address, or link an output"
            onChange={event => onChange(event.target.value)}
          />
        </Upload>
      );
    default:
      return <input id={id} value={text} placeholder={hint} onChange={event => onChange(event.target.value)} />;
  }
}

function ProviderField({
  id,
  type,
  value,
  onChange,
}: {
  id: string;
  type: NodeType;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <select
      id={id}
      value={value || "auto"}
      onChange={event => onChange(event.target.value === "auto" ? "" : event.target.value)}
    >
      <option value="auto">auto</option>
      {type.providers.map(provider => (
        <option key={provider.id} value={provider.id} disabled={!provider.configured}>
          {provider.title}
          {!provider.configured && ` (needs ${provider.needs.join(", ")})`}
        </option>
      ))}
    </select>
  );
}
