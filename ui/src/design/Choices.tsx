// A list to choose from by typing: arrows go through it, Enter takes.
import { Command } from "cmdk";
import type { ReactNode } from "react";
import css from "./Choices.module.css";

export function Choices({
  label,
  placeholder,
  empty,
  words,
  children,
}: {
  label: string;
  placeholder: string;
  /** Instead of the list, when nothing is like what was typed. */
  empty: ReactNode;
  /** What was typed, where somebody else needs it too. */
  words?: { value: string; onChange: (value: string) => void };
  children: ReactNode;
}) {
  return (
    <Command label={label} loop>
      <Command.Input
        className={css.input}
        placeholder={placeholder}
        autoFocus
        value={words?.value}
        onValueChange={words?.onChange}
      />
      <Command.List className={css.list}>
        <Command.Empty className={css.empty}>{empty}</Command.Empty>
        {children}
      </Command.List>
    </Command>
  );
}

export function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group heading={heading} className={css.group}>
      {children}
    </Command.Group>
  );
}

/** *value*: what it is found by. */
export function Choice({ value, onTake, children }: { value: string; onTake: () => void; children: ReactNode }) {
  return (
    <Command.Item value={value} className={css.item} onSelect={onTake}>
      {children}
    </Command.Item>
  );
}
