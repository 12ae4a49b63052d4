import { Dialog } from "./Dialog";
import css from "./KeyList.module.css";

/** Keys that are pressed together are parted by a blank, those that do the same or the like by a comma: `Ctrl Z, Ctrl Y`. */
export type KeyRow = readonly [keys: string, what: string];

/** The keys of a page, in a dialog. */
export function KeyList({ keys, onClose }: { keys: readonly KeyRow[]; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title="Keys">
      <dl className={css.keys}>
        {keys.map(([pressed, what]) => (
          <div key={pressed}>
            <dt>
              {pressed.split(", ").map(together => (
                <span key={together}>
                  {together.split(" ").map(key => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
