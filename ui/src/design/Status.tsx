import { lookOf, type Shape } from "./status";
import css from "./Status.module.css";

/** A status as shape, colour and word. `bare`: the shape alone, its word for those who cannot see it. */
export function Status({ status, bare = false, size = 14 }: { status: string; bare?: boolean; size?: number }) {
  const look = lookOf(status);
  if (!look.tone || !look.shape) return <span className={css.plain}>{status || "no status"}</span>;
  return (
    <span className={css.status} data-tone={look.tone} title={bare ? look.label : undefined}>
      <StatusShape shape={look.shape} size={size} />
      {bare ? <span className="visually-hidden">{look.label}</span> : <span>{look.label}</span>}
    </span>
  );
}

const PATHS: Record<Shape, React.ReactNode> = {
  hollow: <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.8" />,
  ring: (
    <>
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="2" opacity="0.3" />
      <path
        className={css.turning}
        d="M8 2a6 6 0 0 1 6 6"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
      <circle cx="8" cy="8" r="2" fill="currentColor" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.8" />
      <path d="M8 4.6V8l2.2 1.5" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
    </>
  ),
  check: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path
        className={css.inside}
        d="m4.8 8.2 2.2 2.2 4.2-4.6"
        fill="none"
        strokeWidth="1.9"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  "check-alert": (
    <>
      <path d="M8 1.2 15 14H1Z" fill="currentColor" />
      <path
        className={css.inside}
        d="m5.4 10 1.8 1.8 3.2-3.6"
        fill="none"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  cross: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path className={css.inside} d="m5.5 5.5 5 5m0-5-5 5" fill="none" strokeWidth="1.9" strokeLinecap="round" />
    </>
  ),
  hourglass: (
    <path
      d="M3.5 1.5h9M3.5 14.5h9M4.5 1.5c0 4 7 4.5 7 6.500s-7 2.5-7 6.500M11.5 1.500c0 4-7 4.5-7 6.500s7 2.5 7 6.5"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
    />
  ),
  square: <rect x="2.5" y="2.5" width="11" height="11" rx="2" fill="currentColor" />,
  bars: <path d="M5.5 3v10M10.5 3v10" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" />,
  arrow: (
    <path
      d="M2 8h9M8 4.5 11.5 8 8 11.500M14 4v8"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  ),
};

export function StatusShape({ shape, size = 14 }: { shape: Shape; size?: number }) {
  return (
    <svg className={css.shape} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      {PATHS[shape]}
    </svg>
  );
}
