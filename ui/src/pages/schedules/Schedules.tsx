// Schedules: what the clock starts and when next, in the zone it is meant in.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { schedules } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { Button } from "../../design/Button";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Icon } from "../../design/Icon";
import { Panels } from "../../design/Panel";
import { ListFilter } from "../../design/SearchField";
import { Gone } from "../../design/Side";
import { Table, type Column } from "../../design/Table";
import { When } from "../../design/Time";
import { count } from "../../lib/format";
import { entriesOf, wallClock } from "../../lib/schedule";
import { to, useParams } from "../../lib/url";
import { ScheduleForm } from "./ScheduleForm";
import { SchedulePanel } from "./SchedulePanel";
import css from "./Schedules.module.css";
import { askedDelete, askedPause, resumed } from "./verbs";

export default function Schedules() {
  const [params, change] = useParams();
  const found = useQuery(schedules());
  const [selected, setSelected] = useState<Set<string>>(new Set());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div className="page" aria-busy="true" />;
  const all = [...found.data].sort((a, b) => a.name.localeCompare(b.name));
  const word = (params.get("word") ?? "").toLowerCase();
  const isPaused = params.get("paused") === "1";
  const rows = all.filter(
    one =>
      (!isPaused || one.paused) &&
      (one.name.toLowerCase().includes(word) || one.startWorkflowRequest.name.toLowerCase().includes(word)),
  );
  const name = params.get("name");
  const chosen = all.find(one => one.name === name);
  const edited = params.get("edit");
  const isNew = params.get("new") === "1";
  const changed = all.find(one => one.name === edited) ?? null;
  const acted = all.filter(one => selected.has(one.name));
  const act = (work: Promise<unknown>) => void work.then(() => setSelected(new Set()));
  return (
    <div className="page full">
      <h1 className="visually-hidden">Schedules</h1>
      <ListFilter
        label="Schedules"
        search="Schedule or workflow"
        only={{ name: "paused", label: `Paused: ${count(all.filter(one => one.paused).length)}` }}
      >
        <Button icon="plus" kind="primary" onClick={() => change({ new: "1" }, { push: true })}>
          New schedule
        </Button>
      </ListFilter>
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
            <Button small kind="quiet" onClick={() => setSelected(new Set())}>
              Select none
            </Button>
          </>
        ) : (
          <span className="faint">{count(rows.length, "schedule")}</span>
        )}
      </div>
      <Panels
        label="Schedule"
        panel={
          chosen ? (
            <SchedulePanel key={chosen.name} schedule={chosen} onClose={() => change({ name: "" })} />
          ) : (
            name && <Gone what="schedule" name={name} onClose={() => change({ name: "" })} />
          )
        }
      >
        <Table
          label="Schedules"
          columns={COLUMNS}
          rows={rows}
          keyOf={one => one.name}
          current={chosen?.name}
          onOpen={one => change({ name: one.name }, { push: true })}
          hrefOf={one => to.schedules(one.name)}
          selected={selected}
          onSelect={setSelected}
          empty={
            all.length ? (
              <EmptyState icon="search" title="No schedule is like that">
                <Link href={to.schedules()}>Show all schedules</Link>
              </EmptyState>
            ) : (
              <EmptyState
                icon="calendar"
                title="Nothing is started by the clock"
                command={`curl -X POST ${location.origin}/api/scheduler/schedules -H 'content-type: application/json' -d '{"name": "nightly", "cronExpression": "0 0 3 * * *", "startWorkflowRequest": {"name": "NAME"}}'`}
              >
                A schedule starts a workflow at the times an expression says. Make one here, or with:
              </EmptyState>
            )
          }
        />
      </Panels>
      {(isNew || changed) && (
        <ScheduleForm
          key={edited ?? ""}
          schedule={changed}
          names={all.map(one => one.name)}
          onClose={saved => change({ new: "", edit: "", ...(saved ? { name: saved } : {}) })}
        />
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
