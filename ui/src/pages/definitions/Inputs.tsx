import { Field, fields } from "../../design/Field";
import { JsonEditor } from "../../design/JsonEditor";
import type { Field as FormField, Form } from "../../lib/form";
import css from "./Definitions.module.css";

/** The fields of a form, each with its text. */
export function Inputs({
  form,
  texts,
  wrong,
  onChange,
}: {
  form: Form;
  texts: Record<string, string>;
  wrong: Record<string, string>;
  onChange: (texts: Record<string, string>) => void;
}) {
  return (
    <div className={fields}>
      {form.fields.map(field => (
        <div key={field.name} className={field.kind === "json" || field.kind === "lines" ? css.whole_line : undefined}>
          <Field
            label={field.title}
            required={field.required}
            wrong={wrong[field.name]}
            hint={
              field.description || (field.title !== field.name ? <span className="mono">{field.name}</span> : undefined)
            }
          >
            {control => (
              <Control
                field={field}
                control={control}
                text={texts[field.name] ?? ""}
                onChange={text => onChange({ ...texts, [field.name]: text })}
              />
            )}
          </Field>
        </div>
      ))}
    </div>
  );
}

function Control({
  field,
  control,
  text,
  onChange,
}: {
  field: FormField;
  control: { id: string; className?: string };
  text: string;
  onChange: (text: string) => void;
}) {
  const given = {
    ...control,
    value: text,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  switch (field.kind) {
    case "boolean":
      return (
        <select {...given}>
          <option value="">not given</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      );
    case "choice":
      return (
        <select {...given}>
          <option value="">not given</option>
          {field.choices.map(choice => (
            <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
              {typeof choice === "string" ? choice : JSON.stringify(choice)}
            </option>
          ))}
        </select>
      );
    case "lines":
      return <textarea {...given} rows={4} />;
    case "json":
      return <JsonEditor label={field.title} value={text} onChange={onChange} height="200px" />;
    default:
      return <input {...given} inputMode={field.kind === "text" ? undefined : "decimal"} spellCheck={false} />;
  }
}
