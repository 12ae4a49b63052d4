// The versions of a workflow, and what differs between two of them. Both are in the URL.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { apiSchemas, definition, running, type VersionSummary } from "../../api/queries";
import { When } from "../../design/Time";
import { count } from "../../lib/format";
import { lean } from "../../lib/openapi";
import { quoted } from "../../lib/search";
import { to, useParams } from "../../lib/url";
import css from "./Definitions.module.css";
import { Diff } from "./Diff";
import { written } from "./assist";

export default function Versions({ name, versions }: { name: string; versions: VersionSummary[] }) {
  const [params, change] = useParams();
  const numbers = versions.map(one => one.version);
  const after = Number(params.get("to")) || numbers.at(-1)!;
  const before = Number(params.get("from")) || (numbers[numbers.indexOf(after) - 1] ?? after);
  const open = useQuery(running(name, numbers.slice(-20)));
  const choice = (key: string, value: number, label: string) => (
    <label className={css.line}>
      {label}
      <select className="control" value={value} onChange={event => change({ [key]: event.target.value })}>
        {numbers.map(one => (
          <option key={one} value={one}>
            version {one}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <section className={css.box}>
        <h2>{count(versions.length, "version")}</h2>
        <ul className={css.list}>
          {[...versions].reverse().map(one => (
            <li key={one.version}>
              <Link href={to.definition(name, one.version)}>version {one.version}</Link>
              <span className="soft">
                registered <When at={one.createTime} relative />
              </span>
              {open.data?.get(one.version) ? (
                <Link
                  className={css.running}
                  href={to.executions({
                    q: `workflowType = ${quoted(name)} AND version = ${one.version} AND status IN (RUNNING,PAUSED)`,
                  })}
                >
                  {count(open.data.get(one.version)!, "open execution")}
                </Link>
              ) : null}
            </li>
          ))}
        </ul>
      </section>
      {versions.length > 1 && (
        <section className={css.box}>
          <div className={css.line}>
            <h2>What differs</h2>
            {choice("from", before, "from")}
            {choice("to", after, "to")}
          </div>
          <Between name={name} before={before} after={after} />
        </section>
      )}
    </>
  );
}

function Between({ name, before, after }: { name: string; before: number; after: number }) {
  const one = useQuery(definition(name, before));
  const other = useQuery(definition(name, after));
  const schemas = useQuery(apiSchemas());
  if (one.error ?? other.error) return <p className={css.wrong}>{(one.error ?? other.error)!.message}</p>;
  if (!one.data || !other.data || !schemas.data) return <p className="faint">Reading …</p>;
  const text = (value: object) => JSON.stringify(lean(schemas.data, "WorkflowDef", written(value)), null, 2);
  return <Diff before={text(one.data)} after={text(other.data)} label={`Version ${before} and version ${after}`} />;
}
