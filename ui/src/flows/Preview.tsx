// Media of a run: small on a card, large in a dialog. Texts are texts.
import { addressOf, textOf, type Shown } from "./results";
import type { Medium } from "./types";
import css from "./Preview.module.css";

/** What a card shows of a result: one medium, or the first four of a list. */
export function CardPreview({ shown, onOpen }: { shown: Shown; onOpen: () => void }) {
  const { medium, values } = shown;
  const isPicture = medium === "image" || medium === "video";
  if (medium === "audio" && values.length === 1)
    return (
      <div className={`${css.preview} nodrag`}>
        <Medium medium="audio" value={values[0]} />
      </div>
    );
  const first = values.slice(0, isPicture ? 4 : 3);
  return (
    <button
      type="button"
      className={css.preview}
      data-medium={medium}
      data-many={values.length > 1 || undefined}
      onClick={onOpen}
      aria-label={`Open ${values.length === 1 ? shown.name : `${values.length} results`}`}
    >
      {first.map((value, index) => (
        <Small key={index} number={index + 1} medium={medium} value={value} />
      ))}
      {values.length > first.length && <span className={css.more}>+{values.length - first.length}</span>}
    </button>
  );
}

function Small({ number, medium, value }: { number: number; medium: Medium; value: unknown }) {
  const address = addressOf(value);
  if (medium === "image" && address) return <img src={`${address}/thumbnail`} alt="" draggable={false} />;
  if (medium === "video" && address)
    return <video src={`${address}#t=0.1`} muted playsInline preload="metadata" tabIndex={-1} />;
  if (medium === "audio") return <span className={css.line}>♪ Sound {number}</span>;
  return <span className={css.text}>{textOf(value).slice(0, 240)}</span>;
}

/** One medium in full. */
export function Medium({ medium, value }: { medium: Medium; value: unknown }) {
  const address = addressOf(value);
  if (address && medium === "image")
    return (
      <a href={address} target="_blank" rel="noreferrer">
        <img className={css.large} src={address} alt="" />
      </a>
    );
  if (address && medium === "video") return <video className={css.large} src={address} controls preload="metadata" />;
  if (address && medium === "audio") return <audio className={css.sound} src={address} controls preload="metadata" />;
  return <p className={css.words}>{textOf(value)}</p>;
}
