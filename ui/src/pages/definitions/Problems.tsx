import { count } from "../../lib/format";
import { spelled, type Path } from "../../lib/json";
import css from "./Definitions.module.css";
import type { Judgement } from "./assist";

/** What is wrong, each a way to its place; or that nothing is. */
export function Problems({ judgement, onGo }: { judgement: Judgement; onGo: (path: Path) => void }) {
  const { state, marks, why } = judgement;
  const errors = marks.filter(mark => mark.severity !== "warning").length;
  const words = {
    checking: "Checking …",
    good: marks.length ? "It may be registered; look at the warnings." : "It may be registered.",
    bad: `${count(errors, "problem")}: it cannot be registered like this.`,
    unread: why,
    unknown: `It could not be checked: ${why}`,
  }[state];
  return (
    <>
      <p className={css.state} role="status" data-kind={state === "good" ? "good" : state === "checking" ? "" : "bad"}>
        {words}
      </p>
      {marks.length > 0 && (
        <ul className={css.problems} aria-label="Problems">
          {marks.map((mark, n) => (
            <li key={n}>
              <button type="button" data-severity={mark.severity ?? "error"} onClick={() => onGo([...mark.path])}>
                <code>{spelled(mark.path) || "definition"}</code> {mark.message}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
