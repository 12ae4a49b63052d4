import { useQuery } from "@tanstack/react-query";
import { nextTicks } from "../../api/queries";
import { useNow } from "../../design/Time";
import { ago } from "../../lib/format";
import { cronParts, CRON_FIELDS, wallClock, type Entry } from "../../lib/schedule";
import css from "./Schedules.module.css";

/** When an expression ticks next, on the clock of its zone; or what is wrong with it. */
export function Ticks({ entry, from, until }: { entry: Entry; from?: number; until?: number }) {
  const found = useQuery(nextTicks(entry.cron, entry.zone, from, until));
  const now = useNow();
  if (!entry.cron.trim())
    return <p className="faint">second minute hour day month weekday, such as 0 30 7 * * MON-FRI</p>;
  if (found.error)
    return (
      <p className={css.wrong} role="alert">
        {found.error.message}
      </p>
    );
  if (found.data && !found.data.length) return <p className={css.wrong}>It never ticks within these bounds.</p>;
  return (
    <ul className={css.ticks} aria-label={`Next ticks of ${entry.cron}`}>
      {found.data?.map(at => (
        <li key={at}>
          <time dateTime={new Date(at).toISOString()}>{wallClock(at, entry.zone)}</time>
          <span className="faint">{ago(at, now)}</span>
        </li>
      ))}
    </ul>
  );
}

/** An expression taken apart, so that one sees which field is which. */
export function CronFields({ cron }: { cron: string }) {
  const parts = cronParts(cron);
  if (parts.length < 2) return null; // @daily, or nothing yet
  return (
    <div className={css.cron} aria-hidden="true">
      {CRON_FIELDS.map((name, index) => (
        <span key={name}>
          <code>{parts[index] ?? "?"}</code>
          {name}
        </span>
      ))}
    </div>
  );
}
