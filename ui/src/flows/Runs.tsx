// Runs that were: what they made, how they ended, and what can be done with them. The same list is a flow's history and the gallery of all.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useSearchParams } from "wouter";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import { Status } from "../design/Status";
import { ago, count, duration, when } from "../lib/format";
import * as api from "./api";
import { consoleOf, useHealth } from "./health";
import { addressOf, isOver, lookOfStatus } from "./results";
import { dollars } from "./spend";
import type { Kept, RunFilter } from "./types";
import css from "./Runs.module.css";

export interface Acts {
  onShow: (kept: Kept) => void;
  onRestore: (kept: Kept) => void;
}

/** *shown*: the run that is looked at; *again* changes when there is something new. */
export function Runs({
  filter,
  acts,
  shown = "",
  again = "",
  none,
}: {
  filter: Partial<RunFilter>;
  acts: Acts;
  shown?: string;
  again?: string;
  none: ReactNode;
}) {
  const [, setAddress] = useSearchParams();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const found = useInfiniteQuery({
    queryKey: ["flow-history", filter, again],
    queryFn: ({ pageParam }) => api.history(filter, pageParam),
    initialPageParam: "",
    getNextPageParam: page => page.next,
    placeholderData: before => before,
    refetchInterval: query => query.state.data?.pages.some(page => page.runs.some(run => !isOver(run.status))) && 2000,
  });
  if (found.error) return <p role="alert">{found.error.message}</p>;
  if (!found.data) return <p className="faint" aria-busy="true" />;
  const runs = found.data.pages.flatMap(page => page.runs);
  if (!runs.length) return <>{none}</>;
  const choose = (id: string) =>
    setChosen(now => (now.includes(id) ? now.filter(one => one !== id) : [...now, id].slice(-2)));
  return (
    <>
      <ul className={css.runs}>
        {runs.map(kept => (
          <RunCard
            key={kept.workflowId}
            kept={kept}
            acts={acts}
            isShown={kept.workflowId === shown}
            isChosen={chosen.includes(kept.workflowId)}
            onChoose={() => choose(kept.workflowId)}
          />
        ))}
      </ul>
      {found.hasNextPage && (
        <p className={css.further}>
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older runs
          </Button>
        </p>
      )}
      {chosen.length > 0 && (
        <p className={css.choice} role="status">
          {chosen.length === 1 ? "Choose a second run to compare it with." : "Two runs are chosen."}
          <Button
            small
            kind="primary"
            icon="compare"
            disabled={chosen.length < 2}
            onClick={() => {
              const [a, b] = ordered(chosen, runs);
              setAddress(now => ({ ...Object.fromEntries(now), view: "compare", a, b }));
            }}
          >
            Compare
          </Button>
          <Button small kind="quiet" icon="x" aria-label="Choose none" onClick={() => setChosen([])} />
        </p>
      )}
    </>
  );
}

/** The older one first. */
function ordered(ids: readonly string[], runs: readonly Kept[]): [string, string] {
  const places = new Map(runs.map((run, at) => [run.workflowId, at]));
  const [a, b] = [...ids].sort((x, y) => (places.get(y) ?? 0) - (places.get(x) ?? 0));
  return [a!, b!];
}

function RunCard({
  kept,
  acts,
  isShown,
  isChosen,
  onChoose,
}: {
  kept: Kept;
  acts: Acts;
  isShown: boolean;
  isChosen: boolean;
  onChoose: () => void;
}) {
  const health = useHealth();
  const at = kept.startTime ? Date.parse(kept.startTime) : 0;
  const spent = kept.spentUsd;
  const reason = kept.results.find(result => result.error)?.error ?? kept.error; // the node's own words before the orchestrator's
  const console_ = consoleOf(health, kept.workflowId);
  const named = `${kept.workflowName}, ${at ? ago(at) : "not begun"}`;
  return (
    <li className={css.run} aria-current={isShown || undefined} data-chosen={isChosen || undefined}>
      <button type="button" className={css.poster} onClick={() => acts.onShow(kept)}>
        <span className="visually-hidden">Show {named}</span>
        <Poster kept={kept} />
      </button>
      <div className={css.said}>
        <p className={css.name}>
          <Status status={lookOfStatus(kept.status)} bare />
          <strong className="cut">{kept.workflowName}</strong>
          <Menu
            trigger={<Button kind="quiet" small icon="more" aria-label={`More about ${named}`} />}
            items={[
              { label: "Show on the canvas", icon: "screen", onSelect: () => acts.onShow(kept) },
              {
                label: "Restore the flow",
                icon: "undo",
                hint: "as it was in this run",
                onSelect: () => acts.onRestore(kept),
              },
              ...(console_
                ? [
                    {
                      label: "Open in the console",
                      icon: "external" as const,
                      onSelect: () => open(console_, "_blank"),
                    },
                  ]
                : []),
            ]}
          />
        </p>
        <p className="faint" title={at ? when(at) : undefined}>
          {[
            at && ago(at),
            kept.durationMs && duration(kept.durationMs),
            count(kept.nodeCount, "node"),
            spent > 0 && dollars(spent),
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
        {reason && (
          <p className={`${css.reason} cut`} title={reason}>
            {reason}
          </p>
        )}
        <label className={css.choose}>
          <input type="checkbox" checked={isChosen} onChange={onChoose} /> Compare
          <span className="visually-hidden"> {named}</span>
        </label>
      </div>
    </li>
  );
}

const MOVING = /^(video|image)Url$/;

/** Up to four of the pictures and films that a run made, the last first; a sound or a text when it made none. */
function Poster({ kept }: { kept: Kept }) {
  const made = [...kept.results].reverse().flatMap(result =>
    Object.entries(result.data?.output ?? {})
      .filter(([name]) => MOVING.test(name))
      .flatMap(([, value]) => (Array.isArray(value) ? (value as unknown[]) : [value]))
      .map(addressOf)
      .filter(Boolean),
  );
  const shown = [...new Set(made)].slice(0, 4);
  if (shown.length)
    return (
      <span className={css.pictures} data-many={shown.length > 1 || undefined}>
        {shown.slice(0, shown.length === 3 ? 2 : 4).map(address => (
          <img key={address} src={`${address}/thumbnail`} alt="" loading="lazy" decoding="async" />
        ))}
      </span>
    );
  const text = kept.results.map(result => result.data?.output.text).find(value => typeof value === "string");
  return (
    <span className={css.words}>
      {typeof text === "string" ? (
        text.slice(0, 160)
      ) : (
        <Icon name={kept.status === "failed" ? "alert" : "flow"} size={22} />
      )}
    </span>
  );
}
