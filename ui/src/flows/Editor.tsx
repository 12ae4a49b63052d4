// One flow, open: palette, canvas, settings, and below them how it runs.
import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button } from "../design/Button";
import { confirm } from "../design/Dialog";
import { KeyList } from "../design/KeyList";
import { toast } from "../design/Toast";
import { copied, paste, remove } from "./actions";
import { Canvas } from "./Canvas";
import { Drawer } from "./Drawer";
import { Inspector } from "./Inspector";
import { goTo, KEYS } from "./Keys";
import { Palette } from "./Palette";
import { studio, useStudio } from "./studio";
import { TopBar } from "./TopBar";
import css from "./Editor.module.css";

interface Ways {
  onHome: () => void;
  onOpen: (flow: string) => void;
}

export default function Editor(ways: Ways) {
  return (
    <ReactFlowProvider>
      <Desk {...ways} />
    </ReactFlowProvider>
  );
}

function Desk({ onHome, onOpen }: Ways) {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  const flow = useReactFlow();
  const field = useRef<HTMLInputElement>(null);
  const openPalette = useCallback(() => {
    setPalette(true);
    requestAnimationFrame(() => field.current?.focus());
  }, []);
  const isEmpty = useStudio(state => state.document.nodes.length === 0);
  useClipboard();
  useLeaving();
  return (
    <div className={css.editor} data-palette={palette || undefined}>
      <TopBar onHome={() => void leave(onHome)} onOpen={onOpen} onHelp={openHelp} />
      <Conflict onOpen={onOpen} />
      <div className={css.middle}>
        <Palette
          field={field}
          onAdded={id => {
            setPalette(false);
            goTo(flow, id);
          }}
          onLeave={() => {
            const [chosen] = studio().state.selected;
            setPalette(false);
            if (chosen === undefined) field.current?.blur();
            else goTo(flow, chosen);
          }}
        />
        <div className={css.stage}>
          <Canvas onPalette={openPalette} onHelp={openHelp} />
          <Button className={css.add} icon="plus" kind="primary" aria-label="Add a node" onClick={openPalette} />
          {isEmpty && (
            <div className={css.hint}>
              <p data-wide="">
                Choose a node on the left, or press <kbd>Space</kbd> and type.
              </p>
              <p data-narrow="">Add a node with the button above.</p>
              <p>Or drop a flow here, or a picture, film or sound that one made.</p>
            </div>
          )}
        </div>
        <Inspector />
      </div>
      <Drawer />
      {help && <KeyList keys={KEYS} onClose={() => setHelp(false)} />}
    </div>
  );
}

/** What is not kept yet is kept first; where that fails, the person says whether it may go. */
async function leave(onHome: () => void): Promise<void> {
  const isKept = await studio().save();
  const body = "The last changes of this flow could not be saved.";
  if (isKept || (await confirm({ title: "Leave without saving?", body, act: "Leave", danger: true }))) onHome();
}

/** Somebody else has saved this flow: nothing is lost, and the person says what happens. */
function Conflict({ onOpen }: { onOpen: (flow: string) => void }) {
  const saving = useStudio(state => state.saving);
  const flow = useStudio(state => state.flow);
  const error = useStudio(state => state.savingError);
  if (saving === "failed")
    return (
      <div className={css.conflict} role="alert">
        <span>This flow could not be saved: {error}</span>
        <Button small onClick={() => void studio().save()}>
          Try again
        </Button>
      </div>
    );
  if (saving !== "conflict" || !flow) return null;
  return (
    <div className={css.conflict} role="alert">
      <span>This flow was saved somewhere else meanwhile. What you see here is not saved.</span>
      <Button small onClick={() => onOpen(flow.id)}>
        Load theirs
      </Button>
      <Button small onClick={() => void studio().saveAsCopy()}>
        Keep mine as a copy
      </Button>
      <Button small kind="danger" onClick={() => void studio().overwrite()}>
        Overwrite theirs
      </Button>
    </div>
  );
}

const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], [role=dialog]") !== null;

/** Nodes are copied and pasted as JSON, within a flow, between flows, and from an editor of text. */
function useClipboard(): void {
  useEffect(() => {
    const onCopy = (event: ClipboardEvent) => {
      const text = isField(event.target) || !getSelection()?.isCollapsed ? "" : copied();
      if (!text) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
      if (event.type === "cut") remove(studio().state.selected);
    };
    const onPaste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (isField(event.target) || !text) return;
      if (!paste(text)) toast("bad", "What was pasted is no flow.");
      event.preventDefault();
    };
    addEventListener("copy", onCopy);
    addEventListener("cut", onCopy);
    addEventListener("paste", onPaste);
    return () => {
      removeEventListener("copy", onCopy);
      removeEventListener("cut", onCopy);
      removeEventListener("paste", onPaste);
    };
  }, []);
}

/** A page that is left with something not yet kept asks first, and keeps it meanwhile. */
function useLeaving(): void {
  useEffect(() => {
    const onLeave = (event: BeforeUnloadEvent) => {
      const { saving } = studio().state;
      if (saving === "saved" || saving === "empty") return;
      void studio().save();
      event.preventDefault();
    };
    addEventListener("beforeunload", onLeave);
    return () => removeEventListener("beforeunload", onLeave);
  }, []);
}
