// Schedules as people read and fill them in: expressions with their zones, instants on the wall clock of a zone, presets to begin with.
import type { Schedule } from "../api/types";

export interface Entry {
  cron: string;
  zone: string;
}

/** The expressions a schedule fires by: its list, else its single one. Source: wire/schedule.py. */
export function entriesOf(schedule: Partial<Schedule>): Entry[] {
  if (schedule.cronSchedules?.length)
    return schedule.cronSchedules.map(one => ({ cron: one.cronExpression ?? "", zone: one.zoneId ?? "UTC" }));
  return [{ cron: schedule.cronExpression ?? "", zone: schedule.zoneId ?? "UTC" }];
}

/** The schedule with these expressions: one stands alone, as older clients expect it, several in the list. */
export function withEntries(schedule: Schedule, entries: Entry[]): Schedule {
  const [first] = entries;
  if (entries.length === 1 && first)
    return { ...schedule, cronExpression: first.cron, zoneId: first.zone, cronSchedules: [] };
  return { ...schedule, cronSchedules: entries.map(one => ({ cronExpression: one.cron, zoneId: one.zone })) };
}

export const PRESETS: { label: string; cron: string }[] = [
  { label: "Every minute", cron: "0 * * * * *" },
  { label: "Every 5 minutes", cron: "0 */5 * * * *" },
  { label: "Every hour", cron: "0 0 * * * *" },
  { label: "Every day at 07:30", cron: "0 30 7 * * *" },
  { label: "Workdays at 07:30", cron: "0 30 7 * * MON-FRI" },
  { label: "Mondays at 07:30", cron: "0 30 7 * * MON" },
  { label: "The 1st of the month at 06:00", cron: "0 0 6 1 * *" },
  { label: "The last day of the month at 18:00", cron: "0 0 18 L * *" },
  { label: "The last Friday of the month at 17:00", cron: "0 0 17 * * FRIL" },
];
export const CRON_FIELDS = ["second", "minute", "hour", "day", "month", "weekday"] as const;

/** What stands in each field; the sixth and all beyond it are one, so that too many are seen. */
export function cronParts(cron: string): string[] {
  const parts = cron.trim().split(/\s+/).filter(Boolean);
  return [...parts.slice(0, 5), parts.slice(5).join(" ")].filter(Boolean);
}

const MINUTE: Intl.DateTimeFormatOptions = {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
  timeZoneName: "short",
};
const SECOND: Intl.DateTimeFormatOptions = { ...MINUTE, year: "numeric", second: "2-digit" };

/** "Mon, 23 Nov 2026, 07:30:00 CET": an instant on the wall clock of a zone, in UTC when the browser does not know the zone; `isShort`: to the minute. */
export function wallClock(at: number, zone: string, isShort = false): string {
  const options = isShort ? MINUTE : SECOND;
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(at);
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }).format(at);
  }
}

/** For a datetime-local field, on the browser's own clock; empty for none. */
export function localField(at: number | undefined): string {
  if (!at) return "";
  const there = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return there.toISOString().slice(0, 16);
}

export const localInstant = (text: string): number | undefined => (text ? new Date(text).getTime() : undefined);

/** The query that finds what came of a schedule's ticks. */
export const firingsQuery = (name: string): string => (/[,()\s'"]/.test(name) ? name : `scheduleName IN (${name})`);

/** What the answer of a save calls broken, by field: `cronSchedules[1]`, `startWorkflowRequest`, … */
export function brokenFields(violations: readonly { path: string; message: string }[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const one of violations) found[one.path.replace(/^[^.]*\.arg0\.?/, "")] = one.message;
  return found;
}
