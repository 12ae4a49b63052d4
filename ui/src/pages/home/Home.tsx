// The server at a glance. Every number leads to what it counts.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { overview } from "../../api/queries";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Status } from "../../design/Status";
import { count } from "../../lib/format";
import { to } from "../../lib/url";
import css from "./Home.module.css";

export default function Home() {
  const found = useQuery(overview());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div className="page faint" aria-busy="true" />;
  const { counts } = found.data;
  if (!Object.keys(counts).length)
    return (
      <EmptyState icon="play" title="Nothing has run yet" command="batuta workflow start NAME --input '{}'">
        Register a workflow, start it, and see it here.
      </EmptyState>
    );
  return (
    <div className="page">
      <h1>Home</h1>
      <ul className={css.counts}>
        {["RUNNING", "PAUSED", "FAILED", "TIMED_OUT", "COMPLETED", "TERMINATED"].map(status => (
          <li key={status}>
            <Link href={to.executions({ status })}>
              <strong>{count(counts[status] ?? 0)}</strong>
              <Status status={status} />
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
