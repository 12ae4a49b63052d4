import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { wholePayload } from "../../api/queries";
import { Button } from "../../design/Button";
import { JsonTree } from "../../design/JsonTree";
import { Part } from "../../design/Side";
import { bytes } from "../../lib/format";

const TITLES = { input: "Input", output: "Output", variables: "Variables" };
const SMALL = 1024; // bytes; of less the size says nothing

interface Props {
  kind: "execution" | "task";
  id: string;
  part: keyof typeof TITLES;
  value: unknown;
  size: number;
  isWithheld: boolean;
  /** What copied paths begin with. */
  root: string;
  height?: number;
}

/** A payload as a tree; one above 1 MiB says how large it is and is loaded when asked for. */
export function Payload({ kind, id, part, value, size, isWithheld, root, height }: Props) {
  const title = TITLES[part];
  const [isAsked, setAsked] = useState(false);
  const whole = useQuery({ ...wholePayload(kind, id, part), enabled: isWithheld && isAsked });
  const shown = isWithheld ? whole.data : value;
  const isEmpty = !isWithheld && size <= 2; // {}
  const isMasked = useMemo(() => shown !== undefined && JSON.stringify(shown)?.includes('"***"'), [shown]);
  return (
    <Part
      title={
        <>
          {title} <span className="faint">{isEmpty ? "empty" : size > SMALL ? bytes(size) : ""}</span>
        </>
      }
    >
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
    </Part>
  );
}
