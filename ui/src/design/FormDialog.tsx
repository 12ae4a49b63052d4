// A form in a dialog: what is wrong with it at its top, and what was written is not lost by closing it.
import { useState, type ReactNode } from "react";
import { wordsOf } from "../lib/format";
import { useUnsaved } from "../lib/unsaved";
import { Button } from "./Button";
import { Dialog, discarded } from "./Dialog";
import type { IconName } from "./Icon";
import css from "./FormDialog.module.css";

interface Act {
  label: string;
  kind?: "primary" | "danger";
  icon?: IconName;
  /** Does it; what it throws is said at the top, and the form stays. */
  work: () => Promise<unknown>;
}

export function FormDialog({
  title,
  acts,
  isReady,
  isDirty,
  onClose,
  children,
}: {
  title: string;
  /** The buttons, the usual one last. */
  acts: Act[];
  isReady: boolean;
  /** Something was written that closing loses. */
  isDirty: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState("");
  const [wrong, setWrong] = useState<string[]>([]);
  useUnsaved(isDirty);
  const act = async (one: Act) => {
    setBusy(one.label);
    setWrong([]);
    try {
      await one.work();
    } catch (error) {
      setWrong(saidOf(error));
      setBusy("");
    }
  };
  const cancel = async () => {
    if (!isDirty || (await discarded())) onClose();
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      isUnsaved={isDirty}
      title={title}
      footer={
        <>
          <Button onClick={() => void cancel()}>Cancel</Button>
          {acts.map(one => (
            <Button
              key={one.label}
              kind={one.kind ?? "primary"}
              icon={one.icon}
              busy={busy === one.label}
              disabled={!isReady || busy !== ""}
              onClick={() => void act(one)}
            >
              {one.label}
            </Button>
          ))}
        </>
      }
    >
      <div className={css.form}>
        {wrong.length > 0 && (
          <div className={css.wrong} role="alert">
            {wrong.map(one => (
              <p key={one}>{one}</p>
            ))}
          </div>
        )}
        {children}
      </div>
    </Dialog>
  );
}

/** What is wrong, place by place where the server says it so. */
function saidOf(error: unknown): string[] {
  const { violations } = error as { violations?: { path: string; message: string }[] };
  if (violations?.length) return violations.map(one => (one.path ? `${one.path}: ${one.message}` : one.message));
  return [wordsOf(error)];
}
