// Numbers, durations, sizes and instants as people read them. The time zone is the one the person chose.
import { timeZone } from "../app/preferences";

/** 0.4s, 41s, 1m 12s, 2h 5m, 3d 4h; below a second in milliseconds. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0) ms = 0;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const s = ms / 1000;
  if (s < 10) return `${(Math.floor(s * 10) / 10).toFixed(1)}s`;
  if (s < 60) return `${Math.floor(s)}s`;
  const m = Math.floor(s / 60);
  if (m < 60) return two(m, "m", Math.floor(s % 60), "s");
  const h = Math.floor(m / 60);
  if (h < 24) return two(h, "h", m % 60, "m");
  return two(Math.floor(h / 24), "d", h % 24, "h");
}

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b ? `${a}${unitA} ${b}${unitB}` : `${a}${unitA}`;
}

const number = new Intl.NumberFormat("en");
export function count(n: number, one?: string, many?: string): string {
  const text = number.format(n);
  return one ? `${text} ${n === 1 ? one : (many ?? `${one}s`)}` : text;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = n / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${kind} ${timeZone() ?? ""}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: timeZone() });
    formats.set(key, found);
  }
  return found;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };

/** Whether a date can be made of it. A WAIT may end in a million years, of which JavaScript's calendar knows nothing. */
export const isInstant = (at: number) => Math.abs(at) <= 8.64e15;
const beyond = (at: number) => (at > 0 ? "in the far future" : "–");

/** 14:02:11 today, 3 Mar 14:02 this year, 3 Mar 2024 before. */
export function when(at: number, now = Date.now()): string {
  if (!at) return "–";
  if (!isInstant(at)) return beyond(at);
  const day = format("day", { ...DAY, year: "numeric" });
  if (day.format(at) === day.format(now)) return format("clock", CLOCK).format(at);
  const sameYear = format("year", { year: "numeric" }).format(at) === format("year", { year: "numeric" }).format(now);
  return sameYear
    ? format("daytime", { ...DAY, hour: "2-digit", minute: "2-digit", hour12: false }).format(at)
    : day.format(at);
}

/** With everything: for titles. */
export function instant(at: number): string {
  if (!at) return "never";
  if (!isInstant(at)) return beyond(at);
  const whole = format("whole", {
    ...CLOCK,
    ...DAY,
    year: "numeric",
    timeZoneName: "short",
    fractionalSecondDigits: 3,
  });
  return whole.format(at);
}

/** "2 min ago", "in 5 s". */
export function ago(at: number, now = Date.now()): string {
  if (!at) return "never";
  if (!isInstant(at)) return beyond(at);
  const ms = now - at;
  const size = Math.abs(ms);
  const text =
    size < 5_000
      ? ""
      : size < 60_000
        ? `${Math.round(size / 1000)} s`
        : size < 3_600_000
          ? `${Math.round(size / 60_000)} min`
          : size < 86_400_000 * 2
            ? `${Math.round(size / 3_600_000)} h`
            : `${Math.round(size / 86_400_000)} d`;
  if (!text) return ms >= 0 ? "just now" : "now";
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

export function zones(): string[] {
  return ["local", "UTC", ...Intl.supportedValuesOf("timeZone").filter(zone => zone !== "UTC")];
}

/** The beginning of an id, enough to tell it from others. */
export function short(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

/** What went wrong, in words. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
