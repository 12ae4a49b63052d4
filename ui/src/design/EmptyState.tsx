import { useEffect, useRef, type ReactNode } from "react";
import { isThere } from "../lib/presence";
import { Button } from "./Button";
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

const ASK_MS = 2_000; // while nobody answers
const TITLE_MAX = 90; // characters; what is said at more length stands below a title

/** Something went wrong: what, and what to do. Where nobody answers, it is tried again by itself when somebody does; *command* starts what is away. */
export function ErrorState({
  error,
  onRetry,
  hint,
  command = "batuta server",
}: {
  error: Error;
  onRetry?: () => void;
  hint?: string;
  command?: string;
}) {
  const isAway = (error as { status?: number }).status === 0; // nobody answered
  const isLong = error.message.length > TITLE_MAX;
  useReturn(isAway, onRetry);
  return (
    <div className={css.empty} role="alert">
      <span className={css.icon} data-bad="">
        <Icon name="alert" size={22} />
      </span>
      <h2>{isLong ? "This cannot be shown" : error.message}</h2>
      {(isLong || hint) && <div className={css.text}>{hint ?? error.message}</div>}
      {isAway && (
        <>
          <div className={css.text}>
            Is it running, and may this machine reach it? This page goes on by itself when it is back. It is started
            with:
          </div>
          <Command text={command} />
        </>
      )}
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

/** Calls back once somebody answers again. */
function useReturn(isAway: boolean, onBack: (() => void) | undefined): void {
  const latest = useRef(onBack);
  latest.current = onBack;
  useEffect(() => {
    if (!isAway) return;
    const ask = async () => {
      if (!document.hidden && (await isThere())) latest.current?.();
    };
    const timer = setInterval(() => void ask(), ASK_MS);
    return () => clearInterval(timer);
  }, [isAway]);
}
