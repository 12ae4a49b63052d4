// Below the canvas: what keeps the flow from running, what it made, and the runs before.
import { useState } from "react";
import { Icon } from "../design/Icon";
import { Status } from "../design/Status";
import { duration } from "../lib/format";
import { restore } from "./actions";
import { labelOf, Medium } from "./Preview";
import { lookOfStatus, shownOf } from "./results";
import { Runs } from "./Runs";
import { studio, useStudio } from "./studio";
import css from "./Drawer.module.css";

type Tab = "checklist" | "results" | "history";

export function Drawer() {
  const [open, setOpen] = useState<Tab | null>(null);
  const problems = useStudio(state => state.problems);
  const outputs = useStudio(state => state.outputs);
  const errors = [...problems.values()].flat().filter(problem => problem.severity === "error").length;
  const tabs: [Tab, string][] = [
    ["checklist", errors ? `Checklist (${errors})` : "Checklist"],
    ["results", outputs.size ? `Results (${outputs.size})` : "Results"],
    ["history", "History"],
  ];
  return (
    <section className={css.drawer} aria-label="Run">
      {open && (
        <div className={css.panel}>
          {open === "checklist" && <Checklist />}
          {open === "results" && <Results />}
          {open === "history" && <History />}
        </div>
      )}
      <footer className={css.bar}>
        {tabs.map(([tab, title]) => (
          <button
            key={tab}
            type="button"
            aria-expanded={open === tab}
            data-bad={(tab === "checklist" && errors > 0) || undefined}
            onClick={() => setOpen(open === tab ? null : tab)}
          >
            {title}
          </button>
        ))}
        <RunLine />
      </footer>
    </section>
  );
}

function RunLine() {
  const run = useStudio(state => state.run);
  const price = useStudio(state => state.estimateUsd);
  const failed = useStudio(state => state.run?.nodeStatuses.find(node => node.error));
  const done = run?.nodeStatuses.filter(node => node.status === "completed").length ?? 0;
  return (
    <p className={css.line} aria-live="polite">
      {run ? (
        <>
          <Status status={lookOfStatus(run.status)} />
          <span className="faint">
            {done} of {run.nodeStatuses.length} nodes
            {run.startTime && run.endTime && `, ${duration(Date.parse(run.endTime) - Date.parse(run.startTime))}`}
          </span>
          {failed && (
            <button type="button" className={css.reason} onClick={() => studio().select([failed.id])}>
              {failed.error}
            </button>
          )}
        </>
      ) : (
        <span className="faint">Not run yet</span>
      )}
      <span className={css.price} title="A rough price of one run, each node once">
        {price ? `about $${price.toFixed(price < 0.1 ? 3 : 2)}` : "free"}
      </span>
    </p>
  );
}

function Checklist() {
  const problems = useStudio(state => state.problems);
  const nodes = useStudio(state => state.nodes);
  const all = [...problems.values()].flat();
  if (!nodes.size) return <p className="faint">Add a node, or begin with a template.</p>;
  if (!all.length)
    return (
      <p className={css.good}>
        <Icon name="check" /> Everything is there. Ctrl Enter runs it.
      </p>
    );
  return (
    <ul className={css.list}>
      {all.map(problem => (
        <li key={`${problem.nodeId} ${problem.field} ${problem.code}`} data-severity={problem.severity}>
          <button type="button" onClick={() => studio().select([problem.nodeId])}>
            <strong>{nodes.get(problem.nodeId)?.title || problem.nodeId}</strong>
            {problem.field && ` · ${problem.field}`}: {problem.message}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Results() {
  const outputs = useStudio(state => state.outputs);
  const nodes = useStudio(state => state.nodes);
  const types = useStudio(state => state.types);
  const found = [...nodes.values()].reverse().flatMap(node => {
    const shown = shownOf(node, types, outputs.get(node.id));
    return shown ? [{ node, shown }] : [];
  });
  if (!found.length) return <p className="faint">What a run makes is shown here.</p>;
  return (
    <div className={css.gallery}>
      {found.map(({ node, shown }) =>
        shown.values.map((value, index) => (
          <figure key={`${node.id} ${index}`}>
            <Medium
              medium={shown.medium}
              value={value}
              label={labelOf(node.title || node.id, index, shown.values.length)}
            />
            <figcaption className="faint cut">
              {node.title || node.id}
              {shown.values.length > 1 && ` ${index + 1}`}
            </figcaption>
          </figure>
        )),
      )}
    </div>
  );
}

function History() {
  const run = useStudio(state => state.run);
  const flow = useStudio(state => state.flow?.id);
  if (!flow) return <p className="faint">This flow has not run yet.</p>;
  return (
    <Runs
      filter={{ flowId: flow }}
      shown={run?.workflowId}
      again={run ? `${run.workflowId} ${run.status}` : ""}
      acts={{
        onShow: kept => studio().watch(kept.workflowId),
        onRestore: kept => void restore(kept.workflowId).then(() => studio().watch(kept.workflowId)),
      }}
      none={<p className="faint">This flow has not run yet.</p>}
    />
  );
}
