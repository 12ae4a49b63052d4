// The definition as text, judged while it is written; beside it how it looks. The cursor selects in the graph, the graph leads to the text.
import { useMemo, useRef, useState } from "react";
import type { WorkflowDef } from "../../api/types";
import { JsonEditor } from "../../design/JsonEditor";
import { DefinitionGraph } from "../../graph/DefinitionGraph";
import type { Path } from "../../lib/json";
import { taskAt, taskPaths } from "../../lib/problems";
import { Breaks } from "./Breaks";
import css from "./Definitions.module.css";
import { Problems } from "./Problems";
import { parsed, useComplete, type Judgement } from "./assist";

export function Edit({
  text,
  onChange,
  judgement,
  before,
}: {
  text: string;
  onChange: (text: string) => void;
  judgement: Judgement;
  /** What it was, when it is another one by now. */
  before?: WorkflowDef;
}) {
  const complete = useComplete("WorkflowDef");
  const [reveal, setReveal] = useState<Path>();
  const [place, setPlace] = useState<Path>([]);
  const last = useRef<WorkflowDef>({ name: "", tasks: [] });
  const drawn = useMemo(() => {
    const read = parsed(text); // while it is no JSON, what it was last stays drawn
    if (read) last.current = read as unknown as WorkflowDef;
    return last.current;
  }, [text]);
  const paths = useMemo(() => taskPaths(drawn), [drawn]);
  const wrong = useMemo(() => {
    const found = new Map<string, string>();
    for (const mark of judgement.marks) {
      const task = taskAt(paths, mark.path);
      if (task && mark.severity !== "warning") found.set(task.ref, mark.message);
    }
    return found;
  }, [judgement.marks, paths]);
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
          onPlace={setPlace}
        />
        <Problems judgement={judgement} onGo={setReveal} />
        {before && judgement.state === "good" && <Breaks before={before} after={drawn} />}
      </div>
      <div className={css.graph}>
        <DefinitionGraph
          definition={drawn}
          problems={wrong}
          selected={taskAt(paths, place)?.ref}
          onSelect={ref => setReveal([...(paths.find(one => one.ref === ref)?.path ?? [])])}
        />
      </div>
    </div>
  );
}
