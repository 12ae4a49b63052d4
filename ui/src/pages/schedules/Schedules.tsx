// Schedules: what the clock starts and when next, in the zone it is meant in.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { schedules } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { Collection } from "../../app/Collection";
import { Button } from "../../design/Button";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Icon } from "../../design/Icon";
import type { Column } from "../../design/Table";
import { When } from "../../design/Time";
import { count } from "../../lib/format";
import { entriesOf, wallClock } from "../../lib/schedule";
import { to } from "../../lib/url";
import { ScheduleForm } from "./ScheduleForm";
import { SchedulePanel } from "./SchedulePanel";
import css from "./Schedules.module.css";
import { askedDelete, askedPause, resumed } from "./verbs";

export default function Schedules() {
  const found = useQuery(schedules());
  const [selected, setSelected] = useState<Set<string>>(new Set());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div className="page" aria-busy="true" />;
  const all = [...found.data].sort((a, b) => a.name.localeCompare(b.name));
  const acted = all.filter(one => selected.has(one.name));
  return (
    <div className="page full">
      <h1 className="visually-hidden">Schedules</h1>
      <Collection
        label={["Schedules", "Schedule"]}
        kind="schedule"
        search="Schedule or workflow"
        all={all}
        textOf={one => `${one.name} ${one.startWorkflowRequest.name}`}
        only={{ name: "paused", word: "Paused", holds: one => one.paused ?? false }}
        columns={COLUMNS}
        hrefOf={name => to.schedules(name)}
        panel={(one, close) => <SchedulePanel key={one.name} schedule={one} onClose={close} />}
        form={(one, names, close) => (
          <ScheduleForm key={one?.name ?? ""} schedule={one} names={names} onClose={close} />
        )}
        none={
          <EmptyState
            icon="calendar"
            title="Nothing is started by the clock"
            command={`curl -X POST ${location.origin}/api/scheduler/schedules -H 'content-type: application/json' -d '{"name": "nightly", "cronExpression": "0 0 3 * * *", "startWorkflowRequest": {"name": "NAME"}}'`}
          >
            A schedule starts a workflow at the times an expression says. Make one here, or with:
          </EmptyState>
        }
        selection={{ selected, onSelect: setSelected }}
        bar={rows => <Bar acted={acted} shown={rows.length} onDone={() => setSelected(new Set())} />}
      />
    </div>
  );
}

/** What is done to those that are selected. */
function Bar({ acted, shown, onDone }: { acted: Schedule[]; shown: number; onDone: () => void }) {
  const act = (work: Promise<unknown>) => void work.then(onDone);
  return (
    <div className={css.bar} aria-live="polite">
      {acted.length ? (
        <>
          <strong>{count(acted.length)} selected</strong>
          <Button small icon="pause" onClick={() => act(askedPause(acted))}>
            Pause
          </Button>
          <Button small icon="play" onClick={() => act(resumed(acted))}>
            Resume
          </Button>
          <Button small icon="trash" kind="danger" onClick={() => act(askedDelete(acted))}>
            Delete
          </Button>
          <Button small kind="quiet" onClick={onDone}>
            Select none
          </Button>
        </>
      ) : (
        <span className="faint">{count(shown, "schedule")}</span>
      )}
    </div>
  );
}

function State({ schedule }: { schedule: Schedule }) {
  const state = schedule.paused ? "paused" : schedule.nextRunTime ? "on" : "over";
  return (
    <span className={css.state} data-state={state} title={schedule.pausedReason}>
      <Icon name={state === "paused" ? "pause" : state === "on" ? "time" : "stop"} size={14} />
      {state === "paused" ? "Paused" : state === "on" ? "On" : "Over"}
    </span>
  );
}

const COLUMNS: Column<Schedule>[] = [
  { key: "state", head: "State", width: "88px", cell: one => <State schedule={one} /> },
  {
    key: "name",
    head: "Schedule",
    width: "minmax(120px, 1fr)",
    cell: one => (
      <Link href={to.schedules(one.name)} title={one.description ?? one.name}>
        {one.name}
      </Link>
    ),
  },
  {
    key: "next",
    head: "Next run",
    width: "96px",
    cell: one => (one.paused ? <span className="faint">–</span> : <When at={one.nextRunTime ?? 0} relative ahead />),
  },
  {
    key: "clock",
    head: "On its clock",
    width: "minmax(190px, 1fr)",
    wide: true,
    cell: one => (
      <span className="soft">
        {!one.paused && one.nextRunTime ? wallClock(one.nextRunTime, entriesOf(one)[0]!.zone, true) : ""}
      </span>
    ),
  },
  {
    key: "cron",
    head: "When",
    width: "minmax(150px, 1fr)",
    wide: true,
    cell: one => {
      const entries = entriesOf(one);
      return (
        <span title={entries.map(entry => `${entry.cron} ${entry.zone}`).join("\n")}>
          <code>{entries[0]!.cron}</code> <span className="faint">{entries[0]!.zone}</span>
          {entries.length > 1 && <span className="faint"> and {entries.length - 1} more</span>}
        </span>
      );
    },
  },
  {
    key: "workflow",
    head: "Starts",
    width: "minmax(120px, 1fr)",
    wide: true,
    cell: one => <span>{one.startWorkflowRequest.name}</span>,
  },
];
