// Saving: as a new version, or over one that is there; what that changes for what runs and for what uses it is said first.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { refreshDefinitions, saveWorkflow } from "../../api/actions";
import { running } from "../../api/queries";
import type { WorkflowDef } from "../../api/types";
import { Button } from "../../design/Button";
import { Dialog } from "../../design/Dialog";
import { toast } from "../../design/Toast";
import { count, wordsOf } from "../../lib/format";
import css from "./Definitions.module.css";
import { Breaks } from "./Breaks";
import { Diff } from "./Diff";
import { UseList, useUses } from "./Uses";
import { parsed } from "./assist";

export function Save({
  text,
  base,
  versions,
  onDone,
  onClose,
}: {
  text: string;
  /** What is edited; null for a new one. */
  base: { definition: WorkflowDef; text: string } | null;
  /** Versions there are of the name the text has. */
  versions: number[];
  onDone: (name: string, version: number) => void;
  onClose: () => void;
}) {
  const value = parsed(text) ?? {};
  const name = String(value.name ?? "");
  const written = Number(value.version ?? 1);
  const next = versions.length ? Math.max(...versions) + 1 : written;
  const exists = versions.includes(written);
  const [as, setAs] = useState<"new" | "over">("new");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const overwrites = as === "over" && exists;
  const version = overwrites || !exists ? written : next;
  const open = useQuery(running(name, [written]));
  const uses = useUses(name);
  const affected = uses.filter(use => (overwrites ? use.version === written || !use.version : !use.version));
  const runs = open.data?.get(written) ?? 0;
  const save = async () => {
    setBusy(true);
    try {
      const createTime = base?.definition.name === name ? base.definition.createTime : undefined;
      await saveWorkflow({ ...value, version, ...(overwrites && createTime ? { createTime } : {}) }, overwrites);
      await refreshDefinitions();
      toast("good", `Saved ${name} version ${version}`);
      onDone(name, version);
    } catch (error) {
      setFailed(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={`Save ${name}`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={overwrites ? "danger" : "primary"} busy={busy} onClick={() => void save()}>
            {overwrites ? `Overwrite version ${version}` : `Save as version ${version}`}
          </Button>
        </>
      }
    >
      {exists && (
        <div role="radiogroup" aria-label="How">
          <label className={css.radio}>
            <input type="radio" checked={as === "new"} onChange={() => setAs("new")} /> As version {next}; version{" "}
            {written} stays as it is
          </label>
          <label className={css.radio}>
            <input type="radio" checked={as === "over"} onChange={() => setAs("over")} /> Over version {written}, which
            is lost
          </label>
        </div>
      )}
      <p className={runs && overwrites ? css.warn : "soft"}>
        {runs
          ? `${count(runs, "execution")} of version ${written} ${runs === 1 ? "is" : "are"} open: ${runs === 1 ? "it keeps" : "they keep"} the definition ${runs === 1 ? "it" : "they"} began with, unless restarted with the latest.`
          : "No open execution has this version. What runs keeps the definition it began with."}
      </p>
      {affected.length > 0 && (
        <div>
          <p className="soft">From now on these start this one:</p>
          <UseList uses={affected} />
        </div>
      )}
      {base && <Breaks before={base.definition} after={value as unknown as WorkflowDef} isOver={overwrites} />}
      {base && <Diff before={base.text} after={text} label="What changes" />}
      {failed && (
        <p role="alert" className={css.wrong}>
          {failed}
        </p>
      )}
    </Dialog>
  );
}
