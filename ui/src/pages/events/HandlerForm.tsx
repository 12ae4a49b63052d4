// A handler made or changed, by a form or as JSON: both show the same, and what the form does not know stays.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createHandler, replaceHandler } from "../../api/actions";
import { client, workflowNames } from "../../api/queries";
import type { EventAction, EventHandler } from "../../api/types";
import { Button } from "../../design/Button";
import { Check, Field, fields, Suggested, TextField } from "../../design/Field";
import { FormDialog } from "../../design/FormDialog";
import { JsonField } from "../../design/JsonField";
import { Tabs } from "../../design/Tabs";
import { toast } from "../../design/Toast";
import { ACTIONS, blankAction, blankHandler, changed, detailsOf, turned, type ActionKind } from "../../lib/handler";
import css from "./Events.module.css";

export function HandlerForm({
  handler,
  names,
  onClose,
}: {
  /** The one that is changed; null for a new one. */
  handler: EventHandler | null;
  names: string[];
  onClose: (saved?: string) => void;
}) {
  const [begun] = useState<EventHandler>(() => handler ?? blankHandler());
  const [draft, setDraft] = useState(begun);
  const [view, setView] = useState("form");
  const [unread, setUnread] = useState<ReadonlySet<string>>(new Set());
  const readable = (key: string, isRead: boolean) =>
    setUnread(before => {
      const next = new Set(before);
      if (isRead) next.delete(key);
      else next.add(key);
      return next;
    });
  const change = (patch: Partial<EventHandler>) => setDraft(before => ({ ...before, ...patch }));
  const actions = Array.isArray(draft.actions) ? draft.actions : [];
  const isTaken = !handler && names.includes(draft.name ?? "");
  const save = async () => {
    if (handler) await replaceHandler({ ...draft, name: handler.name });
    else await createHandler(draft);
    await client.invalidateQueries({ queryKey: ["eventHandlers"] });
    toast("good", `${draft.name} is saved`);
    onClose(handler?.name ?? draft.name);
  };
  return (
    <FormDialog
      title={handler ? `Change ${handler.name}` : "New event handler"}
      acts={[{ label: "Save", work: save }]}
      isReady={Boolean(draft.name && draft.event) && unread.size === 0 && !isTaken}
      isDirty={unread.size > 0 || JSON.stringify(draft) !== JSON.stringify(begun)}
      onClose={() => onClose()}
    >
      <Tabs
        label="How to edit"
        tabs={[
          { key: "form", label: "Form" },
          { key: "json", label: "JSON" },
        ]}
        value={view}
        onChange={key => unread.size === 0 && setView(key)}
      >
        {view === "json" ? (
          <div className={css.form}>
            <JsonField
              label="Event handler"
              value={draft}
              onChange={said => {
                const isObject = said !== null && typeof said.read === "object" && said.read !== null;
                readable("json", isObject);
                if (isObject) setDraft(said.read as EventHandler);
              }}
            />
          </div>
        ) : (
          <div className={css.form}>
            <div className={fields}>
              <TextField
                label="Name"
                required
                wrong={isTaken ? "There is a handler of this name." : undefined}
                disabled={handler !== null}
                value={draft.name}
                onChange={text => change({ name: text })}
              />
              <TextField
                label="Event"
                required
                hint="provider:queue, such as conductor:orders:placed or jsm:orders.new"
                mono
                value={draft.event}
                onChange={text => change({ event: text })}
              />
              <TextField
                label="Description"
                value={draft.description}
                onChange={text => change({ description: text || undefined })}
              />
            </div>
            <TextField
              label="Condition"
              hint="JavaScript; $ is the message. Without one it always acts."
              mono
              placeholder="$.amount > 100"
              value={draft.condition}
              onChange={text => change({ condition: text || undefined })}
            />
            {actions.map((action, index) => (
              <ActionFields
                key={index}
                action={action}
                number={index + 1}
                onChange={next => change({ actions: actions.map((one, at) => (at === index ? next : one)) })}
                onReadable={(key, isRead) => readable(`${index}/${key}`, isRead)}
                onRemove={
                  actions.length > 1 ? () => change({ actions: actions.filter((_, at) => at !== index) }) : undefined
                }
              />
            ))}
            <div>
              <Button
                small
                kind="quiet"
                icon="plus"
                onClick={() => change({ actions: [...actions, blankAction("start_workflow")] })}
              >
                Another action
              </Button>
            </div>
            <Check checked={draft.active ?? false} onChange={active => change({ active })}>
              Active: it listens as soon as it is saved
            </Check>
          </div>
        )}
      </Tabs>
    </FormDialog>
  );
}

function ActionFields({
  action,
  number,
  onChange,
  onReadable,
  onRemove,
}: {
  action: EventAction;
  number: number;
  onChange: (action: EventAction) => void;
  onReadable: (key: string, isRead: boolean) => void;
  onRemove?: () => void;
}) {
  const workflows = useQuery(workflowNames());
  const known = ACTIONS[action.action];
  const details = detailsOf(action);
  const set = (key: string, value: unknown) => onChange(changed(action, { ...details, [key]: value }));
  return (
    <div className={css.action} role="group" aria-label={`Action ${number}`}>
      <div className={css.head}>
        <Field label={`Action ${number}`}>
          {control => (
            <select
              {...control}
              value={action.action}
              onChange={event => onChange(turned(action, event.target.value as ActionKind))}
            >
              {Object.entries(ACTIONS).map(([kind, one]) => (
                <option key={kind} value={kind}>
                  {one.label}
                </option>
              ))}
              {!known && <option value={action.action}>{action.action}</option>}
            </select>
          )}
        </Field>
        {onRemove && <Button kind="quiet" icon="trash" aria-label={`Remove action ${number}`} onClick={onRemove} />}
      </div>
      {!known && <p className="soft">What {action.action} takes is edited as JSON.</p>}
      <div className={fields}>
        {known?.fields
          .filter(field => field.kind === "text" || field.kind === "number")
          .map(field => (
            <Field key={`${action.action} ${field.key}`} label={field.label} hint={field.hint}>
              {control =>
                field.key === "name" ? (
                  <Suggested
                    {...control}
                    options={workflows.data ?? []}
                    value={String(details.name ?? "")}
                    onChange={name => set("name", name)}
                  />
                ) : (
                  <input
                    {...control}
                    type={field.kind === "number" ? "number" : "text"}
                    value={String(details[field.key] ?? "")}
                    onChange={event =>
                      set(
                        field.key,
                        field.kind === "number" && event.target.value ? Number(event.target.value) : event.target.value,
                      )
                    }
                  />
                )
              }
            </Field>
          ))}
      </div>
      {known?.fields
        .filter(field => field.kind === "json")
        .map(field => (
          <JsonField
            key={`${action.action} ${field.key}`}
            label={field.hint ? `${field.label}: ${field.hint}` : field.label}
            value={details[field.key] ?? {}}
            onChange={said => {
              onReadable(field.key, said !== null);
              if (said) set(field.key, said.read);
            }}
          />
        ))}
      {known?.fields
        .filter(field => field.kind === "flag")
        .map(field => (
          <Check key={field.key} checked={details[field.key] === true} onChange={isOn => set(field.key, isOn)}>
            {field.label}
          </Check>
        ))}
      <Check
        checked={action.expandInlineJSON ?? false}
        onChange={expandInlineJSON => onChange({ ...action, expandInlineJSON })}
      >
        Open texts of the message that are JSON
      </Check>
    </div>
  );
}
