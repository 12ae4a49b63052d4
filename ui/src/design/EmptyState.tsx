import type { ReactNode } from "react";
import { CopyText } from "./CopyText";
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
      {command && (
        <pre className={css.command}>
          <code>{command}</code>
          <CopyText text={command} label="Copy the command" />
        </pre>
      )}
      {action}
    </div>
  );
}

/** Something went wrong: what, and what to do. */
export function ErrorState({ error, onRetry }: { error: Error; onRetry?: () => void }) {
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
          <pre className={css.command}>
            <code>batuta server</code>
            <CopyText text="batuta server" label="Copy the command" />
          </pre>
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
