// A schedule made or changed. What the form does not show (tags, domains, …) is kept as it is.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { saveSchedule } from "../../api/actions";
import { ApiError } from "../../api/http";
import { client, workflowNames } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { Button } from "../../design/Button";
import { Check, Field, fields, Suggested, TextField } from "../../design/Field";
import { FormDialog } from "../../design/FormDialog";
import { JsonField } from "../../design/JsonField";
import { toast } from "../../design/Toast";
import { zones } from "../../lib/format";
import {
  brokenFields,
  entriesOf,
  localField,
  localInstant,
  PRESETS,
  withEntries,
  type Entry,
} from "../../lib/schedule";
import css from "./Schedules.module.css";
import { CronFields, Ticks } from "./Ticks";

const ZONES = zones().filter(zone => zone !== "local");
const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const blank = (): Schedule => ({ name: "", cronExpression: "", zoneId: here(), startWorkflowRequest: { name: "" } });

export function ScheduleForm({
  schedule,
  names,
  onClose,
}: {
  /** The one that is changed; null for a new one. */
  schedule: Schedule | null;
  names: string[];
  onClose: (saved?: string) => void;
}) {
  const [begun] = useState<Schedule>(() => schedule ?? blank());
  const [draft, setDraft] = useState(begun);
  const [entries, setEntries] = useState<Entry[]>(() => entriesOf(draft));
  const [isUnread, setUnread] = useState(false);
  const [broken, setBroken] = useState<Record<string, string>>({});
  const workflows = useQuery(workflowNames());
  const request = draft.startWorkflowRequest;
  const change = (patch: Partial<Schedule>) => setDraft(before => ({ ...before, ...patch }));
  const ask = (patch: Partial<Schedule["startWorkflowRequest"]>) =>
    setDraft(before => ({ ...before, startWorkflowRequest: { ...before.startWorkflowRequest, ...patch } }));
  const isTaken = !schedule && names.includes(draft.name.trim());
  const isDirty = isUnread || JSON.stringify([draft, entries]) !== JSON.stringify([begun, entriesOf(begun)]);
  const save = async () => {
    setBroken({});
    try {
      const { nextRunTime: _, ...sent } = withEntries({ ...draft, name: draft.name.trim() }, entries);
      await saveSchedule(sent);
      await client.invalidateQueries({ queryKey: ["schedules"] });
      toast("good", `${sent.name} is saved`);
      onClose(sent.name);
    } catch (error) {
      if (error instanceof ApiError) setBroken(brokenFields(error.violations));
      throw error;
    }
  };
  const workflowWrong = broken["startWorkflowRequest"] ?? broken["startWorkflowRequest.name"];
  return (
    <FormDialog
      title={schedule ? `Change ${schedule.name}` : "New schedule"}
      acts={[{ label: "Save", work: save }]}
      isReady={draft.name.trim() !== "" && Boolean(request.name) && !isUnread && !isTaken}
      isDirty={isDirty}
      onClose={() => onClose()}
    >
      <div className={fields}>
        <TextField
          label="Name"
          required
          wrong={isTaken ? "There is a schedule of this name; saving would replace it." : broken.name}
          disabled={schedule !== null}
          value={draft.name}
          onChange={text => change({ name: text })}
        />
        <TextField label="Description" value={draft.description} onChange={text => change({ description: text })} />
      </div>
      {entries.map((entry, index) => (
        <EntryFields
          key={index}
          entry={entry}
          label={entries.length > 1 ? `Expression ${index + 1}` : "Expression"}
          wrong={broken[`cronSchedules[${index}]`] ?? (index === 0 ? broken.cronExpression : undefined)}
          from={draft.scheduleStartTime}
          until={draft.scheduleEndTime}
          onChange={next => setEntries(before => before.map((one, at) => (at === index ? next : one)))}
          onRemove={entries.length > 1 ? () => setEntries(before => before.filter((_, at) => at !== index)) : undefined}
        />
      ))}
      <div>
        <Button
          small
          kind="quiet"
          icon="plus"
          onClick={() => setEntries(before => [...before, { cron: "", zone: before.at(-1)?.zone ?? here() }])}
        >
          Another expression
        </Button>
      </div>
      <div className={fields}>
        <Field label="Workflow" required wrong={workflowWrong}>
          {control => (
            <Suggested
              {...control}
              options={workflows.data ?? []}
              value={request.name}
              onChange={name => ask({ name })}
            />
          )}
        </Field>
        <TextField
          label="Version"
          hint="the latest unless given"
          type="number"
          min={1}
          value={request.version}
          onChange={text => ask({ version: text ? Number(text) : undefined })}
        />
        <TextField
          label="Correlation id"
          value={request.correlationId}
          onChange={text => ask({ correlationId: text || undefined })}
        />
      </div>
      <JsonField
        label="Input"
        value={request.input ?? {}}
        onChange={said => {
          setUnread(said === null);
          if (said) ask({ input: said.read as never });
        }}
      />
      <div className={fields}>
        <TextField
          label="From"
          hint="on your clock; empty: from now"
          type="datetime-local"
          value={localField(draft.scheduleStartTime)}
          onChange={text => change({ scheduleStartTime: localInstant(text) })}
        />
        <TextField
          label="Until"
          hint="empty: for ever"
          wrong={broken.scheduleEndTime}
          type="datetime-local"
          value={localField(draft.scheduleEndTime)}
          onChange={text => change({ scheduleEndTime: localInstant(text) })}
        />
      </div>
      <Check
        checked={draft.runCatchupScheduleInstances ?? false}
        onChange={isOn => change({ runCatchupScheduleInstances: isOn })}
      >
        After a time without a server, make up for every tick it missed; otherwise once
      </Check>
    </FormDialog>
  );
}

function EntryFields({
  entry,
  label,
  wrong,
  from,
  until,
  onChange,
  onRemove,
}: {
  entry: Entry;
  label: string;
  wrong?: string;
  from?: number;
  until?: number;
  onChange: (entry: Entry) => void;
  onRemove?: () => void;
}) {
  return (
    <div className={css.entry} role="group" aria-label={label}>
      <div className={css.line}>
        <TextField
          label={label}
          wrong={wrong}
          mono
          placeholder="0 30 7 * * MON-FRI"
          value={entry.cron}
          onChange={text => onChange({ ...entry, cron: text })}
        />
        <Field label="Begin with">
          {control => (
            <select {...control} value="" onChange={event => onChange({ ...entry, cron: event.target.value })}>
              <option value="">choose…</option>
              {PRESETS.map(one => (
                <option key={one.cron} value={one.cron}>
                  {one.label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Time zone">
          {control => (
            <Suggested
              {...control}
              options={ZONES}
              value={entry.zone}
              onChange={zone => onChange({ ...entry, zone })}
            />
          )}
        </Field>
        {onRemove && <Button kind="quiet" icon="trash" aria-label={`Remove ${label}`} onClick={onRemove} />}
      </div>
      <CronFields cron={entry.cron} />
      <Ticks entry={entry} from={from} until={until} />
    </div>
  );
}
