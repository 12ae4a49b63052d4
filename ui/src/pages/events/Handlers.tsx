import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { eventHandlers } from "../../api/queries";
import type { EventHandler } from "../../api/types";
import { Button } from "../../design/Button";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Panels } from "../../design/Panel";
import { ListFilter } from "../../design/SearchField";
import { Gone } from "../../design/Side";
import { Table, type Column } from "../../design/Table";
import { count } from "../../lib/format";
import { described, tagText } from "../../lib/handler";
import { to, useParams } from "../../lib/url";
import { HandlerForm } from "./HandlerForm";
import { HandlerPanel } from "./HandlerPanel";
import { ActiveSwitch, Tags } from "./HandlerParts";

export function Handlers() {
  const [params, change] = useParams();
  const found = useQuery(eventHandlers());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div aria-busy="true" />;
  const all = found.data;
  const word = (params.get("word") ?? "").toLowerCase();
  const isOff = params.get("off") === "1";
  const rows = all.filter(
    one =>
      !(isOff && one.active) &&
      `${one.name} ${one.event} ${one.actions.map(described).join(" ")} ${tagText(one.tags ?? [])}`
        .toLowerCase()
        .includes(word),
  );
  const name = params.get("name");
  const chosen = all.find(one => one.name === name);
  const edited = all.find(one => one.name === params.get("edit"));
  return (
    <>
      <ListFilter
        label="Event handlers"
        search="Name, event, action or tag"
        only={{ name: "off", label: `Off: ${count(all.filter(one => !one.active).length)}` }}
      >
        <Button icon="plus" kind="primary" onClick={() => change({ new: "1" }, { push: true })}>
          New handler
        </Button>
      </ListFilter>
      <Panels
        label="Event handler"
        panel={
          chosen ? (
            <HandlerPanel key={chosen.name} handler={chosen} onClose={() => change({ name: "" })} />
          ) : (
            name && <Gone what="handler" name={name} onClose={() => change({ name: "" })} />
          )
        }
      >
        <Table
          label="Event handlers"
          columns={COLUMNS}
          rows={rows}
          keyOf={one => one.name}
          current={chosen?.name}
          onOpen={one => change({ name: one.name }, { push: true })}
          hrefOf={one => to.events({ name: one.name })}
          empty={
            all.length ? (
              <EmptyState icon="search" title="No handler is like that">
                <Link href={to.events()}>Show all handlers</Link>
              </EmptyState>
            ) : (
              <EmptyState
                icon="bolt"
                title="Nobody listens to events"
                command={`curl -X POST ${location.origin}/api/event -H 'content-type: application/json' -d '{"name": "greet", "event": "conductor:orders:placed", "active": true, "actions": [{"action": "start_workflow", "start_workflow": {"name": "NAME"}}]}'`}
              >
                A handler starts a workflow, or ends a task that waits, when a message comes. Make one here, or with:
              </EmptyState>
            )
          }
        />
      </Panels>
      {(params.get("new") === "1" || edited) && (
        <HandlerForm
          key={edited?.name ?? ""}
          handler={edited ?? null}
          names={all.map(one => one.name)}
          onClose={saved => change({ new: "", edit: "", ...(saved ? { name: saved } : {}) })}
        />
      )}
    </>
  );
}

const COLUMNS: Column<EventHandler>[] = [
  { key: "active", head: "Active", width: "84px", cell: one => <ActiveSwitch handler={one} /> },
  {
    key: "name",
    head: "Handler",
    width: "minmax(130px, 1fr)",
    cell: one => (
      <Link href={to.events({ name: one.name })} title={one.description ?? one.name}>
        {one.name}
      </Link>
    ),
  },
  {
    key: "event",
    head: "Event",
    width: "minmax(140px, 1.2fr)",
    cell: one => (
      <span className="mono" title={one.event}>
        {one.event}
      </span>
    ),
  },
  {
    key: "does",
    head: "Does",
    width: "minmax(140px, 1.2fr)",
    wide: true,
    cell: one => <span>{one.actions.map(described).join(", ")}</span>,
  },
  {
    key: "condition",
    head: "When",
    width: "minmax(100px, 1fr)",
    wide: true,
    cell: one =>
      one.condition ? (
        <code className="soft" title={one.condition}>
          {one.condition}
        </code>
      ) : (
        <span className="faint">always</span>
      ),
  },
  { key: "tags", head: "Tags", width: "minmax(70px, 0.6fr)", wide: true, cell: one => <Tags tags={one.tags ?? []} /> },
];
