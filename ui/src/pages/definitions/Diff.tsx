// Two texts, line by line.
import { useMemo, useState } from "react";
import { changed, diffOf, folded, type DiffLine } from "../../lib/diff";
import { count } from "../../lib/format";
import css from "./Definitions.module.css";

const SIGNS = { same: " ", removed: "−", added: "+" };

export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => diffOf(before, after), [before, after]);
  const shown = useMemo(() => folded(lines), [lines]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const sum = changed(lines);
  if (!sum.added && !sum.removed) return <p className="soft">There is no difference.</p>;
  return (
    <>
      <p className="soft">
        {count(sum.added, "line")} added, {count(sum.removed, "line")} removed
      </p>
      <div className={css.diff} role="region" aria-label={label} tabIndex={0}>
        <table>
          <tbody>
            {shown.flatMap((one, at) =>
              one.kind !== "fold"
                ? [<Line key={at} line={one} />]
                : open.has(at)
                  ? one.lines.map((line, n) => <Line key={`${at}-${n}`} line={line} />)
                  : [
                      <tr key={at}>
                        <td colSpan={4}>
                          <button type="button" onClick={() => setOpen(new Set([...open, at]))}>
                            Show {count(one.lines.length, "unchanged line")}
                          </button>
                        </td>
                      </tr>,
                    ],
            )}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Line({ line }: { line: DiffLine }) {
  return (
    <tr data-kind={line.kind}>
      <td data-n>{line.before || ""}</td>
      <td data-n>{line.after || ""}</td>
      <td data-n>
        <span aria-label={line.kind === "same" ? undefined : line.kind}>{SIGNS[line.kind]}</span>
      </td>
      <td>{line.text}</td>
    </tr>
  );
}
