import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import css from "./Tabs.module.css";

export interface Tab {
  key: string;
  label: ReactNode;
}

/** Tabs whose choice is the caller's (it belongs into the URL); what is under them is given as children. */
export function Tabs({
  tabs,
  value,
  onChange,
  children,
  label,
}: {
  tabs: Tab[];
  value: string;
  onChange: (key: string) => void;
  children: ReactNode;
  label: string;
}) {
  return (
    <Radix.Root className={css.tabs} value={value} onValueChange={onChange} activationMode="manual">
      <Radix.List className={css.list} aria-label={label}>
        {tabs.map(tab => (
          <Radix.Trigger key={tab.key} className={css.tab} value={tab.key}>
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      <Radix.Content className={css.content} value={value} tabIndex={-1}>
        {children}
      </Radix.Content>
    </Radix.Root>
  );
}
