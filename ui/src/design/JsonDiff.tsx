// Where two JSON values differ, place by place. What it shows is text, whatever the text says.
import { useMemo, type ReactNode } from "react";
import { count } from "../lib/format";
import { differences, spelled, type Difference } from "../lib/json";
import css from "./JsonDiff.module.css";

const TEXT_MAX = 300; // characters of one value
const SHOWN_MAX = 200;

/** Differences from *before* to *after* under a title; `same`: what is said when there are none. */
export function JsonDiff({
  title,
  before,
  after,
  same = "no difference",
}: {
  title: ReactNode;
  before: unknown;
  after: unknown;
  same?: string;
}) {
  const found = useMemo(() => differences(before, after), [before, after]);
  return (
    <div>
      <h3>
        {title} <span className="faint">{found.length ? count(found.length, "difference") : same}</span>
      </h3>
      {found.slice(0, SHOWN_MAX).map(one => (
        <OneDifference key={JSON.stringify(one.path)} difference={one} />
      ))}
      {found.length > SHOWN_MAX && <p className="faint">The first {SHOWN_MAX} are shown.</p>}
    </div>
  );
}

export function OneDifference({ difference }: { difference: Difference }) {
  return (
    <div className={css.difference}>
      <code>{spelled(difference.path) || "all of it"}</code>
      {difference.kind !== "added" && <del>{shown(difference.before)}</del>}
      {difference.kind !== "removed" && <ins>{shown(difference.after)}</ins>}
    </div>
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
