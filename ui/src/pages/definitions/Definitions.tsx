// Every workflow there is: found by name, owner or description, with what runs of it and what failed lately.
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { definitions, overview, versions } from "../../api/queries";
import type { Overview, WorkflowDef } from "../../api/types";
import { EmptyState } from "../../design/EmptyState";
import { Table, type Column, type Sorting } from "../../design/Table";
import { When } from "../../design/Time";
import { count } from "../../lib/format";
import { to, useParams } from "../../lib/url";
import { Catalogue, isFound } from "./Catalogue";
import css from "./Definitions.module.css";

interface Row {
  definition: WorkflowDef;
  name: string;
  versions: number;
  running: number;
  failed: number;
  updated: number;
}
type Counts = Pick<Overview["definitions"][number], "total" | "recent">;
const REGISTER = "batuta definitions apply my_workflow.json";

export default function Definitions() {
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const found = useQuery(definitions());
  const all = useQuery(versions());
  const state = useQuery(overview());
  const words = params.get("q") ?? "";
  const [key, direction] = (params.get("sort") ?? "name:ASC").split(":");
  const sorting: Sorting = { key: key!, descending: direction === "DESC" };
  const byName = new Map(state.data?.definitions.map(one => [one.name, one]));
  const rows = (found.data ?? [])
    .map((definition): Row => {
      const { total, recent }: Counts = byName.get(definition.name) ?? { total: {}, recent: {} };
      return {
        definition,
        name: definition.name,
        versions: all.data?.[definition.name]?.length ?? 1,
        running: (total.RUNNING ?? 0) + (total.PAUSED ?? 0),
        failed: (recent.FAILED ?? 0) + (recent.TIMED_OUT ?? 0),
        updated: definition.updateTime || definition.createTime || 0,
      };
    })
    .filter(row => isFound(row.definition, words))
    .sort((a, b) => compared(a, b, sorting.key) * (sorting.descending ? -1 : 1));
  return (
    <Catalogue
      kind="workflows"
      title="Definitions"
      total={found.data && count(rows.length, "workflow")}
      exported={{ href: "/api/metadata/workflow", file: "workflows.json" }}
      make="New workflow"
      onMake={() => navigate(to.newDefinition())}
      found={found}
    >
      <Table
        label={`Workflow definitions, ${count(rows.length)} found`}
        columns={COLUMNS}
        rows={rows}
        keyOf={row => row.name}
        hrefOf={row => to.definition(row.name)}
        onOpen={row => navigate(to.definition(row.name))}
        sorting={sorting}
        onSort={next => change({ sort: `${next.key}:${next.descending ? "DESC" : "ASC"}` })}
        empty={
          found.isPending ? null : words ? (
            <EmptyState icon="search" title="No workflow is like that" />
          ) : (
            <EmptyState icon="layers" title="No workflow is registered yet" command={REGISTER}>
              Write one here with “New workflow”, or register a file.
            </EmptyState>
          )
        }
      />
    </Catalogue>
  );
}

function compared(a: Row, b: Row, key: string): number {
  if (key === "running" || key === "failed" || key === "versions" || key === "updated")
    return a[key] - b[key] || a.name.localeCompare(b.name);
  return a.name.localeCompare(b.name);
}

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    head: "Workflow",
    width: "minmax(160px, 1.6fr)",
    sortable: true,
    cell: row => (
      <Link href={to.definition(row.name)} title={row.definition.description || row.name}>
        {row.name}
      </Link>
    ),
  },
  {
    key: "versions",
    head: "Version",
    width: "110px",
    sortable: true,
    cell: row => (
      <span>
        v{row.definition.version} {row.versions > 1 && <span className="faint">of {row.versions}</span>}
      </span>
    ),
  },
  {
    key: "running",
    head: "Open",
    width: "80px",
    end: true,
    sortable: true,
    cell: row =>
      row.running ? (
        <Link className={css.running} href={to.executions({ name: row.name, status: "RUNNING,PAUSED" })}>
          {count(row.running)}
        </Link>
      ) : (
        <span className="faint">0</span>
      ),
  },
  {
    key: "failed",
    head: "Failed, 24 h",
    width: "110px",
    end: true,
    wide: true,
    sortable: true,
    cell: row =>
      row.failed ? (
        <Link className={css.failed} href={to.failures({ workflow: row.name })}>
          {count(row.failed)}
        </Link>
      ) : (
        <span className="faint">0</span>
      ),
  },
  {
    key: "owner",
    head: "Owner",
    width: "minmax(120px, 1fr)",
    wide: true,
    cell: row => <span className="soft">{row.definition.ownerEmail}</span>,
  },
  {
    key: "description",
    head: "Description",
    width: "minmax(120px, 1.6fr)",
    wide: true,
    cell: row => (
      <span className="soft" title={row.definition.description}>
        {row.definition.description}
      </span>
    ),
  },
  {
    key: "updated",
    head: "Updated",
    width: "110px",
    wide: true,
    sortable: true,
    cell: row => <When at={row.updated} relative />,
  },
  {
    key: "start",
    head: <span className="visually-hidden">Start</span>,
    width: "64px",
    wide: true,
    cell: row => (
      <Link href={to.start(row.name)} aria-label={`Start ${row.name}`}>
        Start
      </Link>
    ),
  },
];
