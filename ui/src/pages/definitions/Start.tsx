// Starting an execution: fields made from the schema of the input, its parameters or what the last ones were given; or the input as JSON.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation, useParams as usePath } from "wouter";
import { start, type StartRequest } from "../../api/actions";
import {
  client,
  definition as definitionOf,
  executionPayloads,
  lately,
  schema,
  versions as allVersions,
} from "../../api/queries";
import type { WorkflowDef } from "../../api/types";
import { Button } from "../../design/Button";
import { EmptyState } from "../../design/EmptyState";
import { Field, fields } from "../../design/Field";
import { JsonEditor } from "../../design/JsonEditor";
import { Tabs } from "../../design/Tabs";
import { usePreferences } from "../../app/preferences";
import { ago, short, wordsOf } from "../../lib/format";
import { formOf, inputOf, textsOf, type Form } from "../../lib/form";
import { isBranch } from "../../lib/json";
import { useUnsaved } from "../../lib/unsaved";
import { to, useParams } from "../../lib/url";
import css from "./Definitions.module.css";
import { Missing } from "./Missing";
import { Inputs } from "./Inputs";
import { parsed } from "./assist";

export default function Start() {
  const { name: inPath } = usePath<{ name: string }>();
  const name = decodeURIComponent(inPath!);
  const [params] = useParams();
  const version = Number(params.get("version")) || undefined;
  const found = useQuery(definitionOf(name, version));
  const latest = useQuery(lately(name));
  const like = params.get("like") ?? "";
  // Of a workflow that says nothing of its input, the last execution tells which fields there are.
  const example = like || (latest.data?.[0]?.workflowId ?? "");
  const model = useQuery({ ...executionPayloads(example), enabled: Boolean(example) });
  const inSchema = found.data?.inputSchema;
  const registered = useQuery({
    ...schema(inSchema?.name ?? "", inSchema?.version || undefined),
    enabled: Boolean(inSchema?.name && !inSchema.data),
    retry: false,
  });
  if (found.error && !found.data)
    return (
      <Missing kind="workflow" name={name} version={version} error={found.error} onRetry={() => void found.refetch()} />
    );
  const isReading =
    !found.data ||
    latest.isPending ||
    (example !== "" && model.isPending) ||
    (registered.isLoading && !registered.error);
  if (isReading) return <div className="page faint" aria-busy="true" />;
  const definition: WorkflowDef = registered.data ? { ...found.data!, inputSchema: registered.data } : found.data!;
  return (
    <Filled
      key={`${name} ${version} ${like}`}
      definition={definition}
      version={version}
      example={model.data?.workflow.input}
      like={like}
      likeError={like ? model.error : null}
    />
  );
}

interface Options {
  correlationId: string;
  priority: string;
  idempotencyKey: string;
  idempotencyStrategy: NonNullable<StartRequest["idempotencyStrategy"]>;
}

function Filled({
  definition,
  version,
  example,
  like,
  likeError,
}: {
  definition: WorkflowDef;
  version: number | undefined;
  example: unknown;
  like: string;
  likeError: Error | null;
}) {
  const name = definition.name;
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const form = useMemo(() => formOf(definition, example), [definition, example]);
  const [rest, setRest] = useState<unknown>(like ? example : {});
  const [texts, setTexts] = useState(() => textsOf(form, like ? example : {}));
  const [raw, setRaw] = useState("");
  const [options, setOptions] = useState<Options>({
    correlationId: "",
    priority: "",
    idempotencyKey: "",
    idempotencyStrategy: "RETURN_EXISTING",
  });
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const [isWritten, setWritten] = useState(false); // by hand
  const letGo = useUnsaved(isWritten);
  const [mode, setMode] = useState(form.fields.length ? "form" : "json");
  const shownRaw = raw || JSON.stringify(inputOf(form, texts, rest).input, null, 2);
  const fill = (input: unknown) => {
    setRest(input);
    setTexts(textsOf(form, input));
    setRaw(JSON.stringify(input ?? {}, null, 2));
    setWrong({});
  };
  const show = (next: string) => {
    const value = parsed(shownRaw);
    if (next === "json") setRaw(JSON.stringify(inputOf(form, texts, rest).input, null, 2));
    else if (value) {
      setRest(value);
      setTexts(textsOf({ ...form, fields: form.fields.map(field => ({ ...field, preset: undefined })) }, value));
    } else return setFailed("The JSON has to be an object before it can be shown as fields.");
    setFailed("");
    setMode(next);
  };
  const send = async () => {
    setFailed("");
    const read = mode === "form" ? inputOf(form, texts, rest) : { input: parsed(shownRaw), wrong: {} };
    setWrong(read.wrong);
    const priority = options.priority.trim() === "" ? undefined : Number(options.priority);
    if (!read.input) return setFailed("The input has to be a JSON object.");
    if (Object.keys(read.wrong).length) return setFailed("Look at the fields that are marked.");
    if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 99))
      return setFailed("The priority is a whole number from 0 to 99; higher goes first.");
    setBusy(true);
    try {
      const id = await start({
        name,
        version,
        input: read.input,
        correlationId: options.correlationId || undefined,
        priority,
        ...(options.idempotencyKey && {
          idempotencyKey: options.idempotencyKey,
          idempotencyStrategy: options.idempotencyStrategy,
        }),
      });
      void client.invalidateQueries({ queryKey: ["executions"] });
      letGo();
      navigate(to.execution(id));
    } catch (error) {
      setFailed(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <form
      className={`page ${css.start}`}
      noValidate
      onInput={() => setWritten(true)}
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={event => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
      }}
    >
      <div className={css.line}>
        <h1>
          Start <Link href={to.definition(name, version)}>{name}</Link>
        </h1>
        <VersionChoice name={name} version={version} onChange={next => change({ version: next })} />
      </div>
      {definition.description && <p className="soft">{definition.description}</p>}
      {likeError && (
        <p className={css.wrong} role="alert">
          The execution {like} whose input was to be offered: {likeError.message}
        </p>
      )}
      <Before name={name} like={like} onChoose={id => change({ like: id || undefined })} onClear={() => fill({})} />
      <Tabs
        label="How the input is written"
        value={mode}
        onChange={show}
        tabs={[
          { key: "form", label: "Form" },
          { key: "json", label: "JSON" },
        ]}
      >
        <div className={css.input}>
          {mode === "json" ? (
            <JsonEditor label="Input" value={shownRaw} onChange={setRaw} height="50vh" />
          ) : (
            <>
              <p className="faint">{FROM[form.from]}</p>
              {form.fields.length === 0 && (
                <EmptyState icon="edit" title="Nothing is known of its input">
                  Write it as JSON, or say in the definition what it takes: inputParameters, or inputSchema.
                </EmptyState>
              )}
              <Inputs form={form} texts={texts} wrong={wrong} onChange={setTexts} />
              <Members rest={rest} form={form} />
            </>
          )}
        </div>
      </Tabs>
      <details className={css.fold} open={params.get("options") === "1"}>
        <summary>Correlation, priority, idempotency</summary>
        <More options={options} onChange={setOptions} />
      </details>
      {failed && (
        <p role="alert" className={css.wrong}>
          {failed}
        </p>
      )}
      <div className={css.line}>
        <Button kind="primary" icon="play" type="submit" busy={busy}>
          Start
        </Button>
        <span className="faint">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
      </div>
    </form>
  );
}

const FROM: Record<Form["from"], string> = {
  schema: "The fields come from the schema of its input. What is empty is left out.",
  parameters: "The fields are the parameters that the definition names. What is empty is left out.",
  last: "The definition says nothing of its input: these are the members that the last execution was given.",
  nothing: "",
};

function VersionChoice({
  name,
  version,
  onChange,
}: {
  name: string;
  version?: number;
  onChange: (version?: string) => void;
}) {
  const all = useQuery(allVersions());
  const numbers = all.data?.[name]?.map(one => one.version) ?? [];
  return (
    <select
      className="control"
      aria-label="Version"
      value={version ?? ""}
      onChange={event => onChange(event.target.value || undefined)}
    >
      <option value="">latest version{numbers.length ? ` (${numbers.at(-1)})` : ""}</option>
      {[...numbers].reverse().map(one => (
        <option key={one} value={one}>
          version {one}
        </option>
      ))}
    </select>
  );
}

/** Inputs of executions there were. */
function Before({
  name,
  like,
  onChoose,
  onClear,
}: {
  name: string;
  like: string;
  onChoose: (id: string) => void;
  onClear: () => void;
}) {
  usePreferences();
  const found = useQuery(lately(name));
  const rows = found.data ?? [];
  if (!rows.length && !like) return null;
  const isListed = rows.some(row => row.workflowId === like);
  return (
    <label className={css.line}>
      Input of
      <select
        className="control"
        value={like}
        onChange={event => {
          if (!event.target.value) onClear();
          onChoose(event.target.value);
        }}
      >
        <option value="">nothing: begin empty</option>
        {like && !isListed && <option value={like}>{short(like)}</option>}
        {rows.map(row => (
          <option key={row.workflowId} value={row.workflowId}>
            {[
              row.correlationId || short(row.workflowId),
              ago(Date.parse(row.startTime)),
              row.status.toLowerCase(),
            ].join(" · ")}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Members that have no field, and are given as they were. */
function Members({ rest, form }: { rest: unknown; form: Form }) {
  const names = isBranch(rest) ? Object.keys(rest).filter(key => !form.fields.some(field => field.name === key)) : [];
  if (!names.length) return null;
  return (
    <p className="soft">
      Also given, as it was there: <span className="mono">{names.join(", ")}</span>. See them under JSON.
    </p>
  );
}

function More({ options, onChange }: { options: Options; onChange: (options: Options) => void }) {
  const text = (key: keyof Options) => ({
    value: options[key],
    onChange: (event: { target: { value: string } }) => onChange({ ...options, [key]: event.target.value }),
  });
  return (
    <div className={fields}>
      <Field label="Correlation id" hint="Yours, to find it by.">
        {control => <input {...control} {...text("correlationId")} />}
      </Field>
      <Field label="Priority" hint="0 to 99; tasks of higher ones are handed out first.">
        {control => <input {...control} {...text("priority")} inputMode="numeric" placeholder="0" />}
      </Field>
      <Field label="Idempotency key" hint="A start with a key that was used is no second execution.">
        {control => <input {...control} {...text("idempotencyKey")} />}
      </Field>
      <Field label="When the key was used">
        {control => (
          <select {...control} {...text("idempotencyStrategy")} disabled={!options.idempotencyKey}>
            <option value="RETURN_EXISTING">go to that execution</option>
            <option value="FAIL">refuse</option>
            <option value="FAIL_ON_RUNNING">refuse while it runs</option>
          </select>
        )}
      </Field>
    </div>
  );
}
