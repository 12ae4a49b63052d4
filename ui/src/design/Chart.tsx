import { lazy, Suspense } from "react";
import { Link } from "wouter";
import css from "./Chart.module.css";
import type { Line, PlotProps } from "./Plot";

const Plot = lazy(() => import("./Plot"));

interface Props extends PlotProps {
  title: string;
  /** `href`: where what it counts is listed. */
  series: (Line & { href?: string })[];
}

/** Lines over time; the library that draws them is loaded with the first chart. Its latest values stand beside the names, for those who do not see lines. */
export function Chart({ title, ...props }: Props) {
  return (
    <figure className={css.chart}>
      <figcaption>
        <h2>{title}</h2>
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
      <div className={css.plot} aria-hidden="true">
        <Suspense fallback={null}>
          <Plot {...props} />
        </Suspense>
      </div>
    </figure>
  );
}
