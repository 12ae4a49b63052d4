// One task definition: as fields or as JSON, over one text; who uses it, who serves it.
import { useQuery } from "@tanstack/react-query";
import { Fragment, useMemo, useState } from "react";
import { Link, useLocation, useParams as usePath } from "wouter";
import { deleteTask, refreshDefinitions, saveTask } from "../../api/actions";
import { path } from "../../api/http";
import { apiSchemas, definitions, overview, taskDefinition } from "../../api/queries";
import { Button } from "../../design/Button";
import { confirm } from "../../design/Dialog";
import { Field, fields } from "../../design/Field";
import { JsonEditor } from "../../design/JsonEditor";
import { Tabs } from "../../design/Tabs";
import { toast, told } from "../../design/Toast";
import { ago, count, wordsOf } from "../../lib/format";
import type { Path } from "../../lib/json";
import { schemaAt } from "../../lib/openapi";
import { useUnsaved } from "../../lib/unsaved";
import { to, useParams } from "../../lib/url";
import { usesOfTask } from "../../lib/uses";
import css from "./Definitions.module.css";
import { Missing } from "./Missing";
import { Problems } from "./Problems";
import { UseList } from "./Uses";
import { parsed, useComplete, useJudgement, written } from "./assist";

export default function TaskDefinition() {
  const { name } = usePath<{ name?: string }>();
  const [params] = useParams();
  if (name) return <Existing key={name} name={decodeURIComponent(name)} />;
  const text = JSON.stringify(
    {
      name: params.get("name") ?? "",
      description: "",
      ownerEmail: "",
      retryCount: 3,
      retryLogic: "FIXED",
      retryDelaySeconds: 10,
      timeoutSeconds: 0,
    },
    null,
    2,
  );
  return <Editing name="" saved={text} />;
}

function Existing({ name }: { name: string }) {
  const found = useQuery({ ...taskDefinition(name), refetchOnWindowFocus: false });
  const saved = useMemo(() => found.data && JSON.stringify(written(found.data), null, 2), [found.data]);
  if (found.error && !found.data)
    return <Missing kind="task" name={name} error={found.error} onRetry={() => void found.refetch()} />;
  if (!saved) return <div className="page faint" aria-busy="true" />;
  return <Editing name={name} saved={saved} />;
}

const FIELDS: { title: string; fields: [name: string, label: string, hint: string][] }[] = [
  {
    title: "What it is",
    fields: [
      ["name", "Name", "What workers poll, and tasks of definitions name."],
      ["description", "Description", ""],
      ["ownerEmail", "Owner", "An address."],
    ],
  },
  {
    title: "When it fails",
    fields: [
      ["retryCount", "Retries", "New attempts after the first."],
      ["retryLogic", "How they are spaced", ""],
      ["retryDelaySeconds", "Delay, s", "Before a new attempt."],
      ["backoffScaleFactor", "Factor", "Of a linear back-off."],
      ["maxRetryDelaySeconds", "Longest delay, s", "0: no limit."],
      ["backoffJitterMs", "Spread, ms", "So that not all come back at once."],
    ],
  },
  {
    title: "How long it may take",
    fields: [
      ["responseTimeoutSeconds", "Must answer in, s", "From when a worker took it or last reported."],
      ["timeoutSeconds", "Must end in, s", "One attempt. 0: no limit."],
      ["totalTimeoutSeconds", "All attempts in, s", "0: no limit."],
      ["pollTimeoutSeconds", "Must be taken in, s", "While it waits for a worker. 0: no limit."],
      ["timeoutPolicy", "When it is late", ""],
    ],
  },
  {
    title: "How much at once",
    fields: [
      ["concurrentExecLimit", "At once", "Empty or 0: no limit."],
      ["rateLimitPerFrequency", "So many", "0: no limit."],
      ["rateLimitFrequencyInSeconds", "Every so many s", ""],
    ],
  },
];

function Editing({ name, saved }: { name: string; saved: string }) {
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const [text, setText] = useState(saved);
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const [reveal, setReveal] = useState<Path>();
  const judgement = useJudgement("TaskDef", text);
  const complete = useComplete("TaskDef");
  const workflows = useQuery(definitions());
  const value = parsed(text);
  const isDirty = text !== saved || !name;
  const letGo = useUnsaved(text !== saved);
  const uses = usesOfTask(name, workflows.data ?? []);
  const view = params.get("view") ?? "form";
  const save = async () => {
    setBusy(true);
    setFailed("");
    try {
      await saveTask(value);
      await refreshDefinitions();
      letGo();
      toast("good", `Saved ${String(value?.name)}`);
      navigate(to.task(String(value?.name)));
    } catch (error) {
      setFailed(wordsOf(error));
    }
    setBusy(false);
  };
  const remove = async () => {
    const names = [...new Set(uses.map(use => use.name))];
    const answer = await confirm({
      title: `Delete the task definition ${name}?`,
      body: (
        <>
          <p>
            {names.length
              ? `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""} use it: their tasks are then tried once, without a limit of time.`
              : "No workflow's latest version uses it."}
          </p>
          <p>Tasks of executions under way keep what they began with.</p>
        </>
      ),
      act: "Delete",
      danger: true,
    });
    if (answer && (await told(deleteTask(name), `Deleted ${name}`))) {
      letGo();
      await refreshDefinitions(true);
      navigate(to.tasks());
    }
  };
  return (
    <div className="page">
      <div className={css.line}>
        <h1 className={name ? "mono" : undefined}>{name || "New task"}</h1>
        <span className="grow" />
        {name && (
          <a href={path("/api/metadata/taskdefs", name)} download={`${name}.json`}>
            export
          </a>
        )}
        {name && isDirty && (
          <Button kind="quiet" onClick={() => setText(saved)}>
            Discard
          </Button>
        )}
        <Button kind="primary" disabled={!isDirty || !value} busy={busy} onClick={() => void save()}>
          {value && name && value.name !== name ? `Save as ${String(value.name)}` : "Save"}
        </Button>
        {name && (
          <Button kind="danger" icon="trash" onClick={() => void remove()}>
            Delete…
          </Button>
        )}
      </div>
      {failed && (
        <p role="alert" className={css.wrong}>
          {failed}
        </p>
      )}
      {name && <Served name={name} />}
      <Tabs
        label="Views of the task"
        value={view}
        onChange={key => change({ view: key === "form" ? undefined : key })}
        tabs={[
          { key: "form", label: "Form" },
          { key: "json", label: "JSON" },
          { key: "uses", label: `Used by (${uses.length})` },
        ]}
      >
        <div className={css.input}>
          {view === "json" && (
            <>
              <JsonEditor
                label="Task definition"
                height="60vh"
                value={text}
                onChange={setText}
                marks={judgement.marks}
                complete={complete}
                reveal={reveal}
              />
              <Problems judgement={judgement} onGo={setReveal} />
            </>
          )}
          {view === "uses" &&
            (uses.length ? (
              <section className={css.box}>
                <UseList uses={uses} />
              </section>
            ) : (
              <p className="soft">No workflow's latest version has a task of this name.</p>
            ))}
          {view === "form" &&
            (value ? (
              <TaskFields value={value} onChange={next => setText(JSON.stringify(next, null, 2))} />
            ) : (
              <p className={css.wrong}>The JSON cannot be read; mend it there first.</p>
            ))}
        </div>
      </Tabs>
    </div>
  );
}

function Served({ name }: { name: string }) {
  const state = useQuery(overview());
  const queues = state.data?.queues.filter(queue => queue.taskType === name) ?? [];
  if (!state.data) return null;
  if (!queues.length) return <p className="soft">No worker has polled it, and nothing waits.</p>;
  return (
    <div className={css.facts}>
      {queues.map(queue => (
        <Fragment key={queue.queue}>
          <Link href={to.queues(queue.queue)}>{queue.queue}</Link>
          <span>{count(queue.workers, "worker")}</span>
          <span>{count(queue.waiting, "task")} waiting</span>
          {queue.lastPollAt > 0 && <span>polled {ago(queue.lastPollAt, state.data.at)}</span>}
        </Fragment>
      ))}
    </div>
  );
}

function TaskFields({
  value,
  onChange,
}: {
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}) {
  const schemas = useQuery(apiSchemas());
  const known = schemas.data && schemaAt(schemas.data, "TaskDef", []);
  const put = (name: string, next: unknown) => {
    const { [name]: _, ...rest } = value;
    onChange(next === undefined ? rest : name in value ? { ...value, [name]: next } : { ...rest, [name]: next });
  };
  return (
    <>
      {FIELDS.map(group => (
        <section key={group.title} className={css.box}>
          <h2>{group.title}</h2>
          <div className={fields}>
            {group.fields.map(([name, label, hint]) => {
              const schema = known?.properties?.[name];
              const isNumber = schema?.type === "integer";
              const shown = value[name] === undefined || value[name] === null ? "" : String(value[name]);
              const preset = schema?.default === undefined ? "" : String(schema.default);
              return (
                <Field
                  key={name}
                  label={label}
                  hint={hint}
                  required={name === "name"}
                  wrong={isNumber && typeof value[name] === "string" ? "is not a whole number" : undefined}
                >
                  {control =>
                    schema?.enum ? (
                      <select {...control} value={shown || preset} onChange={event => put(name, event.target.value)}>
                        {schema.enum.map(one => (
                          <option key={String(one)}>{String(one)}</option>
                        ))}
                      </select>
                    ) : (
                      <input
                        {...control}
                        value={shown}
                        placeholder={preset}
                        inputMode={isNumber ? "numeric" : undefined}
                        onChange={event => put(name, read(event.target.value, isNumber))}
                      />
                    )
                  }
                </Field>
              );
            })}
          </div>
        </section>
      ))}
    </>
  );
}

/** The text as the value of a field: a whole number where it is one; nothing when it is empty. */
function read(text: string, isNumber: boolean): unknown {
  if (!isNumber) return text;
  if (text.trim() === "") return undefined;
  return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
}
