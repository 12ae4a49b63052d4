import type { ReactNode } from "react";
import { Command } from "./Command";
import { Icon, type IconName } from "./Icon";
import css from "./EmptyState.module.css";

/** Nothing is here: why, and what to do next; `command` is shown ready to be copied. */
export function EmptyState({
  icon = "list",
  title,
  children,
  command,
  action,
}: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  command?: string;
  action?: ReactNode;
}) {
  return (
    <div className={css.empty}>
      <span className={css.icon}>
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      {children && <div className={`${css.text} said`}>{children}</div>}
      {command && <Command text={command} />}
      {action}
    </div>
  );
}

/** Something went wrong: what, and what to do. *command* starts what does not answer. */
export function ErrorState({
  error,
  onRetry,
  command = "batuta server",
}: {
  error: Error;
  onRetry?: () => void;
  command?: string;
}) {
  const isAway = (error as { status?: number }).status === 0; // nobody answered
  return (
    <div className={css.empty} role="alert">
      <span className={css.icon} data-bad="">
        <Icon name="alert" size={22} />
      </span>
      <h2>{error.message}</h2>
      {isAway && (
        <>
          <div className={css.text}>Is it running, and may this machine reach it? It is started with:</div>
          <Command text={command} />
        </>
      )}
      {onRetry && (
        <button type="button" className={css.again} onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
