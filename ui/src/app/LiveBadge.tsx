import { useState } from "react";
import { useNow } from "../design/Time";
import { ago } from "../lib/format";
import { live, useLiveState, type LiveState } from "./live";
import css from "./Layout.module.css";

const WORDS: Record<LiveState, [string, string]> = {
  idle: ["", ""],
  connecting: ["Connecting", "Waiting for the server"],
  live: ["Live", "Changes show as they happen. Press to hold them."],
  paused: ["Held", "What is shown does not change. Press to go on."],
  lost: ["Disconnected", "The server does not answer; what is shown may be out of date. It is tried again."],
};

/** How the live connection stands; it never says live when it is not. */
export function LiveBadge() {
  const state = useLiveState();
  const [held, setHeld] = useState(false);
  const now = useNow(state === "lost" || state === "paused");
  if (state === "idle") return null;
  const [word, hint] = WORDS[state];
  const heard = live().lastHeard;
  return (
    <button
      type="button"
      className={css.live}
      data-state={state}
      title={hint}
      aria-pressed={held}
      onClick={() => {
        setHeld(!held);
        live().hold(!held);
      }}
    >
      <span className={css.dot} aria-hidden="true" />
      {word}
      {(state === "lost" || state === "paused") && heard > 0 && <span className={css.since}> {ago(heard, now)}</span>}
    </button>
  );
}
