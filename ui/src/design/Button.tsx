import type { ButtonHTMLAttributes, Ref } from "react";
import { Icon, type IconName } from "./Icon";
import css from "./Button.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "plain" | "primary" | "quiet" | "danger";
  icon?: IconName;
  /** Working on it: it says so and cannot be pressed again. */
  busy?: boolean;
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button. One with an icon alone needs an aria-label, which is also its title. */
export function Button({
  kind = "plain",
  icon,
  busy = false,
  small = false,
  children,
  title,
  disabled,
  className,
  ...rest
}: Props) {
  return (
    <button
      type="button"
      className={className ? `${css.button} ${className}` : css.button}
      data-kind={kind}
      data-small={small || undefined}
      data-bare={children ? undefined : true}
      aria-busy={busy || undefined}
      disabled={disabled || busy}
      title={title ?? (children ? undefined : rest["aria-label"])}
      {...rest}
    >
      {icon && <Icon name={icon} size={small ? 14 : 16} />}
      {children}
    </button>
  );
}
