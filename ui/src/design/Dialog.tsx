// Dialogs. `confirm` asks before what cannot be taken back, and says what it affects; the destructive button is never the one that has the focus.
import { AlertDialog, Dialog as RadixDialog } from "radix-ui";
import { useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import { Button } from "./Button";
import css from "./Dialog.module.css";

export function Dialog({
  open,
  onClose,
  title,
  children,
  footer,
  wide = false,
  isUnsaved = false,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
  /** Something was written in it that closing loses: the person is asked. */
  isUnsaved?: boolean;
}) {
  const body = useRef<HTMLDivElement>(null);
  const close = async () => {
    if (!isUnsaved || (await discarded())) onClose();
  };
  return (
    <RadixDialog.Root open={open} onOpenChange={now => !now && void close()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={css.scrim} />
        <RadixDialog.Content
          className={css.dialog}
          data-wide={wide || undefined}
          aria-describedby={undefined}
          onOpenAutoFocus={event => {
            const first = body.current?.querySelector<HTMLElement>(FIELD);
            if (!first) return;
            event.preventDefault();
            first.focus();
          }}
        >
          <header className={css.head}>
            <RadixDialog.Title asChild>
              <h2>{title}</h2>
            </RadixDialog.Title>
            <RadixDialog.Close asChild>
              <Button kind="quiet" small icon="x" aria-label="Close" />
            </RadixDialog.Close>
          </header>
          <div className={css.body} ref={body}>
            {children}
          </div>
          {footer && <footer className={css.foot}>{footer}</footer>}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

const FIELD = "input:enabled, select:enabled, textarea:enabled:read-write";

/** Whether the person lets go of what was written. */
export async function discarded(): Promise<boolean> {
  const answer = await confirm({
    title: "Discard what was written?",
    body: "It is not saved, and cannot be brought back.",
    act: "Discard",
    danger: true,
  });
  return answer !== null;
}

export interface Question {
  title: string;
  /** What it affects, in words. */
  body: ReactNode;
  /** The verb on the button. */
  act: string;
  danger?: boolean;
  /** Asks for a text along with it; its label. */
  text?: string;
  /** Asks for a choice along with it; its label. */
  choice?: string;
}
interface Answer {
  text: string;
  choice: boolean;
}

let asked: { question: Question; answer: (answer: Answer | null) => void } | null = null;
const listeners = new Set<() => void>();
function ask(next: typeof asked): void {
  asked = next;
  for (const listener of listeners) listener();
}

/** The person's answer; null when they leave it. */
export function confirm(question: Question): Promise<Answer | null> {
  asked?.answer(null);
  return new Promise(resolve => ask({ question, answer: resolve }));
}

/** Where questions appear; once, in the layout. */
export function Confirmations() {
  const current = useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked,
  );
  return current && <Confirmation key={current.question.title} question={current.question} answer={current.answer} />;
}

function Confirmation({ question, answer }: { question: Question; answer: (answer: Answer | null) => void }) {
  const [text, setText] = useState("");
  const [choice, setChoice] = useState(false);
  const [from] = useState(() => document.activeElement);
  const end = (value: Answer | null) => {
    ask(null);
    answer(value);
    setTimeout(() => from instanceof HTMLElement && from.isConnected && from.focus()); // where the person was
  };
  return (
    <AlertDialog.Root open onOpenChange={open => !open && end(null)}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={css.scrim} />
        <AlertDialog.Content className={css.dialog}>
          <header className={css.head}>
            <AlertDialog.Title asChild>
              <h2>{question.title}</h2>
            </AlertDialog.Title>
          </header>
          <div className={css.body}>
            <AlertDialog.Description asChild>
              <div className="soft">{question.body}</div>
            </AlertDialog.Description>
            {question.text && (
              <label className={css.field}>
                {question.text}
                <input className="control" value={text} onChange={event => setText(event.target.value)} />
              </label>
            )}
            {question.choice && (
              <label className={css.choice}>
                <input type="checkbox" checked={choice} onChange={event => setChoice(event.target.checked)} />
                {question.choice}
              </label>
            )}
          </div>
          <footer className={css.foot}>
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild onClick={() => end({ text, choice })}>
              <Button kind={question.danger ? "danger" : "primary"}>{question.act}</Button>
            </AlertDialog.Action>
          </footer>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
