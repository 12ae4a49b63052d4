// The definition as text, judged while it is written; beside it how it looks.
import { useState } from "react";
import { JsonEditor } from "../../design/JsonEditor";
import type { Path } from "../../lib/json";
import css from "./Definitions.module.css";
import { Problems } from "./Problems";
import { useComplete, type Judgement } from "./assist";

export function Edit({
  text,
  onChange,
  judgement,
}: {
  text: string;
  onChange: (text: string) => void;
  judgement: Judgement;
}) {
  const complete = useComplete("WorkflowDef");
  const [reveal, setReveal] = useState<Path>();
  return (
    <div className={css.edit}>
      <div className={css.side}>
        <JsonEditor
          label="Definition"
          height="fill"
          value={text}
          onChange={onChange}
          marks={judgement.marks}
          complete={complete}
          reveal={reveal}
        />
        <Problems judgement={judgement} onGo={setReveal} />
      </div>
    </div>
  );
}
