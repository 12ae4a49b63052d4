// Messages of EVENT tasks that have not reached their queue yet, and why.
import { useQuery } from "@tanstack/react-query";
import { outgoingMessages } from "../../api/queries";
import type { OutgoingMessage } from "../../api/types";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { JsonTree } from "../../design/JsonTree";
import { Panels } from "../../design/Panel";
import { Notice, Pair, Pairs, Part, Side } from "../../design/Side";
import { Table, type Column } from "../../design/Table";
import { When } from "../../design/Time";
import { count } from "../../lib/format";
import { useParams } from "../../lib/url";

export function Outgoing() {
  const [params, change] = useParams();
  const found = useQuery(outgoingMessages());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  const rows = found.data?.results ?? [];
  const chosen = rows.find(one => one.messageId === params.get("id"));
  return (
    <Panels
      label="Outgoing message"
      panel={
        chosen && (
          <Side title={<span className="mono">{chosen.event}</span>} onClose={() => change({ id: "" })}>
            {chosen.reason && (
              <Notice>{chosen.reason}. It is tried again by itself, and goes out as soon as the broker is back.</Notice>
            )}
            <Pairs>
              <Pair name="Published">
                <When at={chosen.created} />
              </Pair>
              <Pair name="Tried">{count(chosen.attempts ?? 0, "time")}</Pair>
              <Pair name="Message">
                <span className="mono">{chosen.messageId}</span>
              </Pair>
            </Pairs>
            <Part title="Payload">
              <JsonTree key={chosen.messageId} value={chosen.payload} root="payload" label="Payload" />
            </Part>
          </Side>
        )
      }
    >
      <Table
        label="Outgoing messages"
        columns={COLUMNS}
        rows={rows}
        keyOf={one => one.messageId}
        current={chosen?.messageId}
        onOpen={one => change({ id: one.messageId }, { push: true })}
        empty={
          found.isPending ? null : (
            <EmptyState
              icon="check"
              title="Nothing waits for a broker"
              command="BATUTA_NATS_URL=nats://HOST:4222 batuta server"
            >
              Every message of an EVENT task has reached its queue. Messages for a broker that is away wait here.
            </EmptyState>
          )
        }
      />
    </Panels>
  );
}

const COLUMNS: Column<OutgoingMessage>[] = [
  { key: "created", head: "Published", width: "104px", cell: one => <When at={one.created} relative /> },
  {
    key: "event",
    head: "Event",
    width: "minmax(140px, 1fr)",
    cell: one => <span className="mono">{one.event}</span>,
  },
  { key: "attempts", head: "Tried", width: "72px", end: true, cell: one => count(one.attempts ?? 0) },
  {
    key: "why",
    head: "Why it waits",
    width: "minmax(160px, 2fr)",
    wide: true,
    cell: one => (
      <span className="soft" title={one.reason}>
        {one.reason || "on its way"}
      </span>
    ),
  },
];
