// What a handler shows of itself in the table and in its panel.
import { replaceHandler } from "../../api/actions";
import { client } from "../../api/queries";
import type { EventHandler, Tag } from "../../api/types";
import { told } from "../../design/Toast";
import { tagText } from "../../lib/handler";
import css from "./Events.module.css";

/** Whether it listens, and the way to change it; it takes effect at once and can be taken back, so nobody is asked. */
export function ActiveSwitch({ handler }: { handler: EventHandler }) {
  const turn = async () => {
    await told(
      replaceHandler({ ...handler, active: !handler.active }),
      handler.active ? `${handler.name} listens no more` : `${handler.name} listens to ${handler.event}`,
    );
    await client.invalidateQueries({ queryKey: ["eventHandlers"] });
  };
  return (
    <button
      type="button"
      role="switch"
      aria-checked={handler.active ?? false}
      aria-label={`${handler.name} is active`}
      className={css.switch}
      onClick={() => void turn()}
    >
      <span aria-hidden="true" />
      <span>{handler.active ? "On" : "Off"}</span>
    </button>
  );
}

export function Tags({ tags }: { tags: readonly Tag[] }) {
  return (
    <span className={css.tags}>
      {tags.map(tag => (
        <span key={`${tag.key}:${tag.value}`} className={css.tag}>
          {tagText([tag])}
        </span>
      ))}
    </span>
  );
}
