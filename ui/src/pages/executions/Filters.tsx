import { useState } from "react";
import { Button } from "../../design/Button";
import { Menu } from "../../design/Menu";
import { Chip, SearchField, StatusChips } from "../../design/SearchField";
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
  const isAny = location.search !== "";
  return (
    <div className={css.filters} role="search" aria-label="Executions">
      <div className={css.line}>
        <SearchField
          label="Words in ids, names, input, output"
          value={words}
          onChange={text => onChange({ text })}
          wide
          isSearch
        />
        <SearchField label="Workflow" value={filter.name} onChange={name => onChange({ name })} options={names} />
        <SearchField
          label="Correlation id"
          value={filter.correlationId}
          onChange={correlation => onChange({ correlation })}
        />
        <select
          className="control"
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
      <StatusChips
        statuses={WORKFLOW_STATUSES}
        chosen={filter.statuses}
        onChange={statuses => onChange({ status: statuses.join(",") })}
      >
        <Chip on={filter.top} onClick={() => onChange({ top: filter.top ? "" : "1" })}>
          No sub-workflows
        </Chip>
      </StatusChips>
      {isOpen && (
        <SearchField
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
