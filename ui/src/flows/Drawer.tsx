// Below the canvas: what keeps the flow from running, what it made, and the runs before.
import { useState } from "react";
import { Icon } from "../design/Icon";
import { Status } from "../design/Status";
import { duration } from "../lib/format";
import { restore } from "./actions";
import { consoleOf, useHealth } from "./health";
import { labelOf, Medium } from "./Preview";
import { lookOfStatus, shownOf } from "./results";
import { Runs } from "./Runs";
import { boundsOf, dollars, overOf, priceOf } from "./spend";
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
  const failed = useStudio(state => state.run?.nodeStatuses.find(node => node.error));
  const place = consoleOf(useHealth(), run?.workflowId ?? "");
  if (!run)
    return (
      <p className={css.line}>
        <span className="faint">Not run yet</span>
      </p>
    );
  const done = run.nodeStatuses.filter(node => node.status === "completed").length;
  const took = run.startTime && run.endTime ? duration(Date.parse(run.endTime) - Date.parse(run.startTime)) : "";
  const cached = run.nodeStatuses.filter(node => node.cachedFrom).length;
  const said = [
    `${done} of ${run.nodeStatuses.length} nodes`,
    took,
    cached > 0 && `${cached} cached`,
    run.spentUsd > 0 && `${dollars(run.spentUsd)} spent`,
  ];
  return (
    <>
      <p className={css.line} aria-live="polite">
        <Status status={lookOfStatus(run.status)} />
        <span className="faint">{said.filter(Boolean).join(", ")}</span>
        {failed && (
          <button type="button" className={css.reason} onClick={() => studio().select([failed.id])}>
            {failed.error}
          </button>
        )}
      </p>
      {place && (
        <a className={css.place} href={place} target="_blank" rel="noreferrer">
          Run in the console
        </a>
      )}
    </>
  );
}

function Checklist() {
  const problems = useStudio(state => state.problems);
  const nodes = useStudio(state => state.nodes);
  const estimate = useStudio(state => state.estimate);
  const all = [...problems.values()].flat();
  const cost = estimate && (
    <p className={css.cost} data-over={overOf(estimate) ? "" : undefined}>
      One run: {priceOf(estimate)}
      {overOf(estimate) && `, ${overOf(estimate)}`}. <span className="faint">{boundsOf(estimate)}</span>
    </p>
  );
  if (!nodes.size) return <p className="faint">Add a node, or begin with a template.</p>;
  if (!all.length)
    return (
      <>
        <p className={css.good}>
          <Icon name="check" /> Everything is there. Ctrl Enter runs it.
        </p>
        {cost}
      </>
    );
  return (
    <>
      {cost}
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
    </>
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
