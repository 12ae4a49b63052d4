// Messages set aside because something failed for good: tried again, or forgotten.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { dropMessage, redeliver } from "../../api/actions";
import { client, deadMessages } from "../../api/queries";
import type { DeadMessage } from "../../api/types";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { JsonTree } from "../../design/JsonTree";
import { Panels } from "../../design/Panel";
import { Acts, Pair, Pairs, Part, Rows, Side } from "../../design/Side";
import { Table, type Column } from "../../design/Table";
import { When } from "../../design/Time";
import { toast, told } from "../../design/Toast";
import { count, wordsOf } from "../../lib/format";
import { to, useParams } from "../../lib/url";
import css from "./Events.module.css";

export function DeadMessages() {
  const [params, change] = useParams();
  const found = useQuery(deadMessages());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  const rows = found.data?.results ?? [];
  const chosen = rows.find(one => one.id === params.get("id"));
  return (
    <Panels
      label="Message set aside"
      panel={chosen && <Dead key={chosen.id} message={chosen} onClose={() => change({ id: "" })} />}
    >
      <Table
        label="Messages set aside"
        columns={COLUMNS}
        rows={rows}
        keyOf={one => one.id}
        current={chosen?.id}
        onOpen={one => change({ id: one.id }, { push: true })}
        empty={
          found.isPending ? null : (
            <EmptyState icon="check" title="No message was set aside">
              A message comes here when an action of a handler fails for good, and waits until somebody redelivers it.
            </EmptyState>
          )
        }
      />
    </Panels>
  );
}

async function again(): Promise<void> {
  const keys = ["deadMessages", "eventExecutions"];
  await Promise.all(keys.map(key => client.invalidateQueries({ queryKey: [key] })));
}

function Dead({ message, onClose }: { message: DeadMessage; onClose: () => void }) {
  const [isActing, setActing] = useState(false);
  const handlers = [...new Set(message.failures.map(one => one.handler || "the broker"))];
  const deliver = async () => {
    setActing(true);
    try {
      const left = await redeliver(message.id);
      if (left) toast("bad", `It failed again: ${left.failures[0]?.reason ?? "no reason was given"}`);
      else toast("good", "Done: nothing of it is left");
    } catch (error) {
      toast("bad", wordsOf(error));
    } finally {
      setActing(false);
      await again();
    }
  };
  const forget = async () => {
    const answer = await confirm({
      title: "Drop this message?",
      body: (
        <>
          <p>
            The message of <code>{message.event}</code> is forgotten; what {handlers.join(", ")} should have done with
            it is never done.
          </p>
          <p>This cannot be taken back. Copy its payload first if it may be needed.</p>
        </>
      ),
      act: "Drop",
      danger: true,
    });
    if (!answer || !(await told(dropMessage(message.id), "Dropped"))) return;
    onClose();
    await again();
  };
  return (
    <Side title={<span className="mono">{message.event}</span>} onClose={onClose}>
      <Acts>
        <Button small kind="primary" icon="retry" busy={isActing} onClick={() => void deliver()}>
          Redeliver
        </Button>
        <Button small kind="danger" icon="trash" onClick={() => void forget()}>
          Drop…
        </Button>
      </Acts>
      <Part title="What failed">
        <Rows>
          {message.failures.map((one, index) => (
            <li key={index}>
              <span className={css.bad}>{one.reason}</span>
              <span className="faint">
                {one.handler ? <Link href={to.events({ name: one.handler })}>{one.handler}</Link> : "broker"}{" "}
                {one.action}
              </span>
            </li>
          ))}
        </Rows>
      </Part>
      <Pairs>
        <Pair name="Tried">{count(message.attempts, "time")}</Pair>
        <Pair name="Came">
          <When at={message.created} />
        </Pair>
        <Pair name="Message">
          <span className="mono">{message.messageId}</span>
        </Pair>
      </Pairs>
      <Part title="Payload">
        <JsonTree value={message.payload} root="payload" label="Payload" />
      </Part>
    </Side>
  );
}

const COLUMNS: Column<DeadMessage>[] = [
  { key: "created", head: "Came", width: "104px", cell: one => <When at={one.created} relative /> },
  {
    key: "event",
    head: "Event",
    width: "minmax(140px, 1fr)",
    cell: one => (
      <Link className="mono" href={to.events({ view: "dead", id: one.id })}>
        {one.event}
      </Link>
    ),
  },
  { key: "attempts", head: "Tried", width: "72px", end: true, cell: one => count(one.attempts) },
  {
    key: "handler",
    head: "Handler",
    width: "minmax(110px, 0.8fr)",
    wide: true,
    cell: one => <span>{[...new Set(one.failures.map(failure => failure.handler || "broker"))].join(", ")}</span>,
  },
  {
    key: "why",
    head: "Why",
    width: "minmax(160px, 2fr)",
    wide: true,
    cell: one => (
      <span className={css.bad} title={one.failures.map(failure => failure.reason).join("\n")}>
        {one.failures[0]?.reason}
      </span>
    ),
  },
];
