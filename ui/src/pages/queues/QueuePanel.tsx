// One queue: who serves it, what holds it back, what is with workers, and the two things one can do about it.
import { Link } from "wouter";
import { requeue } from "../../api/actions";
import { client } from "../../api/queries";
import type { Work } from "../../api/types";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { Acts, Notice, Pair, Pairs, Part, Rows, Said, Side } from "../../design/Side";
import { Duration, When } from "../../design/Time";
import { toast } from "../../design/Toast";
import { count, wordsOf } from "../../lib/format";
import { to } from "../../lib/url";
import { standstill, workerCommand, type QueueRow } from "../../lib/work";
import css from "./Queues.module.css";

const SHOWN = 50;

export function QueuePanel({
  name,
  work,
  rows,
  onClose,
}: {
  name: string;
  work: Work;
  rows: QueueRow[];
  onClose: () => void;
}) {
  const row = rows.find(one => one.queue === name);
  if (!row)
    return (
      <Side title={<span className="mono">{name}</span>} onClose={onClose}>
        <p className="soft">
          Nothing waits in this queue, and nobody has asked for its tasks since the server started.
        </p>
      </Side>
    );
  const polls = work.polls.filter(one => one.queue === name).sort((a, b) => b.at - a.at);
  const hands = work.hands.filter(one => one.queue === name);
  const why = standstill(row, work.at);
  const offer = async () => {
    const answer = await confirm({
      title: `Offer the tasks of ${row.taskType} again?`,
      body: (
        <>
          <p>
            Every open task of this type becomes due now, in all domains: {count(row.waiting, "task")} waiting here, and{" "}
            {count(row.inProgress, "task")} with workers.
          </p>
          <p>
            A task that is with a worker is handed to another one as well; whoever reports first, counts. Do it when
            workers are gone for good.
          </p>
        </>
      ),
      act: "Offer again",
      danger: row.inProgress > 0,
    });
    if (!answer) return;
    try {
      toast("good", `${count(Number(await requeue(row.taskType)), "task")} of ${row.taskType} offered again`);
    } catch (error) {
      toast("bad", wordsOf(error));
    }
    void client.invalidateQueries({ queryKey: ["work"] });
  };
  const asked = { type: row.taskType, domain: row.domain };
  return (
    <Side title={<span className="mono">{name}</span>} onClose={onClose}>
      {why && (row.waiting > 0 || !row.lastPollAt) && (
        <Notice command={workerCommand(row)}>
          <Said text={why} /> Start one with:
        </Notice>
      )}
      <Pairs>
        <Pair name="Waiting">
          <Link href={to.taskSearch({ ...asked, status: "SCHEDULED", sort: "scheduledTime:ASC" })}>
            {count(row.waiting, "task")}
          </Link>
          {row.due < row.waiting && <span className="faint"> · {count(row.due)} due now</span>}
        </Pair>
        {row.due > 0 && (
          <Pair name="Oldest waits">
            <Duration from={row.oldestDueAt} to={0} />
          </Pair>
        )}
        <Pair name="With workers">
          <Link href={to.taskSearch({ ...asked, status: "IN_PROGRESS" })}>{count(row.inProgress, "task")}</Link>
        </Pair>
        <Pair name="Limits">{row.limits.length ? row.limits.join(", ") : <span className="faint">none</span>}</Pair>
        {row.domain && <Pair name="Domain">{row.domain}</Pair>}
      </Pairs>
      <Acts>
        <Button small icon="retry" disabled={!row.waiting && !row.inProgress} onClick={() => void offer()}>
          Offer again…
        </Button>
      </Acts>
      <Part title="Workers that poll it">
        {row.isOurs && <p className="soft">The server itself does these tasks.</p>}
        {!polls.length && !row.isOurs && <p className="faint">None since the server started.</p>}
        <Rows>
          {polls.slice(0, SHOWN).map(one => (
            <li key={one.worker}>
              <Link href={to.workers(one.worker)} className="mono">
                {one.worker || "without a name"}
              </Link>
              <span className={work.at - one.at <= work.latelyMs ? "soft" : css.alone}>
                <When at={one.at} relative />
              </span>
            </li>
          ))}
        </Rows>
      </Part>
      {hands.length > 0 && (
        <Part title="With workers now">
          <Rows>
            {hands.slice(0, SHOWN).map(one => (
              <li key={one.taskId}>
                <span>
                  <Link href={to.execution(one.workflowId, one.taskId)}>{one.workflow}</Link>{" "}
                  <span className="faint mono">{one.worker}</span>
                </span>
                <Duration from={one.startedAt} to={0} />
              </li>
            ))}
          </Rows>
          {row.inProgress > Math.min(hands.length, SHOWN) && (
            <Link href={to.taskSearch({ ...asked, status: "IN_PROGRESS" })}>All {count(row.inProgress)}</Link>
          )}
        </Part>
      )}
    </Side>
  );
}
