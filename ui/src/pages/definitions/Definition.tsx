// One workflow: its text and how it looks, its versions, who uses it. Saved as a new version unless somebody asks to overwrite.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation, useParams as usePath } from "wouter";
import { deleteWorkflow, refreshDefinitions } from "../../api/actions";
import { path, query } from "../../api/http";
import { apiSchemas, client, definition as definitionOf, running, versions as allVersions } from "../../api/queries";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { ErrorState } from "../../design/EmptyState";
import { Menu } from "../../design/Menu";
import { Tabs } from "../../design/Tabs";
import { When } from "../../design/Time";
import { told } from "../../design/Toast";
import { count } from "../../lib/format";
import { lean } from "../../lib/openapi";
import { useUnsaved } from "../../lib/unsaved";
import { to, useParams } from "../../lib/url";
import css from "./Definitions.module.css";
import { Missing } from "./Missing";
import { Edit } from "./Edit";
import { Save } from "./Save";
import { TEMPLATES } from "./templates";
import Uses, { useUses } from "./Uses";
import Versions from "./Versions";
import { parsed, useJudgement, written } from "./assist";

export default function Definition() {
  const { name, version } = usePath<{ name?: string; version?: string }>();
  const [params] = useParams();
  if (!name) return <New like={params.get("like") ?? ""} />;
  return <One key={`${name} ${version}`} name={decodeURIComponent(name)} version={Number(version) || undefined} />;
}

/** The text of a definition as people write it. */
function useText(value: object | undefined): string | undefined {
  const schemas = useQuery(apiSchemas());
  return useMemo(
    () =>
      value && schemas.data ? JSON.stringify(lean(schemas.data, "WorkflowDef", written(value)), null, 2) : undefined,
    [value, schemas.data],
  );
}

function One({ name, version }: { name: string; version?: number }) {
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const found = useQuery({ ...definitionOf(name, version), refetchOnWindowFocus: false });
  const all = useQuery(allVersions());
  const saved = useText(found.data);
  const [draft, setDraft] = useState<string>();
  const [isSaving, setSaving] = useState(false);
  const text = draft ?? saved ?? "";
  const isDirty = draft !== undefined && draft !== saved;
  const judgement = useJudgement("WorkflowDef", text);
  const uses = useUses(name);
  const letGo = useUnsaved(isDirty);
  if (found.error && !found.data)
    return (
      <Missing kind="workflow" name={name} version={version} error={found.error} onRetry={() => void found.refetch()} />
    );
  if (!found.data || saved === undefined) return <div className="page faint" aria-busy="true" />;
  const definition = found.data;
  const shown = definition.version ?? 1;
  const versions = all.data?.[name] ?? [{ name, version: shown, createTime: definition.createTime ?? 0 }];
  const numbers = versions.map(one => one.version);
  const remove = async () => {
    const open = (await client.fetchQuery(running(name, [shown]))).get(shown) ?? 0;
    const affected = uses.filter(use => use.version === shown || (!use.version && numbers.length === 1));
    const answer = await confirm({
      title: `Delete ${name} version ${shown}?`,
      body: (
        <>
          <p>
            {open
              ? `${count(open, "open execution")} of it will go on: they keep the definition they began with.`
              : "No execution of it is open."}
          </p>
          {numbers.length === 1 && <p>It is the only version: nothing can start {name} afterwards.</p>}
          {numbers.length > 1 && shown === numbers.at(-1) && (
            <p>What asks for the latest version gets version {numbers.at(-2)}.</p>
          )}
          {affected.length > 0 && (
            <p>These name it and will fail: {[...new Set(affected.map(use => use.name))].join(", ")}.</p>
          )}
        </>
      ),
      act: "Delete",
      danger: true,
    });
    if (answer && (await told(deleteWorkflow(name, shown), `Deleted ${name} version ${shown}`))) {
      letGo();
      await refreshDefinitions(true);
      navigate(numbers.length > 1 ? to.definition(name) : to.definitions());
    }
  };
  const view = params.get("view") ?? "definition";
  return (
    <div className="page full">
      <div className={css.line}>
        <h1>{name}</h1>
        <select
          className="control"
          aria-label="Version"
          value={shown}
          onChange={event =>
            navigate(to.definition(name, Number(event.target.value), { view: params.get("view") ?? undefined }))
          }
        >
          {[...numbers].reverse().map(one => (
            <option key={one} value={one}>
              version {one}
              {one === numbers.at(-1) ? " (latest)" : ""}
            </option>
          ))}
        </select>
        <span className="grow" />
        <Button
          kind={isDirty ? "primary" : "plain"}
          disabled={!isDirty || judgement.state === "bad" || judgement.state === "unread"}
          onClick={() => setSaving(true)}
        >
          Save…
        </Button>
        {isDirty && (
          <Button kind="quiet" onClick={() => setDraft(undefined)}>
            Discard
          </Button>
        )}
        <Button
          kind={isDirty ? "plain" : "primary"}
          icon="play"
          onClick={() => navigate(to.start(name, { version: shown === numbers.at(-1) ? undefined : String(shown) }))}
        >
          Start…
        </Button>
        <Menu
          trigger={<Button icon="more" aria-label="More to do" />}
          items={[
            { label: "Executions of it", icon: "list", onSelect: () => navigate(to.executions({ name })) },
            { label: "Failures of it", icon: "alert", onSelect: () => navigate(to.failures({ workflow: name })) },
            { label: "New workflow like it", icon: "copy", onSelect: () => navigate(to.newDefinition(name)) },
            null,
            { label: `Delete version ${shown}…`, icon: "trash", danger: true, onSelect: () => void remove() },
          ]}
        />
      </div>
      <div className={css.facts}>
        {definition.description && <span>{definition.description}</span>}
        {definition.ownerEmail && <span>owner {definition.ownerEmail}</span>}
        <span>
          updated <When at={definition.updateTime || definition.createTime || 0} relative />
        </span>
        <Link href={to.executions({ name })}>executions</Link>
        <a
          href={`${path("/api/metadata/workflow", name)}${query({ version: shown })}`}
          download={`${name}-v${shown}.json`}
        >
          export
        </a>
        {isDirty && <strong className={css.running}>not saved</strong>}
      </div>
      <div className={css.whole}>
        <Tabs
          label="Views of the definition"
          value={view}
          onChange={key => change({ view: key === "definition" ? undefined : key })}
          tabs={[
            { key: "definition", label: "Definition" },
            { key: "versions", label: `Versions (${numbers.length})` },
            { key: "uses", label: "Used by" },
          ]}
        >
          {view === "definition" && (
            <Edit text={text} onChange={setDraft} judgement={judgement} before={isDirty ? definition : undefined} />
          )}
          {view === "versions" && <Scroll children={<Versions name={name} versions={versions} />} />}
          {view === "uses" && <Scroll children={<Uses definition={definition} versions={numbers.slice(-20)} />} />}
        </Tabs>
      </div>
      {isSaving && (
        <Save
          text={text}
          base={{ definition, text: saved }}
          versions={all.data?.[String(parsed(text)?.name)]?.map(one => one.version) ?? []}
          onClose={() => setSaving(false)}
          onDone={(savedName, savedVersion) => {
            setSaving(false);
            setDraft(undefined);
            letGo();
            navigate(to.definition(savedName, savedVersion));
          }}
        />
      )}
    </div>
  );
}

function Scroll({ children }: { children: React.ReactNode }) {
  return <div className={css.scrolled}>{children}</div>;
}

function New({ like }: { like: string }) {
  const [, navigate] = useLocation();
  const [params, change] = useParams();
  const all = useQuery(allVersions());
  const copied = useQuery({ ...definitionOf(like), enabled: Boolean(like) });
  const copiedText = useText(
    useMemo(() => copied.data && { ...copied.data, name: `${like}_copy`, version: 1 }, [copied.data, like]),
  );
  const template = TEMPLATES.find(one => one.key === params.get("template")) ?? TEMPLATES[0]!;
  const begun = like ? copiedText : JSON.stringify(template.definition, null, 2);
  const [draft, setDraft] = useState<string>();
  const [isSaving, setSaving] = useState(false);
  const text = draft ?? begun ?? "";
  const judgement = useJudgement("WorkflowDef", text);
  const letGo = useUnsaved(draft !== undefined && draft !== begun);
  if (copied.error) return <ErrorState error={copied.error} />;
  const choose = async (key: string) => {
    const changed = draft !== undefined && draft !== begun;
    const isSure =
      !changed ||
      (await confirm({
        title: "Begin anew?",
        body: "What was written is replaced by the template.",
        act: "Replace",
        danger: true,
      }));
    if (!isSure) return;
    setDraft(undefined);
    change({ template: key });
  };
  return (
    <div className="page full">
      <div className={css.line}>
        <h1>New workflow</h1>
        {like ? (
          <span className="soft">
            like <Link href={to.definition(like)}>{like}</Link>
          </span>
        ) : (
          <label className={css.line}>
            from
            <select className="control" value={template.key} onChange={event => void choose(event.target.value)}>
              {TEMPLATES.map(one => (
                <option key={one.key} value={one.key}>
                  {one.title}
                </option>
              ))}
            </select>
          </label>
        )}
        <span className="grow" />
        <Button
          kind="primary"
          disabled={judgement.state !== "good" && judgement.state !== "unknown"}
          onClick={() => setSaving(true)}
        >
          Save…
        </Button>
      </div>
      {!like && <p className="soft">{template.about}</p>}
      <div className={css.whole}>
        <Edit text={text} onChange={setDraft} judgement={judgement} />
      </div>
      {isSaving && (
        <Save
          text={text}
          base={null}
          versions={all.data?.[String(parsed(text)?.name)]?.map(one => one.version) ?? []}
          onClose={() => setSaving(false)}
          onDone={(name, version) => {
            setDraft(undefined);
            letGo();
            navigate(to.definition(name, version));
          }}
        />
      )}
    </div>
  );
}
