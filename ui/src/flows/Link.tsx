// A link between two cards: what flows in it, how many, and while it is chosen the button that cuts it.
import { BaseEdge, EdgeLabelRenderer, getBezierPath, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { Icon } from "../design/Icon";
import { remove } from "./actions";
import { NONE } from "./studio";
import css from "./Canvas.module.css";

const GAP = 12; // px between a count and the port it stands before

export interface LinkData extends Record<string, unknown> {
  /** How many have gone through, or how many there are. */
  count: string;
  state: "idle" | "flowing" | "done" | "failed";
  name: string;
}

export const Link = memo(function Link(props: EdgeProps) {
  const { id, selected, source, target, sourceHandleId, targetHandleId } = props;
  const { count, state, name } = props.data as LinkData;
  const [path] = getBezierPath(props);
  // Before the port it leads to, where no card is in the way and no other link's count.
  const place = { transform: `translate(-100%, -50%) translate(${props.targetX - GAP}px, ${props.targetY}px)` };
  const link = { source, output: sourceHandleId ?? "", target, field: targetHandleId ?? "" };
  return (
    <>
      <BaseEdge id={id} path={path} style={props.style} interactionWidth={16} data-state={state} />
      {(count || selected) && (
        <EdgeLabelRenderer>
          <div className={`${css.count} nodrag nopan`} data-state={state} style={place}>
            {count}
            {selected && (
              <button type="button" aria-label={`Cut the link ${name}`} onClick={() => remove(NONE, [link])}>
                <Icon name="x" size={12} />
              </button>
            )}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
