import { Link } from "wouter";
import { ApiError } from "../../api/http";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { to } from "../../lib/url";

/** A definition could not be read: it is not there, and how one comes to be; or what else went wrong. */
export function Missing({
  kind,
  name,
  version,
  error,
  onRetry,
}: {
  kind: "workflow" | "task";
  name: string;
  version?: number;
  error: Error;
  onRetry: () => void;
}) {
  if (!(error instanceof ApiError && error.status === 404)) return <ErrorState error={error} onRetry={onRetry} />;
  const isTask = kind === "task";
  return (
    <EmptyState
      icon="search"
      title={`There is no ${isTask ? "task definition" : "workflow"} “${name}”${version ? ` version ${version}` : ""}`}
      command="batuta definitions apply FILE"
    >
      {version ? (
        <Link href={to.definition(name)}>Its latest version</Link>
      ) : (
        <Link href={isTask ? to.newTask(name) : to.newDefinition()}>Make one here</Link>
      )}
      , look at <Link href={isTask ? to.tasks() : to.definitions()}>all there are</Link>, or register a file with:
    </EmptyState>
  );
}
