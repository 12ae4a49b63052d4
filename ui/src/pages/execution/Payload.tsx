import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { wholePayload } from "../../api/queries";
import { Button } from "../../design/Button";
import { JsonTree } from "../../design/JsonTree";
import { bytes } from "../../lib/format";
import css from "./Execution.module.css";

interface Props {
  kind: "execution" | "task";
  id: string;
  part: "input" | "output" | "variables";
  title: string;
  value: unknown;
  size: number;
  isWithheld: boolean;
  /** What copied paths begin with. */
  root: string;
  height?: number;
}

/** A payload as a tree; one above 1 MiB says how large it is and is loaded when asked for. */
export function Payload({ kind, id, part, title, value, size, isWithheld, root, height }: Props) {
  const [isAsked, setAsked] = useState(false);
  const whole = useQuery({ ...wholePayload(kind, id, part), enabled: isWithheld && isAsked });
  const shown = isWithheld ? whole.data : value;
  const isEmpty = !isWithheld && size <= 2;
  const isMasked = useMemo(() => shown !== undefined && JSON.stringify(shown)?.includes('"***"'), [shown]);
  return (
    <section className={css.part}>
      <h3>
        {title} <span className="faint">{isEmpty ? "empty" : size > 1024 ? bytes(size) : ""}</span>
      </h3>
      {shown !== undefined && !isEmpty && (
        <JsonTree key={`${id}/${part}`} value={shown} root={root} label={title} height={height} />
      )}
      {isMasked && (
        <p className="faint">
          <code>***</code> stands for a secret, or for a field that the definition masks.
        </p>
      )}
      {isWithheld && !whole.data && (
        <div>
          <Button small busy={whole.isFetching} onClick={() => setAsked(true)}>
            Load {bytes(size)}
          </Button>
          {whole.error && <p role="alert">{whole.error.message}</p>}
        </div>
      )}
    </section>
  );
}
