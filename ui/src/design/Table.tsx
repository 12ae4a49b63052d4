// A table of any length: only the rows that are seen exist. The keyboard walks it (arrows or j k, Enter opens, x or Space selects), and it says how long it is.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type KeyboardEvent, type ReactNode } from "react";
import { usePreferences } from "../app/preferences";
import { Icon } from "./Icon";
import css from "./Table.module.css";

export interface Column<Row> {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** A track of CSS grid: 120px, minmax(120px, 1fr), … */
  width: string;
  /** Numbers stand at the right. */
  end?: boolean;
  /** Not on narrow screens. */
  wide?: boolean;
  sortable?: boolean;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** A row was clicked, or Enter pressed on it. */
  onOpen?: (row: Row) => void;
  /** Where a row leads, for a middle click. */
  hrefOf?: (row: Row) => string;
  current?: string;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: Set<string>) => void;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  /** Called when the last rows come into view. */
  onEnd?: () => void;
  rowHeight?: number;
  empty?: ReactNode;
  toneOf?: (row: Row) => string | undefined;
}

export function Table<Row>(props: Props<Row>) {
  const { columns, rows, keyOf, selected, onSelect, sorting } = props;
  const { density } = usePreferences();
  const height = props.rowHeight ?? (density === "compact" ? 28 : 36);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    getItemKey: index => keyOf(rows[index]!),
    onChange: instance => {
      const last = instance.getVirtualItems().at(-1);
      if (last && last.index >= rows.length - 20) props.onEnd?.();
    },
  });
  const template = `${onSelect ? "36px " : ""}${columns.map(column => column.width).join(" ")}`;
  const wideFree = `${onSelect ? "36px " : ""}${columns
    .filter(column => !column.wide)
    .map(column => column.width)
    .join(" ")}`;
  const focusRow = (index: number) => {
    const at = Math.min(Math.max(index, 0), rows.length - 1);
    virtual.scrollToIndex(at);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${at}"]`)?.focus());
  };
  const toggle = (row: Row) => {
    if (!onSelect || !selected) return;
    const next = new Set(selected);
    if (!next.delete(keyOf(row))) next.add(keyOf(row));
    onSelect(next);
  };
  const onKey = (event: KeyboardEvent, index: number) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows[index]!;
    if (event.key === "ArrowDown" || event.key === "j") focusRow(index + 1);
    else if (event.key === "ArrowUp" || event.key === "k") focusRow(index - 1);
    else if (event.key === "Home") focusRow(0);
    else if (event.key === "End") focusRow(rows.length - 1);
    else if (event.key === "Enter") props.onOpen?.(row);
    else if ((event.key === "x" || event.key === " ") && onSelect) toggle(row);
    else return;
    event.preventDefault();
  };
  const all = rows.length > 0 && selected !== undefined && rows.every(row => selected.has(keyOf(row)));
  return (
    <div
      className={css.table}
      style={
        { "--columns": template, "--narrow-columns": wideFree, "--row-height": `${height}px` } as React.CSSProperties
      }
    >
      <div
        className={css.grid}
        role="table"
        aria-label={props.label}
        aria-rowcount={rows.length + 1}
        data-empty={rows.length === 0 || undefined}
      >
        <div className={css.scroll} ref={scroller}>
          <div className={css.head} role="row" aria-rowindex={1}>
            {onSelect && (
              <span className={css.cell} role="columnheader">
                <input
                  type="checkbox"
                  aria-label="Select all rows shown"
                  checked={all}
                  onChange={() => onSelect(new Set(all ? [] : rows.map(keyOf)))}
                />
              </span>
            )}
            {columns.map(column => {
              const sorted = sorting?.key === column.key;
              return (
                <span
                  key={column.key}
                  className={css.cell}
                  role="columnheader"
                  data-end={column.end || undefined}
                  data-wide={column.wide || undefined}
                  aria-sort={sorted ? (sorting.descending ? "descending" : "ascending") : undefined}
                >
                  {column.sortable && props.onSort ? (
                    <button
                      type="button"
                      className={css.sort}
                      onClick={() =>
                        props.onSort!({ key: column.key, descending: sorted ? !sorting.descending : true })
                      }
                    >
                      {column.head}
                      {sorted && <Icon name={sorting.descending ? "down" : "up"} size={12} />}
                    </button>
                  ) : (
                    column.head
                  )}
                </span>
              );
            })}
          </div>
          <div
            className={css.rows}
            role={rows.length ? "rowgroup" : undefined}
            style={{ height: virtual.getTotalSize() }}
          >
            {virtual.getVirtualItems().map(item => {
              const row = rows[item.index]!;
              const key = keyOf(row);
              return (
                <div
                  key={item.key}
                  className={css.row}
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-selected={selected?.has(key) || undefined}
                  data-current={props.current === key || undefined}
                  data-tone={props.toneOf?.(row)}
                  data-index={item.index}
                  tabIndex={0}
                  style={{ transform: `translateY(${item.start}px)` }}
                  onKeyDown={event => onKey(event, item.index)}
                  onClick={event => {
                    if ((event.target as HTMLElement).closest("a, button, input, label")) return;
                    if ((event.metaKey || event.ctrlKey) && props.hrefOf) window.open(props.hrefOf(row), "_blank");
                    else if (!String(getSelection())) props.onOpen?.(row);
                  }}
                >
                  {onSelect && (
                    <span className={css.cell} role="cell">
                      <input
                        type="checkbox"
                        aria-label={`Select row ${item.index + 1}`}
                        checked={selected?.has(key) ?? false}
                        onChange={() => toggle(row)}
                      />
                    </span>
                  )}
                  {columns.map(column => (
                    <span
                      key={column.key}
                      className={css.cell}
                      role="cell"
                      data-end={column.end || undefined}
                      data-wide={column.wide || undefined}
                    >
                      {column.cell(row)}
                    </span>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {rows.length === 0 && <div className={css.empty}>{props.empty}</div>}
    </div>
  );
}
