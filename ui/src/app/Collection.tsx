// A list of things with names beside the one that is chosen: filtered by words, one made anew or changed. The address says which.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Button } from "../design/Button";
import { EmptyState } from "../design/EmptyState";
import { Panels } from "../design/Panel";
import { ListFilter } from "../design/SearchField";
import { Gone } from "../design/Side";
import { Table, type Column } from "../design/Table";
import { count } from "../lib/format";
import { useParams } from "../lib/url";

export function Collection<Row extends { name: string }>({
  label,
  kind,
  search,
  all,
  textOf,
  only,
  columns,
  hrefOf,
  panel,
  form,
  none,
  selection,
  bar,
}: {
  /** What all of them are called, and one of them beside them. */
  label: [all: string, one: string];
  /** One of them in a sentence. */
  kind: string;
  /** What they are found by. */
  search: string;
  all: readonly Row[];
  textOf: (row: Row) => string;
  /** One sort of them alone; `name` is its parameter of the address. */
  only: { name: string; word: string; holds: (row: Row) => boolean };
  columns: Column<Row>[];
  /** Where one of them is, or all. */
  hrefOf: (name?: string) => string;
  panel: (row: Row, onClose: () => void) => ReactNode;
  form: (row: Row | null, names: string[], onClose: (saved?: string) => void) => ReactNode;
  /** Instead of the list while there is none at all. */
  none: ReactNode;
  selection?: { selected: ReadonlySet<string>; onSelect: (selected: Set<string>) => void };
  /** Above the list. */
  bar?: (rows: readonly Row[]) => ReactNode;
}) {
  const [params, change] = useParams();
  const word = (params.get("word") ?? "").toLowerCase();
  const isOnly = params.get(only.name) === "1";
  const rows = all.filter(row => (!isOnly || only.holds(row)) && textOf(row).toLowerCase().includes(word));
  const name = params.get("name");
  const chosen = all.find(row => row.name === name);
  const edited = all.find(row => row.name === params.get("edit")) ?? null;
  const close = () => change({ name: "" });
  return (
    <>
      <ListFilter
        label={label[0]}
        search={search}
        only={{ name: only.name, label: `${only.word}: ${count(all.filter(only.holds).length)}` }}
      >
        <Button icon="plus" kind="primary" onClick={() => change({ new: "1" }, { push: true })}>
          New {kind}
        </Button>
      </ListFilter>
      {bar?.(rows)}
      <Panels
        label={label[1]}
        panel={chosen ? panel(chosen, close) : name && <Gone what={kind} name={name} onClose={close} />}
      >
        <Table
          label={label[0]}
          columns={columns}
          rows={rows}
          keyOf={row => row.name}
          current={chosen?.name}
          onOpen={row => change({ name: row.name }, { push: true })}
          hrefOf={row => hrefOf(row.name)}
          {...selection}
          empty={
            all.length ? (
              <EmptyState icon="search" title={`No ${kind} is like that`}>
                <Link href={hrefOf()}>Show all {kind}s</Link>
              </EmptyState>
            ) : (
              none
            )
          }
        />
      </Panels>
      {(params.get("new") === "1" || edited) &&
        form(
          edited,
          all.map(row => row.name),
          saved => change({ new: "", edit: "", ...(saved ? { name: saved } : {}) }),
        )}
    </>
  );
}
