// What became of messages: one line for each action of each handler.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { eventExecutions, eventHandlers } from "../../api/queries";
import type { EventExecution } from "../../api/types";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { JsonTree } from "../../design/JsonTree";
import { Panels } from "../../design/Panel";
import { Chip, Filter, SearchField } from "../../design/SearchField";
import { Pair, Pairs, Part, Side } from "../../design/Side";
import { Status } from "../../design/Status";
import { Table, type Column } from "../../design/Table";
import { When } from "../../design/Time";
import { count } from "../../lib/format";
import { to, useParams } from "../../lib/url";

const keyOf = (one: EventExecution) => `${one.name} ${one.id}`;

export function Messages() {
  const [params, change] = useParams();
  const status = params.get("status") ?? "";
  const filter = {
    handler: params.get("handler") ?? "",
    event: params.get("event") ?? "",
    messageId: params.get("message") ?? "",
    status,
  };
  const found = useQuery(eventExecutions(filter));
  const handlers = useQuery(eventHandlers());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  const rows = found.data?.results ?? [];
  const chosen = rows.find(one => keyOf(one) === params.get("id") || one.id === params.get("id"));
  const isAsked = Object.values(filter).some(Boolean);
  return (
    <>
      <Filter label="Messages">
        <SearchField
          label="Handler"
          value={filter.handler}
          onChange={handler => change({ handler })}
          options={handlers.data?.map(one => one.name) ?? []}
        />
        <SearchField
          label="Event"
          value={filter.event}
          onChange={event => change({ event })}
          options={[...new Set(handlers.data?.map(one => one.event))]}
        />
        <SearchField label="Message id" value={filter.messageId} onChange={message => change({ message })} isSearch />
        {["COMPLETED", "FAILED", "SKIPPED"].map(one => (
          <Chip key={one} on={status === one} onClick={() => change({ status: status === one ? "" : one })}>
            <Status status={one} />
          </Chip>
        ))}
        {found.data && <span className="faint">{count(found.data.totalHits, "outcome")}</span>}
      </Filter>
      <Panels label="Message" panel={chosen && <Outcome outcome={chosen} onClose={() => change({ id: "" })} />}>
        <Table
          label="What became of messages"
          columns={COLUMNS}
          rows={rows}
          keyOf={keyOf}
          current={chosen && keyOf(chosen)}
          onOpen={one => change({ id: keyOf(one) }, { push: true })}
          empty={
            found.isPending ? null : isAsked ? (
              <EmptyState icon="search" title="No message is like that">
                <Link href={to.events({ view: "messages" })}>Show all</Link>
              </EmptyState>
            ) : (
              <EmptyState icon="bolt" title="No message has come yet" command="batuta workflow start NAME --input '{}'">
                An EVENT task publishes one when its workflow comes to it; a broker brings others.
              </EmptyState>
            )
          }
        />
      </Panels>
    </>
  );
}

function Outcome({ outcome, onClose }: { outcome: EventExecution; onClose: () => void }) {
  const id = outcome.output.workflowId;
  return (
    <Side title={outcome.name} onClose={onClose}>
      <Pairs>
        <Pair name="Status">
          <Status status={outcome.status} />
        </Pair>
        <Pair name="Action">{outcome.action}</Pair>
        <Pair name="Event">
          <span className="mono">{outcome.event}</span>
        </Pair>
        <Pair name="Message">
          <Link className="mono" href={to.events({ view: "messages", message: outcome.messageId })}>
            {outcome.messageId}
          </Link>
        </Pair>
        <Pair name="Handler">
          <Link href={to.events({ name: outcome.name })}>{outcome.name}</Link>
        </Pair>
        <Pair name="At">
          <When at={outcome.created} />
        </Pair>
        {typeof id === "string" && (
          <Pair name="Execution">
            <Link className="mono" href={to.execution(id)}>
              {id}
            </Link>
          </Pair>
        )}
      </Pairs>
      <Part title="What came out">
        <JsonTree key={keyOf(outcome)} value={outcome.output} root="output" label="What came out" />
      </Part>
    </Side>
  );
}

const COLUMNS: Column<EventExecution>[] = [
  { key: "status", head: "Status", width: "120px", cell: one => <Status status={one.status} /> },
  { key: "created", head: "When", width: "104px", cell: one => <When at={one.created} relative /> },
  {
    key: "name",
    head: "Handler",
    width: "minmax(120px, 1fr)",
    cell: one => <Link href={to.events({ name: one.name })}>{one.name}</Link>,
  },
  {
    key: "action",
    head: "Action",
    width: "minmax(120px, 0.8fr)",
    wide: true,
    cell: one => <span>{one.action}</span>,
  },
  {
    key: "event",
    head: "Event",
    width: "minmax(140px, 1fr)",
    wide: true,
    cell: one => <span className="mono soft">{one.event}</span>,
  },
  {
    key: "why",
    head: "What came out",
    width: "minmax(140px, 1.6fr)",
    wide: true,
    cell: one => {
      const id = one.output.workflowId;
      const said = one.output.error ?? one.output.reason;
      return said ? (
        <span title={String(said)}>{String(said)}</span>
      ) : typeof id === "string" ? (
        <Link className="mono" href={to.execution(id)}>
          {id}
        </Link>
      ) : null;
    },
  },
];
