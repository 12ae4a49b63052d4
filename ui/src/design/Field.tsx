import { useId, type ReactNode } from "react";
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
