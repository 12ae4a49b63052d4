// The timeline: every attempt, wait and back-off on one axis, children inline, errors readable where they happened. Always on.
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useDeferredValue, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Link } from "wouter";
import { execution as executionQuery, timeline as timelineQuery } from "../../api/queries";
import type { TaskRow, Tasks } from "../../api/timeline";
import { useFollowing } from "../../app/following";
import { Button } from "../../design/Button";
import { EmptyState } from "../../design/EmptyState";
import { Icon } from "../../design/Icon";
import { Status } from "../../design/Status";
import { isBad, isOpen, lookOf, shownStatus } from "../../design/status";
import { useNow } from "../../design/Time";
import { placesOf } from "../../lib/definition";
import { count, duration } from "../../lib/format";
import { ahead, criticalPath, linesOf, spansOf, unfoldedLines, type Line, type Window } from "../../lib/lines";
import { cause } from "../../lib/reason";
import { to } from "../../lib/url";
import { Axis } from "./Axis";
import css from "./Timeline.module.css";
import type { ViewProps } from "./views";

const ROW = 26;

export function Timeline({ execution, tasks, places, selected, select }: ViewProps) {
  const { workflow } = execution;
  const isRunning = isOpen(workflow.status);
  const now = useNow(isRunning) + tasks.skew;
  const [words, setWords] = useState("");
  const [isCritical, setCritical] = useState(false);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [zoom, setZoom] = useState<Window | null>(null);
  const [children, setChildren] = useState<ReadonlyMap<string, Line[]>>(new Map()); // lines of the executions that were opened in place
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());

  const all = useMemo(() => linesOf(tasks.rows, places), [tasks.rows, places]);
  const wanted = useDeferredValue(words.trim().toLowerCase());
  const lines = useMemo(() => {
    const shown = wanted ? all.filter(line => matches(line, wanted)) : unfoldedLines(all, folded);
    return withChildren(shown, opened, children);
  }, [all, folded, wanted, opened, children]);
  const critical = useMemo(() => (isCritical ? criticalPath(tasks.rows) : null), [isCritical, tasks.rows]);
  const end = workflow.endTime || ahead(workflow.createTime, now);
  const whole: Window = useMemo(() => {
    const last = tasks.rows.reduce((latest, row) => Math.max(latest, row.ended), end);
    return { from: workflow.createTime, to: Math.max(last, workflow.createTime + 1) };
  }, [workflow.createTime, end, tasks.rows]);
  const window_ = zoom ?? whole;

  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    getItemKey: index => lines[index]!.key,
  });
  const onFold = useCallback((line: Line) => setFolded(before => toggled(before, line.key)), []);
  const onOpen = useCallback((line: Line) => setOpened(before => toggled(before, line.key)), []);
  const picked = useRef(select);
  picked.current = select;
  const onSelect = useCallback((row: TaskRow) => picked.current(row), []);
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const at = lines.findIndex(line => line.tasks.some(row => row.id === selected?.id));
    const next = lines[Math.min(Math.max(at + step, 0), lines.length - 1)];
    if (!next || next.home) return;
    select(next.tasks.at(-1)!);
    virtual.scrollToIndex(lines.indexOf(next));
  };
  const failed = useMemo(() => tasks.rows.filter(row => isBad(row.status)).length, [tasks.rows]);
  if (!tasks.rows.length)
    return (
      <EmptyState icon="time" title="It has no tasks yet">
        They appear here as they are scheduled.
      </EmptyState>
    );
  return (
    <div className={css.timeline}>
      <div className={css.tools}>
        <input
          className={css.search}
          type="search"
          data-search
          placeholder="Filter tasks"
          aria-label="Filter tasks"
          value={words}
          onChange={event => setWords(event.target.value)}
        />
        <span className="faint" aria-live="polite">
          {count(lines.length, "line")}
          {failed > 0 && ` · ${count(failed, "failed attempt")}`}
        </span>
        <span className="grow" />
        <Button small kind="quiet" aria-pressed={isCritical} onClick={() => setCritical(!isCritical)}>
          Critical path
        </Button>
        {zoom && (
          <Button small kind="quiet" onClick={() => setZoom(null)}>
            Show all
          </Button>
        )}
        <Legend />
      </div>
      <Axis window={window_} zero={workflow.createTime} onZoom={setZoom} />
      <div className={css.scroll} ref={scroller} onKeyDown={onKey} role="list" aria-label="Tasks in time" tabIndex={0}>
        <div className={css.rows} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(item => {
            const line = lines[item.index]!;
            return (
              <Row
                key={item.key}
                line={line}
                place={item.index + 1}
                of={lines.length}
                top={item.start}
                window={window_}
                now={line.tasks.some(row => isOpen(row.status)) ? now : 0}
                isSelected={!line.home && line.tasks.some(row => row.id === selected?.id)}
                critical={critical}
                isFolded={folded.has(line.key)}
                isOpened={opened.has(line.key)}
                onFold={onFold}
                onOpen={onOpen}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      </div>
      {[...opened].map(key => {
        const line = findLine(all, children, key);
        return line?.child ? (
          <Child key={key} under={line} onLines={found => setChildren(before => new Map(before).set(key, found))} />
        ) : null;
      })}
    </div>
  );
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

function matches(line: Line, words: string): boolean {
  return (
    line.ref.toLowerCase().includes(words) ||
    line.tasks.some(row =>
      `${row.name} ${row.type} ${row.status} ${row.worker} ${row.reason}`.toLowerCase().includes(words),
    )
  );
}

function withChildren(
  lines: readonly Line[],
  opened: ReadonlySet<string>,
  children: ReadonlyMap<string, Line[]>,
): Line[] {
  if (!opened.size) return [...lines];
  return lines.flatMap(line =>
    opened.has(line.key) ? [line, ...withChildren(children.get(line.key) ?? [], opened, children)] : [line],
  );
}

function findLine(all: readonly Line[], children: ReadonlyMap<string, Line[]>, key: string): Line | undefined {
  return all.find(line => line.key === key) ?? [...children.values()].flat().find(line => line.key === key);
}

/** Reads a child's tasks and hands them up as lines below the one it belongs to. It shows nothing itself. */
function Child({ under, onLines }: { under: Line; onLines: (lines: Line[]) => void }) {
  const execution = useQuery(executionQuery(under.child));
  const tasks = useQuery(timelineQuery(under.child));
  useFollowing([under.child]);
  const known = useRef<Tasks | undefined>(undefined);
  if (execution.data && tasks.data && known.current !== tasks.data) {
    known.current = tasks.data;
    const found = linesOf(tasks.data.rows, placesOf(execution.data.workflow.workflowDefinition)).map(line => ({
      ...line,
      key: `${under.key}/${line.key}`,
      home: under.child,
      parent: "",
      hasInside: false,
      depth: under.depth + 1 + line.depth,
    }));
    queueMicrotask(() => onLines(found));
  }
  return null;
}

interface RowProps {
  line: Line;
  /** Which line it is, of how many. */
  place: number;
  of: number;
  top: number;
  window: Window;
  /** 0: it stands still. */
  now: number;
  isSelected: boolean;
  critical: ReadonlySet<number> | null;
  isFolded: boolean;
  isOpened: boolean;
  onFold: (line: Line) => void;
  onOpen: (line: Line) => void;
  onSelect: (row: TaskRow) => void;
}

/** One line. It is made anew only when what it shows changes: a scroll makes the lines that come into view and no others. */
const Row = memo(function Row(props: RowProps) {
  const { line, place, of, top, window, now, isSelected, critical, isFolded, isOpened } = props;
  const { onFold, onOpen, onSelect } = props;
  const last = line.tasks.at(-1)!;
  const isChild = line.home !== undefined;
  const span = window.to - window.from;
  const share = (at: number) => ((at - window.from) / span) * 100;
  const spans = line.tasks.flatMap(row => spansOf(row, now).map(one => ({ row, ...one })));
  const seen = spans.filter(one => one.to >= window.from && one.from <= window.to);
  const end = seen.length ? Math.min(Math.max(...seen.map(one => share(one.to))), 100) : 0;
  const start = seen.length ? Math.max(Math.min(...seen.map(one => share(one.from))), 0) : 0;
  // Words stand after the bar, before it where there is no room, and on it where it leaves none at either end.
  const spot = end <= 62 ? "right" : start >= 30 ? "left" : "over";
  const took =
    last.ended && last.started
      ? duration(last.ended - last.started)
      : isOpen(last.status)
        ? duration(now - (last.started || last.scheduled))
        : "";
  const words = [took, line.tasks.length > 1 ? `${line.tasks.length} attempts` : "", cause(last.reason)]
    .filter(Boolean)
    .join(" · ");
  const tone = lookOf(shownStatus(last.type, last.status)).tone ?? "scheduled";
  const pick = () => !isChild && onSelect(last);
  return (
    <div
      className={css.row}
      role="listitem"
      aria-posinset={place}
      aria-setsize={of}
      data-selected={isSelected || undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={pick}
    >
      <div className={css.name} style={{ paddingLeft: 6 + Math.min(line.depth, 12) * 14 }}>
        {line.hasInside ? (
          <button
            type="button"
            className={css.fold}
            aria-expanded={!isFolded}
            aria-label={`${isFolded ? "Unfold" : "Fold"} ${line.ref}`}
            onClick={event => (event.stopPropagation(), onFold(line))}
          >
            <Icon name={isFolded ? "right" : "down"} size={12} />
          </button>
        ) : line.child ? (
          <button
            type="button"
            className={css.fold}
            aria-expanded={isOpened}
            aria-label={`${isOpened ? "Close" : "Open"} the sub-workflow of ${line.ref} in place`}
            onClick={event => (event.stopPropagation(), onOpen(line))}
          >
            <Icon name={isOpened ? "down" : "right"} size={12} />
          </button>
        ) : (
          <span className={css.fold} />
        )}
        <Status status={shownStatus(last.type, last.status)} bare size={13} />
        {isChild ? (
          <Link href={to.execution(line.home!, last.id)} className="cut" title={line.ref}>
            {line.ref}
          </Link>
        ) : (
          <button
            type="button"
            className={css.ref}
            title={`${line.ref} (${line.type})`}
            aria-current={isSelected || undefined}
            onClick={event => (event.stopPropagation(), pick())}
          >
            {line.ref}
          </button>
        )}
      </div>
      <div className={css.lane}>
        {seen.map(one => (
          <span
            key={`${one.row.n}${one.kind}`}
            className={css.bar}
            data-kind={one.kind}
            data-tone={
              one.kind === "run" || one.kind === "inside"
                ? (lookOf(shownStatus(one.row.type, one.row.status)).tone ?? "scheduled")
                : undefined
            }
            data-dim={(critical && !critical.has(one.row.n)) || undefined}
            data-open={one.open || undefined}
            title={`${SAID[one.kind]} ${duration(one.to - one.from)}${line.tasks.length > 1 ? `, attempt ${line.tasks.indexOf(one.row) + 1}` : ""}`}
            onClick={event => {
              event.stopPropagation();
              if (!isChild) onSelect(one.row);
            }}
            style={{
              left: `${Math.max(share(one.from), 0)}%`,
              width: `max(2px, ${Math.min(share(one.to), 100) - Math.max(share(one.from), 0)}%)`,
            }}
          />
        ))}
        {seen.length > 0 && (
          <span
            className={css.words}
            data-tone={isBad(last.status) ? tone : undefined}
            data-place={spot}
            style={
              spot === "left"
                ? { right: `calc(${100 - start}% + 6px)`, maxWidth: `calc(${start}% - 12px)` }
                : spot === "over"
                  ? { left: `calc(${start}% + 6px)`, maxWidth: `calc(${end - start}% - 12px)` }
                  : { left: `calc(${end}% + 6px)`, maxWidth: `calc(${100 - end}% - 10px)` }
            }
          >
            {words}
          </span>
        )}
      </div>
    </div>
  );
});

const SAID = {
  backoff: "held back for",
  queue: "queued for",
  run: "ran for",
  wait: "waited for",
  inside: "open for",
} as const;

function Legend() {
  return (
    <span className={css.legend} aria-hidden="true">
      <i className={css.bar} data-kind="queue" /> queued
      <i className={css.bar} data-kind="run" data-tone="completed" /> ran
      <i className={css.bar} data-kind="backoff" /> held back
      <i className={css.bar} data-kind="wait" /> waited
    </span>
  );
}
