import { lazy, Suspense } from "react";
import { Link } from "wouter";
import css from "./Chart.module.css";

const Plot = lazy(() => import("./Plot"));

export interface Series {
  label: string;
  /** A token, such as "--failed-fill". */
  colour: string;
  values: (number | null)[];
  /** Where what it counts is listed. */
  href?: string;
}

export interface ChartProps {
  title: string;
  /** Epoch milliseconds, ascending. */
  times: number[];
  series: Series[];
  format: (value: number) => string;
  height?: number;
}

/** Lines over time; the library that draws them is loaded with the first chart. Its latest values stand beside the names, for those who do not see lines. */
export function Chart(props: ChartProps) {
  const height = props.height ?? 150;
  return (
    <figure className={css.chart}>
      <figcaption>
        <h2>{props.title}</h2>
        <ul>
          {props.series.map(one => {
            const last = one.values.findLast(value => value !== null);
            const value = last == null ? "–" : props.format(last);
            return (
              <li key={one.label}>
                <i style={{ background: `var(${one.colour})` }} aria-hidden="true" />
                {one.label} {one.href ? <Link href={one.href}>{value}</Link> : <strong>{value}</strong>}
              </li>
            );
          })}
        </ul>
      </figcaption>
      <div className={css.plot} style={{ height }} aria-hidden="true">
        <Suspense fallback={null}>
          <Plot {...props} height={height} />
        </Suspense>
      </div>
    </figure>
  );
}
