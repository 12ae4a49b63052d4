// The flow's name and how it is kept, what can be taken back, and the button this is all for.
import { useReactFlow } from "@xyflow/react";
import { useRef } from "react";
import { usePreferences } from "../app/preferences";
import { themes } from "../app/themes";
import { Button } from "../design/Button";
import { Menu } from "../design/Menu";
import { toast } from "../design/Toast";
import { tidy } from "./actions";
import { FileField } from "./FileField";
import { exportFile, exportOriginal } from "./files";
import { isOver } from "./results";
import { boundsOf, overOf, priceOf } from "./spend";
import { studio, useStudio, type Saving } from "./studio";
import { CARD, WHOLE } from "./view";
import css from "./Editor.module.css";

const SAVING: Record<Saving, string> = {
  empty: "Nothing to keep yet",
  saved: "Saved",
  waiting: "Saving…",
  saving: "Saving…",
  conflict: "Not saved",
  failed: "Not saved",
};

export function TopBar({
  onHome,
  onOpen,
  onHelp,
}: {
  onHome: () => void;
  onOpen: (flow: string) => void;
  onHelp: () => void;
}) {
  const name = useStudio(state => state.document.workflowName);
  const saving = useStudio(state => state.saving);
  const savingError = useStudio(state => state.savingError);
  const canUndo = useStudio(state => state.line.past.length > 0);
  const canRedo = useStudio(state => state.line.future.length > 0);
  return (
    <header className={css.top}>
      <Button kind="quiet" icon="left" aria-label="All flows" onClick={onHome} />
      <input
        className={css.name}
        aria-label="Name of the flow"
        value={name}
        onChange={event => studio().change(document => ({ ...document, workflowName: event.target.value }), "name")}
      />
      <span className={css.saving} data-saving={saving} title={savingError} role="status">
        {SAVING[saving]}
      </span>
      <span className={css.space} />
      <Button kind="quiet" icon="undo" aria-label="Undo" disabled={!canUndo} onClick={studio().undo} />
      <Button kind="quiet" icon="redo" aria-label="Redo" disabled={!canRedo} onClick={studio().redo} />
      <More onOpen={onOpen} onHelp={onHelp} />
      <Price />
      <RunButtons />
    </header>
  );
}

/** What the next run costs, about, before it is started. */
function Price() {
  const estimate = useStudio(state => state.estimate);
  const over = overOf(estimate);
  return (
    <span className={css.price} data-over={over ? "" : undefined} title={boundsOf(estimate)}>
      {priceOf(estimate)}
      {over && <span>, {over}</span>}
    </span>
  );
}

function RunButtons() {
  const run = useStudio(state => state.run);
  const busy = useStudio(state => state.busy);
  const isEmpty = useStudio(state => state.document.nodes.length === 0);
  const isRunning = run !== null && !isOver(run.status);
  return (
    <>
      {run?.status === "failed" && (
        <Button icon="retry" onClick={() => void studio().retry()}>
          Retry
        </Button>
      )}
      {isRunning ? (
        <Button icon="stop" kind="danger" onClick={() => void studio().cancel()}>
          Cancel
        </Button>
      ) : (
        <Button
          icon="play"
          kind="primary"
          busy={busy}
          disabled={isEmpty}
          title="Ctrl Enter"
          onClick={() => void studio().start()}
        >
          Run
        </Button>
      )}
    </>
  );
}

function More({ onOpen, onHelp }: { onOpen: (flow: string) => void; onHelp: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const { theme } = usePreferences();
  const flow = useReactFlow();
  const arrange = async () => {
    const sizes = new Map(
      flow
        .getNodes()
        .map(({ id, measured }) => [
          id,
          { width: measured?.width ?? CARD.width, height: measured?.height ?? CARD.height },
        ]),
    );
    try {
      await tidy(sizes);
      setTimeout(() => void flow.fitView(WHOLE), 50); // once the cards are where they belong
    } catch {
      toast("bad", "The cards could not be arranged.");
    }
  };
  return (
    <>
      <FileField ref={field} onOpen={onOpen} />
      <Menu
        trigger={<Button kind="quiet" icon="more" aria-label="Flow" />}
        items={[
          { label: "Tidy up", icon: "layers", onSelect: () => void arrange() },
          null,
          {
            label: "Import a file…",
            icon: "plus",
            onSelect: () => field.current?.click(),
            hint: "as a flow of its own",
          },
          { label: "Export as JSON", icon: "external", onSelect: () => exportFile(studio().state.document) },
          {
            label: "Export for the original",
            icon: "external",
            onSelect: () => void exportOriginal(),
            hint: "a file the first Flow Builder reads",
          },
          null,
          { label: "Keys", icon: "keyboard", onSelect: onHelp },
          null,
          ...themes(theme),
        ]}
      />
    </>
  );
}
