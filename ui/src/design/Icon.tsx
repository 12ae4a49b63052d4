// Small line icons, 16 px. An icon beside words is hidden from those who listen; one alone needs a label on its button.
const PATHS = {
  home: "M2.5 7.5 8 3l5.5 4.500M4 6.500V13h8V6.5",
  list: "M2.5 4h11M2.5 8h11M2.5 12h11",
  layers: "m8 2 6 3-6 3-6-3ZM2 8.500l6 3 6-3M2 11.500l6 3 6-3",
  queue: "M2 4h12v3H2ZM2 10h12v3H2ZM5 5.500h.01M5 11.500h.01",
  calendar: "M2.5 4h11v9.500h-11ZM2.5 7h11M5.5 2.500V5M10.5 2.500V5",
  bolt: "M9 1.5 3.5 9H8l-1 5.500L12.5 7H8Z",
  alert: "M8 2 14.5 13.500h-13ZM8 6.500V9.500M8 11.500h.01",
  flow: "M2 3h4v4H2ZM10 9h4v4h-4ZM6 5h3a1 1 0 0 1 1 1v3M10 3h4v4h-4Z",
  pulse: "M1.5 8h3l2-5 3 10 2-5h3",
  search: "M7 2.500a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.500H6M10 2.500h3.500V6M13.5 10v3.500H10M6 13.500H2.500V10",
  x: "m4 4 8 8m0-8-8 8",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6",
  redo: "M10.5 3l3 3-3 3M13.5 6h-7a4 4 0 0 0 0 8H10",
  check: "m3.5 8.5 3 3 6-7",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  down: "m4 6 4 4 4-4",
  right: "m6 4 4 4-4 4",
  left: "m10 4-4 4 4 4",
  up: "m4 10 4-4 4 4",
  copy: "M5.5 5.500h8v8h-8ZM10.5 5.500v-3h-8v8h3",
  external: "M6.5 3.500h-4v10h10v-4M9.5 2.500h4v4M13.5 2.5 7.5 8.5",
  play: "M4.5 2.500v11l9-5.500Z",
  pause: "M5 3v10M11 3v10",
  stop: "M3.5 3.500h9v9h-9Z",
  retry: "M13 8a5 5 0 1 1-1.5-3.500M13 2v3h-3",
  skip: "M3 3.500v9l6-4.500ZM12 3.500v9",
  trash: "M2.5 4.500h11M6 4.500v-2h4v2M4 4.500l.7 9h6.600l.7-9",
  compare: "M5 2.500v11M11 2.500v11M2.5 5 5 2.5 7.5 5M8.5 11l2.5 2.500L13.5 11",
  edit: "M3 13l.5-2.5 7.5-7.5 2 2-7.5 7.500ZM9.5 4.500l2 2",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1v1.500M8 13.500V15M1 8h1.500M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13 9.500A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.500Z",
  screen: "M2 3h12v8H2ZM6 13.500h4M8 11v2.5",
  globe: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  filter: "M2 3.500h12L9.5 8.500v4L6.5 13.500v-5Z",
  loop: "M11 2.5 13.5 5 11 7.500M13.5 5h-8a3 3 0 0 0-3 3M5 13.5 2.5 11 5 8.500M2.5 11h8a3 3 0 0 0 3-3",
  child: "M4 2.500v6a2 2 0 0 0 2 2h6.500M10 8l2.5 2.500L10 13",
  keyboard: "M1.5 4h13v8h-13ZM4 6.500h.01M6.5 6.500h.01M9 6.500h.01M11.5 6.500h.01M5 9.500h6",
  chip: "M4.5 4.500h7v7h-7ZM6.5 2v2.500M9.5 2v2.500M6.5 11.500V14M9.5 11.500V14M2 6.500h2.500M2 9.500h2.500M11.5 6.500H14M11.5 9.500H14",
  time: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM8 4.500V8l2.5 1.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return <Lines d={PATHS[name]} size={size} />;
}

/** What an icon is drawn with. */
export function Lines({ d, size }: { d: string; size: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={d} />
    </svg>
  );
}
