import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";
import css from "./Menu.module.css";

export interface MenuItem {
  label: string;
  icon?: IconName;
  onSelect: () => void;
  danger?: boolean;
  disabled?: boolean;
  /** Why it is disabled, or what it does. */
  hint?: string;
  /** Of several, whether it is the one that holds. */
  checked?: boolean;
}

/** A menu behind a button. `null` among the items is a line between them. */
export function Menu({
  trigger,
  items,
  align = "end",
}: {
  trigger: ReactNode;
  items: (MenuItem | null)[];
  align?: "start" | "end";
}) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={css.menu} align={align} sideOffset={4} collisionPadding={8}>
          {items.map((item, index) =>
            item ? (
              <DropdownMenu.Item
                key={item.label}
                className={css.item}
                data-danger={item.danger || undefined}
                disabled={item.disabled}
                onSelect={item.onSelect}
                {...(item.checked !== undefined && { role: "menuitemradio", "aria-checked": item.checked })}
              >
                <span className={css.icon}>
                  {item.checked ? <Icon name="check" /> : item.icon && <Icon name={item.icon} />}
                </span>
                <span>
                  {item.label}
                  {item.hint && <span className={css.hint}>{item.hint}</span>}
                </span>
              </DropdownMenu.Item>
            ) : (
              <DropdownMenu.Separator key={index} className={css.line} />
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
