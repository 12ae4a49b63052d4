// uPlot in our colours. Loaded on demand: see Chart.tsx.
import { useEffect, useRef, useState } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePreferences } from "../app/preferences";
import { when } from "../lib/format";

/** One line. */
export interface Line {
  label: string;
  /** A token, such as "--failed-fill". */
  colour: string;
  values: (number | null)[];
}

export interface PlotProps {
  /** Epoch milliseconds, ascending. */
  times: number[];
  series: Line[];
  format: (value: number) => string;
}

const SPAN_S = 600; // at least so much time is shown, so that two beats are no line from edge to edge

const sizeOf = (box: HTMLElement) => ({ width: box.clientWidth || 300, height: box.clientHeight });

/** The time that is shown. uPlot's own guess for a single instant is years. */
function shown(plot: UPlot): [number, number] {
  const times = plot.data[0];
  const last = times.at(-1) ?? Date.now() / 1000;
  return [Math.min(times[0] ?? last, last - SPAN_S), last];
}

/** What a token is here, in this theme: a canvas knows no var() and no light-dark(). */
function coloured(parent: HTMLElement, token: string): string {
  const probe = parent.appendChild(document.createElement("i"));
  probe.style.color = `var(${token})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** As large as what it is in. */
export default function Plot({ times, series, format }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(null);
  const { theme, zone } = usePreferences();
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const change = () => setDark(query.matches);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, []);
  const data: UPlot.AlignedData = [times.map(at => at / 1000), ...series.map(one => one.values)];
  const names = series.map(one => one.label).join();
  useEffect(() => {
    const parent = box.current!;
    const colour = (token: string) => coloured(parent, token);
    const axis = {
      stroke: colour("--text-faint"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: "11px sans-serif",
    };
    const made = new UPlot(
      {
        ...sizeOf(parent),
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { points: { size: 5 }, y: false },
        scales: {
          x: { range: shown },
          y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] },
        },
        axes: [
          { ...axis, space: 70, size: 24, values: (_, at) => at.map(one => when(one * 1000).replace(/:\d\d$/, "")) },
          { ...axis, space: 36, size: 46, values: (_, at) => at.map(format) },
        ],
        series: [
          {},
          ...series.map(one => ({
            label: one.label,
            stroke: colour(one.colour),
            width: 1.5,
            spanGaps: false,
            points: { show: (u: UPlot) => u.data[0].length < 3, size: 5 },
          })),
        ],
      },
      data,
      parent,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(sizeOf(parent)));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [names, theme, dark, zone]);
  useEffect(() => plot.current?.setData(data), [times, series]);
  return <div ref={box} style={{ height: "100%" }} />;
}
