import { useId, type InputHTMLAttributes, type ReactNode } from "react";
import css from "./Field.module.css";

/** A label, what is filled in, a hint, and what is wrong with it. The control is made with the id and what describes it. */
export function Field({
  label,
  hint,
  wrong,
  required = false,
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  wrong?: string;
  required?: boolean;
  children: (control: {
    id: string;
    className?: string;
    "aria-describedby"?: string;
    "aria-invalid"?: boolean;
    "aria-required"?: boolean;
  }) => ReactNode;
}) {
  const id = useId();
  const about = wrong || hint ? `${id}-about` : undefined;
  return (
    <div className={css.field} data-wrong={wrong ? true : undefined}>
      <label htmlFor={id}>
        {label}
        {required && (
          <span className={css.required} aria-hidden="true">
            {" "}
            *
          </span>
        )}
      </label>
      {children({
        id,
        className: css.control,
        "aria-describedby": about,
        "aria-invalid": wrong ? true : undefined,
        "aria-required": required || undefined,
      })}
      {about && (
        <div id={about} className={css.about}>
          {wrong && <span className={css.wrong}>{wrong}</span>}
          {hint}
        </div>
      )}
    </div>
  );
}

/** Fields side by side where there is room. */
export const fields = css.fields;
export const control = css.control;

/** A field of one line. */
export function TextField({
  value,
  onChange,
  mono = false,
  ...rest
}: {
  label: string;
  value: string | number | undefined;
  onChange: (text: string) => void;
  hint?: string;
  wrong?: string;
  required?: boolean;
  mono?: boolean;
} & Pick<InputHTMLAttributes<HTMLInputElement>, "disabled" | "placeholder" | "type" | "min">) {
  const { label, hint, wrong, required, ...given } = rest;
  return (
    <Field label={label} hint={hint} wrong={wrong} required={required}>
      {control => (
        <input
          {...control}
          {...given}
          className={mono ? `${control.className} mono` : control.className}
          value={value ?? ""}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A text that may be one of those offered. */
export function Suggested({
  options,
  onChange,
  ...control
}: {
  options: readonly string[];
  value: string;
  onChange: (text: string) => void;
  id?: string;
  className?: string;
}) {
  const list = useId();
  return (
    <>
      <input {...control} list={list} onChange={event => onChange(event.target.value)} />
      <datalist id={list}>
        {options.slice(0, 500).map(option => (
          <option key={option} value={option} />
        ))}
      </datalist>
    </>
  );
}

/** Yes or no, in words beside it. */
export function Check({
  checked,
  onChange,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}) {
  return (
    <label className={css.check}>
      <input type="checkbox" checked={checked} onChange={event => onChange(event.target.checked)} />
      {children}
    </label>
  );
}
