// A schedule made or changed. What the form does not show (tags, domains, …) is kept as it is.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { saveSchedule } from "../../api/actions";
import { ApiError } from "../../api/http";
import { client, workflowNames } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { Button } from "../../design/Button";
import { Dialog } from "../../design/Dialog";
import { Field, fields } from "../../design/Field";
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
  const [draft, setDraft] = useState<Schedule>(() => schedule ?? blank());
  const [entries, setEntries] = useState<Entry[]>(() => entriesOf(draft));
  const [isUnread, setUnread] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const [broken, setBroken] = useState<Record<string, string>>({});
  const [wrong, setWrong] = useState("");
  const workflows = useQuery(workflowNames());
  const request = draft.startWorkflowRequest;
  const change = (patch: Partial<Schedule>) => setDraft(before => ({ ...before, ...patch }));
  const ask = (patch: Partial<Schedule["startWorkflowRequest"]>) =>
    setDraft(before => ({ ...before, startWorkflowRequest: { ...before.startWorkflowRequest, ...patch } }));
  const isTaken = !schedule && names.includes(draft.name.trim());
  const save = async () => {
    setSaving(true);
    setWrong("");
    setBroken({});
    try {
      const { nextRunTime: _, ...sent } = withEntries({ ...draft, name: draft.name.trim() }, entries);
      await saveSchedule(sent);
      await client.invalidateQueries({ queryKey: ["schedules"] });
      toast("good", `${sent.name} is saved`);
      onClose(sent.name);
    } catch (error) {
      if (error instanceof ApiError) setBroken(brokenFields(error.violations));
      setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setSaving(false);
    }
  };
  const workflowWrong = broken["startWorkflowRequest"] ?? broken["startWorkflowRequest.name"];
  return (
    <Dialog
      open
      onClose={() => onClose()}
      wide
      title={schedule ? `Change ${schedule.name}` : "New schedule"}
      footer={
        <>
          <Button onClick={() => onClose()}>Cancel</Button>
          <Button
            kind="primary"
            busy={isSaving}
            disabled={!draft.name.trim() || !request.name || isUnread || isTaken}
            onClick={() => void save()}
          >
            Save
          </Button>
        </>
      }
    >
      <div className={css.form}>
        {wrong && (
          <p className={css.wrong} role="alert">
            {wrong}
          </p>
        )}
        <div className={fields}>
          <Field
            label="Name"
            required
            wrong={isTaken ? "There is a schedule of this name; saving would replace it." : broken.name}
          >
            {control => (
              <input
                {...control}
                value={draft.name}
                disabled={schedule !== null}
                onChange={event => change({ name: event.target.value })}
              />
            )}
          </Field>
          <Field label="Description">
            {control => (
              <input
                {...control}
                value={draft.description ?? ""}
                onChange={event => change({ description: event.target.value })}
              />
            )}
          </Field>
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
            onRemove={
              entries.length > 1 ? () => setEntries(before => before.filter((_, at) => at !== index)) : undefined
            }
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
              <>
                <input
                  {...control}
                  list="schedule-workflows"
                  value={request.name}
                  onChange={event => ask({ name: event.target.value })}
                />
                <datalist id="schedule-workflows">
                  {workflows.data?.slice(0, 500).map(name => (
                    <option key={name} value={name} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <Field label="Version" hint="the latest unless given">
            {control => (
              <input
                {...control}
                type="number"
                min={1}
                value={request.version ?? ""}
                onChange={event => ask({ version: event.target.value ? Number(event.target.value) : undefined })}
              />
            )}
          </Field>
          <Field label="Correlation id">
            {control => (
              <input
                {...control}
                value={request.correlationId ?? ""}
                onChange={event => ask({ correlationId: event.target.value || undefined })}
              />
            )}
          </Field>
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
          <Field label="From" hint="on your clock; empty: from now">
            {control => (
              <input
                {...control}
                type="datetime-local"
                value={localField(draft.scheduleStartTime)}
                onChange={event => change({ scheduleStartTime: localInstant(event.target.value) })}
              />
            )}
          </Field>
          <Field label="Until" hint="empty: for ever" wrong={broken.scheduleEndTime}>
            {control => (
              <input
                {...control}
                type="datetime-local"
                value={localField(draft.scheduleEndTime)}
                onChange={event => change({ scheduleEndTime: localInstant(event.target.value) })}
              />
            )}
          </Field>
        </div>
        <label className={css.check}>
          <input
            type="checkbox"
            checked={draft.runCatchupScheduleInstances ?? false}
            onChange={event => change({ runCatchupScheduleInstances: event.target.checked })}
          />
          After a time without a server, make up for every tick it missed; otherwise once
        </label>
      </div>
    </Dialog>
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
        <Field label={label} wrong={wrong}>
          {control => (
            <input
              {...control}
              className={`${control.className} mono`}
              spellCheck={false}
              value={entry.cron}
              placeholder="0 30 7 * * MON-FRI"
              onChange={event => onChange({ ...entry, cron: event.target.value })}
            />
          )}
        </Field>
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
            <>
              <input
                {...control}
                list="schedule-zones"
                value={entry.zone}
                onChange={event => onChange({ ...entry, zone: event.target.value })}
              />
              <datalist id="schedule-zones">
                {zones()
                  .filter(zone => zone !== "local")
                  .map(zone => (
                    <option key={zone} value={zone} />
                  ))}
              </datalist>
            </>
          )}
        </Field>
        {onRemove && <Button kind="quiet" icon="trash" aria-label={`Remove ${label}`} onClick={onRemove} />}
      </div>
      <CronFields cron={entry.cron} />
      <Ticks entry={entry} from={from} until={until} />
    </div>
  );
}
