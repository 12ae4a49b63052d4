// Whether the server is well: what was looked into and what to do, what is stored, which settings are in force.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { health } from "../../api/queries";
import type { Health as Found } from "../../api/types";
import { Button } from "../../design/Button";
import { Command } from "../../design/Command";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { SearchField } from "../../design/SearchField";
import { Said } from "../../design/Side";
import { StatusShape } from "../../design/Status";
import type { Shape } from "../../design/status";
import { When } from "../../design/Time";
import { bytes, count, duration } from "../../lib/format";
import { to, useParams } from "../../lib/url";
import css from "./Health.module.css";

type Finding = Found["findings"][number];
const ORDER = ["fail", "warn", "note", "ok"];
const SHAPES: Record<string, Shape> = { fail: "cross", warn: "check-alert", note: "hollow", ok: "check" };
const LEVELS: Record<string, string> = { fail: "Broken", warn: "Look at it", note: "To know", ok: "Well" };

export default function Health() {
  const found = useQuery({ ...health(), refetchInterval: 10_000 });
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div className="page faint" aria-busy="true" />;
  const { findings, version, python, beganAt, at, stored, config } = found.data;
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
  const bad = findings.filter(one => one.level === "fail" || one.level === "warn").length;
  return (
    <div className="page">
      <div className={css.line}>
        <h1>Health</h1>
        <span className={css.verdict} data-level={bad ? "warn" : "ok"}>
          {bad ? `${count(bad, "thing")} to look at` : "All is well"}
        </span>
        <span className="grow" />
        <Button icon="retry" small busy={found.isFetching} onClick={() => void found.refetch()}>
          Look again
        </Button>
      </div>
      <dl className={css.facts}>
        <Fact name="Batuta">{version}</Fact>
        <Fact name="Python">{python}</Fact>
        <Fact name="Runs for">
          {duration(at - beganAt)} <span className="faint">since</span> <When at={beganAt} />
        </Fact>
        <Fact name="Store">{bytes(stored.bytes ?? 0)}</Fact>
        <Fact name="Ended executions are kept">
          {Number(config.retention_days) ? `${Number(config.retention_days)} days` : "for ever"}
        </Fact>
      </dl>
      <ul className={css.findings} aria-label="Findings">
        {sorted.map((one, n) => (
          <li key={n} data-level={one.level}>
            <span className={css.level} data-level={one.level}>
              <StatusShape shape={SHAPES[one.level] ?? "hollow"} />
              {LEVELS[one.level] ?? one.level}
            </span>
            <span className={css.check}>
              {placeOf(one) ? <Link href={placeOf(one)!}>{one.check}</Link> : one.check}
            </span>
            <span className={css.found}>
              {one.found}
              {one.advice && (
                <span className={css.advice}>
                  <Said text={one.advice} />
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
      <div className={css.line}>
        <span className="soft">The machine itself, the store's integrity and its tools are looked into by</span>
        <Command text="batuta doctor" />
      </div>
      <section className={css.two}>
        <div>
          <h2>What is stored</h2>
          <Pairs
            label="What is stored"
            pairs={Object.entries(stored).map(([key, n]) => [key, key === "bytes" ? bytes(n) : count(n)])}
          />
        </div>
        <Settings config={config} />
      </section>
    </div>
  );
}

/** Where a person goes from a finding. */
function placeOf(finding: Finding): string | undefined {
  return {
    Workers: to.queues(),
    "Oldest wait": to.queues(),
    Executions: to.failures(),
    "Set aside": to.events({ view: "dead" }),
    Outgoing: to.events({ view: "outgoing" }),
  }[finding.check];
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Settings({ config }: { config: Record<string, string> }) {
  const [params, change] = useParams();
  const words = params.get("q") ?? "";
  const shown = Object.entries(config).filter(([key, value]) =>
    `${key} ${value}`.toLowerCase().includes(words.toLowerCase()),
  );
  return (
    <div>
      <div className={css.line}>
        <h2>Settings in force</h2>
        <span className="grow" />
        <SearchField
          label="Search settings"
          placeholder="Search"
          value={words}
          onChange={q => change({ q })}
          isSearch
        />
      </div>
      {shown.length ? (
        <Pairs label="Settings" pairs={shown} />
      ) : (
        <EmptyState icon="search" title="No setting is like that" />
      )}
      <p className="faint">
        Each is an option of <code>batuta server</code> and a variable of its environment: <code>--retention-days</code>
        , <code>BATUTA_RETENTION_DAYS</code>.
      </p>
    </div>
  );
}

function Pairs({ label, pairs }: { label: string; pairs: [string, string][] }) {
  return (
    <table className={css.pairs} aria-label={label}>
      <tbody>
        {pairs.map(([key, value]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>{value === "" ? <span className="faint">none</span> : value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
