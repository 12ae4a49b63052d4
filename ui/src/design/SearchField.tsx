// What a list is filtered by: fields that wait for the end of typing, and chips that are on or off.
import { useEffect, useId, useState, type ReactNode } from "react";
import { useParams } from "../lib/url";
import { Status } from "./Status";
import css from "./SearchField.module.css";

export function SearchField({
  label,
  placeholder = label,
  value,
  onChange,
  options,
  wide,
  mono,
  isSearch,
}: {
  label: string;
  placeholder?: string;
  value: string;
  onChange: (value: string) => void;
  options?: string[];
  wide?: boolean;
  mono?: boolean;
  /** The one that `/` leads to. */
  isSearch?: boolean;
}) {
  const list = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), 350);
    return () => clearTimeout(timer);
  }, [text]); // eslint-disable-line
  return (
    <>
      <input
        className={`${css.field} ${mono ? "mono" : ""}`}
        data-wide={wide || undefined}
        data-search={isSearch || undefined}
        type="search"
        placeholder={placeholder}
        aria-label={label}
        list={options && list}
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

export function Chip({ on, onClick, children }: { on: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={css.chip} aria-pressed={on} onClick={onClick}>
      {children}
    </button>
  );
}

/** Fields and chips of a search, in a line that breaks where it must. */
export function Filter({ label, group, children }: { label: string; group?: boolean; children: ReactNode }) {
  return (
    <div className={css.line} role={group ? "group" : "search"} aria-label={label}>
      {children}
    </div>
  );
}

/** Above a list that is here as a whole: words (`word` in the URL), and one kind of rows alone (`only.name` in the URL). */
export function ListFilter({
  label,
  search,
  only,
  children,
}: {
  label: string;
  search: string;
  only: { name: string; label: ReactNode };
  children: ReactNode;
}) {
  const [params, change] = useParams();
  const isOn = params.get(only.name) === "1";
  return (
    <Filter label={label}>
      <SearchField label={search} value={params.get("word") ?? ""} onChange={word => change({ word })} wide isSearch />
      <Chip on={isOn} onClick={() => change({ [only.name]: isOn ? "" : "1" })}>
        {only.label}
      </Chip>
      {children}
    </Filter>
  );
}

/** Statuses that are wanted, each on or off; none: all. */
export function StatusChips({
  statuses,
  chosen,
  onChange,
  children,
}: {
  statuses: readonly string[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
  children?: ReactNode;
}) {
  return (
    <Filter label="Status" group>
      {statuses.map(status => {
        const isOn = chosen.includes(status);
        return (
          <Chip
            key={status}
            on={isOn}
            onClick={() => onChange(isOn ? chosen.filter(one => one !== status) : [...chosen, status])}
          >
            <Status status={status} />
          </Chip>
        );
      })}
      {children}
    </Filter>
  );
}
