import { useEffect, useState } from "react";
import { Button } from "../../design/Button";
import { Menu } from "../../design/Menu";
import { Status } from "../../design/Status";
import { WORKFLOW_STATUSES } from "../../design/status";
import type { Filter } from "../../lib/search";
import type { Patch } from "../../lib/url";
import css from "./Executions.module.css";
import { dropView, keepView, useViews } from "./views";

interface Props {
  filter: Filter;
  typed: string;
  words: string;
  names: string[];
  onChange: (patch: Patch) => void;
  error: Error | null;
}

/** The builder, and the API's language for what the builder cannot say. */
export function Filters({ filter, typed, words, names, onChange, error }: Props) {
  const [isOpen, setOpen] = useState(typed !== "");
  const views = useViews();
  const toggle = (status: string) => {
    const next = filter.statuses.includes(status)
      ? filter.statuses.filter(one => one !== status)
      : [...filter.statuses, status];
    onChange({ status: next.join(",") });
  };
  const isAny = location.search !== "";
  return (
    <div className={css.filters} role="search" aria-label="Executions">
      <div className={css.line}>
        <Field
          label="Words in ids, names, input, output"
          value={words}
          onChange={text => onChange({ text })}
          wide
          isSearch
        />
        <Field label="Workflow" value={filter.name} onChange={name => onChange({ name })} options={names} />
        <Field
          label="Correlation id"
          value={filter.correlationId}
          onChange={correlation => onChange({ correlation })}
        />
        <select
          aria-label="Started within"
          value={filter.within}
          onChange={event => onChange({ within: event.target.value })}
        >
          <option value="">any time</option>
          <option value="15m">last 15 min</option>
          <option value="1h">last hour</option>
          <option value="24h">last 24 h</option>
          <option value="7d">last 7 days</option>
          <option value="30d">last 30 days</option>
        </select>
        <Button kind="quiet" icon="filter" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Query
        </Button>
        <Menu
          trigger={
            <Button kind="quiet" icon="down">
              Views
            </Button>
          }
          items={[
            {
              label: "Failed in the last 24 h",
              onSelect: () => onChange({ ...NONE, status: "FAILED,TIMED_OUT", within: "24h" }),
            },
            {
              label: "Running, the oldest first",
              onSelect: () => onChange({ ...NONE, status: "RUNNING", sort: "startTime:ASC" }),
            },
            { label: "Started by nobody else", onSelect: () => onChange({ ...NONE, top: "1" }) },
            ...(views.length ? [null] : []),
            ...views.map(view => ({
              label: view.name,
              hint: view.search,
              onSelect: () => onChange({ ...NONE, ...Object.fromEntries(new URLSearchParams(view.search)) }),
            })),
            null,
            {
              label: "Keep this view…",
              icon: "plus" as const,
              disabled: !isAny,
              onSelect: () => keepView(location.search),
            },
            ...views.map(view => ({
              label: `Forget ${view.name}`,
              icon: "trash" as const,
              onSelect: () => dropView(view.name),
            })),
          ]}
        />
        {isAny && (
          <Button kind="quiet" icon="x" onClick={() => onChange(NONE)}>
            Clear
          </Button>
        )}
      </div>
      <div className={css.chips} role="group" aria-label="Status">
        {WORKFLOW_STATUSES.map(status => (
          <button
            key={status}
            type="button"
            className={css.chip}
            aria-pressed={filter.statuses.includes(status)}
            onClick={() => toggle(status)}
          >
            <Status status={status} />
          </button>
        ))}
        <button
          type="button"
          className={css.chip}
          aria-pressed={filter.top}
          onClick={() => onChange({ top: filter.top ? "" : "1" })}
        >
          No sub-workflows
        </button>
      </div>
      {isOpen && (
        <Field
          label="Query, such as: version > 2 AND executionTime > 60000"
          value={typed}
          onChange={q => onChange({ q })}
          wide
          mono
        />
      )}
      {error && (
        <p className={css.error} role="alert">
          {error.message}
        </p>
      )}
    </div>
  );
}

const NONE: Patch = { status: "", name: "", correlation: "", top: "", within: "", q: "", text: "", sort: "" };

function Field({
  label,
  value,
  onChange,
  options,
  wide,
  mono,
  isSearch,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options?: string[];
  wide?: boolean;
  mono?: boolean;
  isSearch?: boolean;
}) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), 350);
    return () => clearTimeout(timer);
  }, [text]); // eslint-disable-line
  const list = options ? `options-${label}` : undefined;
  return (
    <>
      <input
        className={`${css.field} ${mono ? "mono" : ""}`}
        data-wide={wide || undefined}
        data-search={isSearch || undefined}
        type="search"
        placeholder={label}
        aria-label={label}
        list={list}
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (event.key === "Enter") onChange(text);
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {options && (
        <datalist id={list}>
          {options.slice(0, 500).map(option => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  );
}
