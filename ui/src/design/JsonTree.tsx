// JSON as a tree: folded where it is large, searched, its paths and values copied. What it shows is text, whatever the text says.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { isBranch, keyOf, linesOf, search, spelled, unfolded, type JsonLine } from "../lib/json";
import { Button } from "./Button";
import { copy, CopyText } from "./CopyText";
import { Icon } from "./Icon";
import { toast } from "./Toast";
import css from "./JsonTree.module.css";

const LINE = 24; // what a finger can hit, by WCAG 2.2
const TEXT_MAX = 2000; // characters of one text in the tree; all of it is copied

/** `root`: what paths begin with when they are copied, such as `build.output`; they are then written as `${…}`. */
export function JsonTree({
  value,
  root = "",
  label,
  height = 320,
}: {
  value: unknown;
  root?: string;
  label: string;
  height?: number | "fill";
}) {
  const [open, setOpen] = useState(() => unfolded(value));
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const hits = useMemo(() => search(value, words.trim()), [value, words]);
  const shown = useMemo(() => (hits.found.length ? new Set([...open, ...hits.open]) : open), [open, hits]);
  const lines = useMemo(() => linesOf(value, shown), [value, shown]);
  const found = useMemo(() => new Set(hits.found), [hits]);
  const scroller = useRef<HTMLDivElement>(null);
  const isShort = lines.length <= 40;
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE,
    overscan: 20,
    enabled: !isShort,
  });
  const toggle = (line: JsonLine) => {
    const next = new Set(shown);
    if (!next.delete(keyOf(line.path))) next.add(keyOf(line.path));
    setOpen(next);
  };
  const step = (by: number) => {
    if (!hits.found.length) return;
    const next = (at + by + hits.found.length) % hits.found.length;
    setAt(next);
    const index = lines.findIndex(line => keyOf(line.path) === hits.found[next]);
    if (index < 0) return;
    if (isShort) scroller.current?.querySelector(`[data-line="${index}"]`)?.scrollIntoView({ block: "nearest" });
    else virtual.scrollToIndex(index, { align: "center" });
  };
  const isSearchable = lines.length > 12 || words !== "";
  const one = (line: JsonLine, index: number) => (
    <Line
      key={keyOf(line.path)}
      line={line}
      index={index}
      root={root}
      hit={found.has(keyOf(line.path))}
      current={hits.found[at] === keyOf(line.path)}
      onToggle={() => toggle(line)}
    />
  );
  return (
    <div className={css.tree} data-fill={height === "fill" || undefined}>
      <div className={css.bar}>
        {isSearchable && (
          <>
            <input
              className={css.search}
              type="search"
              placeholder="Search"
              aria-label={`Search in ${label}`}
              value={words}
              onChange={event => {
                setWords(event.target.value);
                setAt(0);
              }}
              onKeyDown={event => event.key === "Enter" && step(event.shiftKey ? -1 : 1)}
            />
            {words && (
              <span className="faint" aria-live="polite">
                {hits.found.length ? `${at + 1} of ${hits.found.length}` : "none"}
              </span>
            )}
          </>
        )}
        <span className="grow" />
        <CopyText text={JSON.stringify(value, null, 2) ?? ""} label={`Copy ${label} as JSON`} />
      </div>
      <div
        className={css.lines}
        ref={scroller}
        role="group"
        aria-label={label}
        tabIndex={0}
        style={height === "fill" ? undefined : { maxHeight: height }}
      >
        {isShort ? (
          lines.map(one)
        ) : (
          <div className={css.all} style={{ height: virtual.getTotalSize() }}>
            <div style={{ transform: `translateY(${virtual.getVirtualItems()[0]?.start ?? 0}px)` }}>
              {virtual.getVirtualItems().map(item => one(lines[item.index]!, item.index))}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}

function Line({
  line,
  index,
  root,
  hit,
  current,
  onToggle,
}: {
  line: JsonLine;
  index: number;
  root: string;
  hit: boolean;
  current: boolean;
  onToggle: () => void;
}) {
  const path = spelled(line.path, root);
  const name =
    line.key === null ? null : typeof line.key === "number" ? (
      <span className={css.index}>{line.key}</span>
    ) : (
      <span className={css.key}>{line.key}</span>
    );
  return (
    <div
      className={css.line}
      data-line={index}
      data-hit={hit || undefined}
      data-current={current || undefined}
      style={{ paddingLeft: 4 + line.depth * 14 }}
    >
      {isBranch(line.value) && line.size > 0 ? (
        <button type="button" className={css.fold} aria-expanded={line.open} onClick={onToggle}>
          <Icon name={line.open ? "down" : "right"} size={12} />
          {name}
          <span className={css.punctuation}>{name && ": "}</span>
          <span className="faint">{Array.isArray(line.value) ? `[${line.size}]` : `{${line.size}}`}</span>
        </button>
      ) : (
        <span className={css.leaf}>
          {name}
          <span className={css.punctuation}>{name && ": "}</span>
          <Value value={line.value} />
        </span>
      )}
      <span className={css.tools}>
        {path && (
          <Button
            kind="quiet"
            small
            icon="copy"
            className={css.path}
            aria-label={`Copy the path ${path}`}
            tabIndex={-1}
            onClick={async () => {
              const text = root ? `\${${path}}` : path;
              toast((await copy(text)) ? "good" : "bad", text);
            }}
          />
        )}
      </span>
    </div>
  );
}

function Value({ value }: { value: unknown }) {
  if (isBranch(value)) return <span className="faint">{Array.isArray(value) ? "[]" : "{}"}</span>;
  if (typeof value === "string") {
    const shown = value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value;
    return (
      <span className={css.string}>
        "{shown}"
        {value.length > TEXT_MAX && <span className="faint"> ({value.length.toLocaleString("en")} characters)</span>}
      </span>
    );
  }
  return <span className={css[value === null ? "null" : typeof value] ?? ""}>{String(value)}</span>;
}
