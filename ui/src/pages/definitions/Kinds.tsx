import { Link } from "wouter";
import { to } from "../../lib/url";
import css from "./Definitions.module.css";

/** From workflows to tasks and back. */
export function Kinds({ chosen }: { chosen: "workflows" | "tasks" }) {
  return (
    <nav className={css.kinds} aria-label="Kinds of definitions">
      <Link href={to.definitions()} aria-current={chosen === "workflows" ? "page" : undefined}>
        Workflows
      </Link>
      <Link href={to.tasks()} aria-current={chosen === "tasks" ? "page" : undefined}>
        Tasks
      </Link>
    </nav>
  );
}
