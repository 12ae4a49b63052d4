// A page beside the canvas: a column in the middle, and above it what it is, the way back, and what can be done.
import type { ReactNode } from "react";
import { Button } from "../design/Button";
import css from "./Sheet.module.css";

export function Sheet({
  title,
  about,
  width,
  back,
  acts,
  children,
}: {
  title: string;
  about?: string;
  /** At most; in pixels. */
  width: number;
  back?: { to: string; onBack: () => void };
  acts?: ReactNode;
  children: ReactNode;
}) {
  return (
    <main className={css.sheet} style={{ maxWidth: width }}>
      <header className={css.head}>
        {back && <Button kind="quiet" icon="left" aria-label={back.to} onClick={back.onBack} />}
        <h1>{title}</h1>
        {about && <p className="soft">{about}</p>}
        <span className="grow" />
        {acts}
      </header>
      {children}
    </main>
  );
}
