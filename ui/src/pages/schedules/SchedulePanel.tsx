// One schedule: when it ticks next, what came of it, and what may be done.
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { pauseSchedule, resumeSchedules, start } from "../../api/actions";
import { client, firings } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { JsonTree } from "../../design/JsonTree";
import { Acts, Notice, Pair, Pairs, Part, Rows, Side } from "../../design/Side";
import { Status } from "../../design/Status";
import { When } from "../../design/Time";
import { toast, told } from "../../design/Toast";
import { wordsOf } from "../../lib/format";
import { entriesOf } from "../../lib/schedule";
import { to, useParams } from "../../lib/url";
import { askedDelete } from "./verbs";
import { Ticks } from "./Ticks";

export function SchedulePanel({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const [, change] = useParams();
  const [, navigate] = useLocation();
  const history = useQuery(firings(schedule.name));
  const { name } = schedule;
  const request = schedule.startWorkflowRequest;
  const again = () => client.invalidateQueries({ queryKey: ["schedules"] });
  const pause = async () => {
    const answer = await confirm({
      title: `Pause ${name}?`,
      body: "It starts nothing until it is resumed. What comes due meanwhile is not made up for.",
      act: "Pause",
      text: "Why, for those who wonder",
    });
    if (answer) await told(pauseSchedule(name, answer.text.trim()), `${name} is paused`);
    await again();
  };
  const startNow = async () => {
    const answer = await confirm({
      title: `Start ${request.name} now?`,
      body: "One execution with the input of the schedule; its ticks go on as planned.",
      act: "Start",
    });
    if (!answer) return;
    try {
      const id = await start(request as Parameters<typeof start>[0]);
      toast("good", `Started ${request.name}`);
      navigate(to.execution(id));
    } catch (error) {
      toast("bad", wordsOf(error));
    }
  };
  return (
    <Side title={name} onClose={onClose}>
      {schedule.paused && (
        <Notice>
          Paused{schedule.pausedReason ? `: ${schedule.pausedReason}` : ""}. It starts nothing until it is resumed.
        </Notice>
      )}
      <Acts>
        {schedule.paused ? (
          <Button
            small
            icon="play"
            kind="primary"
            onClick={() => void told(resumeSchedules([name]), `${name} goes on`).then(again)}
          >
            Resume
          </Button>
        ) : (
          <Button small icon="pause" onClick={() => void pause()}>
            Pause…
          </Button>
        )}
        <Button small icon="edit" onClick={() => change({ edit: name })}>
          Change
        </Button>
        <Button small icon="bolt" onClick={() => void startNow()}>
          Start now…
        </Button>
        <Button
          small
          icon="trash"
          kind="danger"
          onClick={() => void askedDelete([schedule]).then(done => done && onClose())}
        >
          Delete…
        </Button>
      </Acts>
      {schedule.description && <p>{schedule.description}</p>}
      {entriesOf(schedule).map(entry => (
        <Part key={`${entry.cron} ${entry.zone}`} title="Next runs">
          <p>
            <code>{entry.cron}</code> <span className="soft">{entry.zone}</span>
          </p>
          <Ticks entry={entry} from={schedule.scheduleStartTime} until={schedule.scheduleEndTime} />
        </Part>
      ))}
      <Pairs>
        <Pair name="Starts">
          <Link href={to.definition(request.name, request.version)}>{request.name}</Link>{" "}
          {request.version && <span className="faint">v{request.version}</span>}
        </Pair>
        {schedule.scheduleStartTime ? (
          <Pair name="From">
            <When at={schedule.scheduleStartTime} />
          </Pair>
        ) : null}
        {schedule.scheduleEndTime ? (
          <Pair name="Until">
            <When at={schedule.scheduleEndTime} />
          </Pair>
        ) : null}
        <Pair name="Missed ticks">
          {schedule.runCatchupScheduleInstances ? "each is made up for" : "made up for once"}
        </Pair>
      </Pairs>
      {request.input && Object.keys(request.input).length > 0 && (
        <Part title="Input">
          <JsonTree key={name} value={request.input} root="input" label="Input" />
        </Part>
      )}
      <Part title="What came of its ticks">
        {history.data?.length === 0 && <p className="faint">It has not fired yet.</p>}
        {history.error && <p role="alert">{history.error.message}</p>}
        <Rows>
          {history.data?.map(one => (
            <li key={one.executionId}>
              <span>
                <Status
                  status={one.state === "EXECUTED" ? "COMPLETED" : one.state === "FAILED" ? "FAILED" : "RUNNING"}
                  bare
                />{" "}
                {one.workflowId ? (
                  <Link href={to.execution(one.workflowId)} className="mono">
                    {one.workflowId}
                  </Link>
                ) : (
                  one.reason || "is being started"
                )}
              </span>
              <When at={one.scheduledTime} />
            </li>
          ))}
        </Rows>
      </Part>
    </Side>
  );
}
