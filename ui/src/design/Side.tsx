// What a side panel shows of one thing: its name, what may be done, facts in pairs, short lists, and what wants attention.
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Command } from "./Command";
import css from "./Side.module.css";

export function Side({
  title,
  beside,
  onClose,
  children,
}: {
  title: ReactNode;
  /** What is done with the title, such as copying it. */
  beside?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <div className={css.panel}>
      <div className={css.head}>
        <h2>{title}</h2>
        {beside}
        <Button kind="quiet" small icon="x" aria-label="Close" onClick={onClose} />
      </div>
      {children}
    </div>
  );
}

/** What the address names is not here. */
export function Gone({ what, name, onClose }: { what: string; name: string; onClose: () => void }) {
  return (
    <Side title={name} onClose={onClose}>
      <p className="soft">
        There is no {what} <span className="mono">{name}</span>: it was deleted, or never was on this server.
      </p>
    </Side>
  );
}

/** What wants attention, and the command that helps. */
export function Notice({ children, command }: { children: ReactNode; command?: string }) {
  return (
    <div className={css.notice} role="note">
      <div>{children}</div>
      {command && <Command text={command} />}
    </div>
  );
}

export function Pairs({ children }: { children: ReactNode }) {
  return <dl className={css.pairs}>{children}</dl>;
}

export function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Part({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <section className={css.part}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** Lines of two: what it is, and how it stands. */
export function Rows({ children }: { children: ReactNode }) {
  return <ul className={css.rows}>{children}</ul>;
}

export function Acts({ children }: { children: ReactNode }) {
  return <div className={css.acts}>{children}</div>;
}

/** Texts with `names` in backquotes, shown as names. */
export function Said({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}
