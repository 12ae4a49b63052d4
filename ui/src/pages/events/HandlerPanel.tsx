// One handler: what it listens to and does, what became of its last messages, its tags.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { deleteHandler, tagHandler } from "../../api/actions";
import { client, eventExecutions } from "../../api/queries";
import type { EventHandler } from "../../api/types";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { control } from "../../design/Field";
import { Acts, Pair, Pairs, Part, Rows, Side } from "../../design/Side";
import { Status } from "../../design/Status";
import { When } from "../../design/Time";
import { told } from "../../design/Toast";
import { described, detailsOf, tagsOf, tagText } from "../../lib/handler";
import { to, useParams } from "../../lib/url";
import css from "./Events.module.css";
import { ActiveSwitch, Tags } from "./HandlerParts";

const SHOWN = 20;

export function HandlerPanel({ handler, onClose }: { handler: EventHandler; onClose: () => void }) {
  const [, change] = useParams();
  const { name } = handler;
  const outcomes = useQuery(eventExecutions({ handler: name }, SHOWN));
  const again = () => client.invalidateQueries({ queryKey: ["eventHandlers"] });
  const remove = async () => {
    const answer = await confirm({
      title: `Delete ${name}?`,
      body: (
        <>
          <p>
            Messages of <code>{handler.event}</code> are not acted on by it any more (
            {handler.actions.map(described).join(", ")}).
          </p>
          <p>To stop for a while, switch it off instead.</p>
        </>
      ),
      act: "Delete",
      danger: true,
    });
    if (!answer || !(await told(deleteHandler(name), `Deleted ${name}`))) return;
    onClose();
    await again();
  };
  return (
    <Side title={name} onClose={onClose}>
      <Acts>
        <ActiveSwitch handler={handler} />
        <Button small icon="edit" onClick={() => change({ edit: name })}>
          Change
        </Button>
        <Button small icon="trash" kind="danger" onClick={() => void remove()}>
          Delete…
        </Button>
      </Acts>
      {handler.description && <p>{handler.description}</p>}
      <Pairs>
        <Pair name="Event">
          <span className="mono">{handler.event}</span>
        </Pair>
        <Pair name="When">{handler.condition ? <code>{handler.condition}</code> : "always"}</Pair>
        <Pair name="Tags">
          <TagEditor key={tagText(handler.tags ?? [])} handler={handler} />
        </Pair>
      </Pairs>
      {handler.actions.map((action, index) => (
        <Part key={index} title={described(action)}>
          <pre className={css.json} tabIndex={0}>
            {JSON.stringify(detailsOf(action), null, 2)}
          </pre>
        </Part>
      ))}
      <Part title="What became of its messages">
        {outcomes.data?.results.length === 0 && <p className="faint">No message has come yet.</p>}
        {outcomes.error && <p role="alert">{outcomes.error.message}</p>}
        <Rows>
          {outcomes.data?.results.map(one => (
            <li key={`${one.id} ${one.created}`}>
              <span>
                <Status status={one.status} bare />{" "}
                <Link href={to.events({ view: "messages", handler: name, id: one.id })}>
                  {one.status === "SKIPPED" ? "its condition did not hold" : one.action}
                </Link>
              </span>
              <When at={one.created} relative />
            </li>
          ))}
        </Rows>
        {(outcomes.data?.totalHits ?? 0) > SHOWN && (
          <Link href={to.events({ view: "messages", handler: name })}>All of them</Link>
        )}
      </Part>
    </Side>
  );
}

function TagEditor({ handler }: { handler: EventHandler }) {
  const tags = handler.tags ?? [];
  const [text, setText] = useState<string | null>(null);
  if (text === null)
    return (
      <span className={css.tags}>
        <Tags tags={tags} />
        <Button small kind="quiet" icon="edit" aria-label="Change the tags" onClick={() => setText(tagText(tags))} />
      </span>
    );
  return (
    <form
      className={css.head}
      onSubmit={event => {
        event.preventDefault();
        void told(tagHandler(handler.name, tagsOf(text)), "Tags are set").then(isDone => {
          if (isDone) setText(null);
          void client.invalidateQueries({ queryKey: ["eventHandlers"] });
        });
      }}
    >
      <input
        className={control}
        aria-label="Tags"
        placeholder="team:mail, urgent"
        autoFocus
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => event.key === "Escape" && setText(null)}
      />
      <Button small kind="primary" type="submit">
        Set
      </Button>
    </form>
  );
}
