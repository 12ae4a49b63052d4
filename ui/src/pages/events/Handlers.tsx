import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { eventHandlers } from "../../api/queries";
import type { EventHandler } from "../../api/types";
import { Collection } from "../../app/Collection";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import type { Column } from "../../design/Table";
import { described, tagText } from "../../lib/handler";
import { to } from "../../lib/url";
import { HandlerForm } from "./HandlerForm";
import { HandlerPanel } from "./HandlerPanel";
import { ActiveSwitch, Tags } from "./HandlerParts";

export function Handlers() {
  const found = useQuery(eventHandlers());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div aria-busy="true" />;
  return (
    <Collection
      label={["Event handlers", "Event handler"]}
      kind="handler"
      search="Name, event, action or tag"
      all={found.data}
      textOf={one => `${one.name} ${one.event} ${one.actions.map(described).join(" ")} ${tagText(one.tags ?? [])}`}
      only={{ name: "off", word: "Off", holds: one => !one.active }}
      columns={COLUMNS}
      hrefOf={name => to.events({ name })}
      panel={(one, close) => <HandlerPanel key={one.name} handler={one} onClose={close} />}
      form={(one, names, close) => <HandlerForm key={one?.name ?? ""} handler={one} names={names} onClose={close} />}
      none={
        <EmptyState
          icon="bolt"
          title="Nobody listens to events"
          command={`curl -X POST ${location.origin}/api/event -H 'content-type: application/json' -d '{"name": "greet", "event": "conductor:orders:placed", "active": true, "actions": [{"action": "start_workflow", "start_workflow": {"name": "NAME"}}]}'`}
        >
          A handler starts a workflow, or ends a task that waits, when a message comes. Make one here, or with:
        </EmptyState>
      }
    />
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
