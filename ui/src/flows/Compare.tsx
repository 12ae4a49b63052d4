// Two runs side by side: what each node made, how it went, and which settings were others.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { Button } from "../design/Button";
import { Status } from "../design/Status";
import { count, duration, when } from "../lib/format";
import * as api from "./api";
import { isAlike, pairsOf, type Pair, type Ran, type Side } from "./compare";
import { consoleOf, useHealth } from "./health";
import { NodeIcon } from "./NodeIcon";
import { labelOf, Medium } from "./Preview";
import { isOver, lookOfStatus } from "./results";
import { Failed } from "./Failed";
import { Sheet } from "./Sheet";
import { costOf, dollars } from "./spend";
import type { NodeTypes } from "./types";
import css from "./Compare.module.css";

function useRan(id: string) {
  return useQuery({
    queryKey: ["ran", id],
    queryFn: async (): Promise<Ran> => {
      const [run, document] = await Promise.all([api.status(id), api.flowOfRun(id)]);
      return { run, document };
    },
    refetchInterval: query => !!query.state.data && !isOver(query.state.data.run.status) && 2000,
  });
}

export default function Compare({ types }: { types: NodeTypes }) {
  const [address, setAddress] = useSearchParams();
  const [isShort, setShort] = useState(false);
  const [a, b] = [address.get("a") ?? "", address.get("b") ?? ""];
  const [left, right] = [useRan(a), useRan(b)];
  const leave = () => {
    const flow = address.get("flow");
    setAddress(flow ? { flow, run: address.get("run") ?? b } : { view: "runs" });
  };
  const error = left.error ?? right.error;
  if (error) return <Failed error={error} onRetry={() => void Promise.all([left.refetch(), right.refetch()])} />;
  if (!left.data || !right.data) return <p aria-busy="true" />;
  const pairs = pairsOf(left.data, right.data, types);
  const other = pairs.filter(pair => !isAlike(pair));
  return (
    <Sheet
      title="Two runs"
      width={1440}
      back={{ to: address.get("flow") ? "Back to the flow" : "All runs", onBack: leave }}
      acts={
        <>
          <label className={css.only}>
            <input type="checkbox" checked={isShort} onChange={event => setShort(event.target.checked)} />
            Only what differs
          </label>
          <Button
            icon="compare"
            onClick={() => setAddress(now => ({ ...Object.fromEntries(now), a: b, b: a }), { replace: true })}
          >
            Swap
          </Button>
        </>
      }
    >
      <div className={css.pair} data-head="">
        <RunHead letter="A" ran={left.data} />
        <RunHead letter="B" ran={right.data} />
      </div>
      <p className="soft" role="status">
        {other.length
          ? `${count(other.length, "node")} of ${pairs.length} ${other.length === 1 ? "differs" : "differ"}.`
          : "Both are the same."}
      </p>
      {(isShort ? other : pairs).map(pair => (
        <OnePair key={pair.id} pair={pair} types={types} />
      ))}
    </Sheet>
  );
}

function RunHead({ letter, ran }: { letter: string; ran: Ran }) {
  const { run } = ran;
  const health = useHealth();
  const place = consoleOf(health, run.workflowId);
  const [start, end] = [run.startTime, run.endTime].map(at => (at ? Date.parse(at) : 0)) as [number, number];
  const spent = run.spentUsd;
  return (
    <section className={css.run} aria-label={`Run ${letter}`}>
      <b className={css.letter}>{letter}</b>
      <div className={css.words}>
        <h2 className="cut">{run.workflowName}</h2>
        <p className={css.line}>
          <Status status={lookOfStatus(run.status)} />
          <span className="faint">
            {[start && when(start), end && duration(end - start), spent > 0 && dollars(spent)]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </p>
        {place && (
          <a href={place} target="_blank" rel="noreferrer">
            In the console
          </a>
        )}
      </div>
    </section>
  );
}

function OnePair({ pair, types }: { pair: Pair; types: NodeTypes }) {
  const type = types.get((pair.b ?? pair.a)!.node.type);
  const id = `pair-${pair.id}`;
  return (
    <section className={css.node} aria-labelledby={id} data-alike={isAlike(pair) || undefined}>
      <header className={css.title}>
        <NodeIcon name={type?.icon ?? ""} />
        <h3 id={id}>{pair.title}</h3>
        <span className="faint">{verdict(pair)}</span>
      </header>
      {pair.differences.length > 0 && (
        <table className={css.settings}>
          <thead className="visually-hidden">
            <tr>
              <th>Setting</th>
              <th>A</th>
              <th>B</th>
            </tr>
          </thead>
          <tbody>
            {pair.differences.map(({ name, a, b }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <del>{a}</del>
                </td>
                <td>
                  <ins>{b}</ins>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className={css.pair}>
        <Made side={pair.a} label={`${pair.title}, A`} />
        <Made side={pair.b} label={`${pair.title}, B`} />
      </div>
    </section>
  );
}

function verdict(pair: Pair): string {
  if (!pair.a) return "only in B";
  if (!pair.b) return "only in A";
  const words = [pair.differences.length ? count(pair.differences.length, "other setting") : "same settings"];
  if (pair.a.shown && pair.b.shown) words.push(pair.isSame ? "same result" : "another result");
  return words.join(", ");
}

function Made({ side, label }: { side: Side | null; label: string }) {
  if (!side) return <p className={`${css.made} faint`}>Not part of this run.</p>;
  const { status, shown, output } = side;
  const took = status?.startedAt && status.endedAt ? duration(status.endedAt - status.startedAt) : "";
  const cost = costOf(output);
  return (
    <div className={css.made}>
      <p className={css.line}>
        {status ? (
          <Status status={lookOfStatus(status.status, status.partial)} />
        ) : (
          <span className="faint">Did not run</span>
        )}
        <span className="faint">
          {[took, cost > 0 && dollars(cost), status?.cachedFrom && "kept from an earlier run"]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </p>
      {status?.error && <p className={css.error}>{status.error}</p>}
      {shown && (
        <div className={css.values} data-many={shown.values.length > 1 || undefined}>
          {shown.values.map((value, index) => (
            <Medium
              key={index}
              medium={shown.medium}
              value={value}
              label={labelOf(label, index, shown.values.length)}
            />
          ))}
        </div>
      )}
    </div>
  );
}
