// The list of one kind of definitions: searched, exported, begun anew.
import type { ReactNode } from "react";
import { Button } from "../../design/Button";
import { ErrorState } from "../../design/EmptyState";
import { SearchField } from "../../design/SearchField";
import { useParams } from "../../lib/url";
import css from "./Definitions.module.css";
import { Kinds } from "./Kinds";

export function Catalogue({
  kind,
  title,
  total,
  exported,
  make,
  onMake,
  found,
  children,
}: {
  kind: "workflows" | "tasks";
  title: string;
  /** How many, in words. */
  total: ReactNode;
  /** Where all of them are, as one file. */
  exported: { href: string; file: string };
  make: string;
  onMake: () => void;
  found: { error: Error | null; data: unknown; refetch: () => unknown };
  children: ReactNode;
}) {
  const [params, change] = useParams();
  return (
    <div className="page full">
      <h1 className="visually-hidden">{title}</h1>
      <div className={css.line}>
        <Kinds chosen={kind} />
        <SearchField
          label={`Search ${title.toLowerCase()}`}
          placeholder="Name, owner, description"
          value={params.get("q") ?? ""}
          onChange={q => change({ q })}
          wide
          isSearch
        />
        <span className="faint">{total}</span>
        <a href={exported.href} download={exported.file}>
          Export all
        </a>
        <Button kind="primary" icon="plus" onClick={onMake}>
          {make}
        </Button>
      </div>
      {found.error && !found.data ? <ErrorState error={found.error} onRetry={() => void found.refetch()} /> : children}
    </div>
  );
}

/** Whether all these words are in the name, the owner or the description. */
export function isFound(one: { name?: string; ownerEmail?: string; description?: string }, words: string): boolean {
  const text = `${one.name} ${one.ownerEmail ?? ""} ${one.description ?? ""}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word));
}
