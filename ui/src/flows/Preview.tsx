// Media of a run: small on a card, large in a dialog. Texts are texts.
import { addressOf, textOf, type Shown } from "./results";
import { Sound } from "./Sound";
import type { Medium } from "./types";
import css from "./Preview.module.css";

const TEXT_MAX = 240; // characters of a text on a card

/** What a card shows of a result: one medium, or the first four of a list. */
export function CardPreview({ shown, title, onOpen }: { shown: Shown; title: string; onOpen: () => void }) {
  const { medium, values } = shown;
  const isPicture = medium === "image" || medium === "video";
  const first = values.slice(0, isPicture ? 4 : 3);
  const more = values.length - first.length;
  if (medium === "audio")
    return (
      <div className={css.preview} data-medium="audio">
        {first.map((value, index) => (
          <Medium key={index} medium="audio" value={value} label={labelOf(title, index, values.length)} />
        ))}
        {more > 0 && (
          <button type="button" className={css.all} onClick={onOpen}>
            All {values.length}
          </button>
        )}
      </div>
    );
  return (
    <button
      type="button"
      className={css.preview}
      data-medium={medium}
      data-many={values.length > 1 || undefined}
      onClick={onOpen}
    >
      <span className="visually-hidden">
        Open {values.length === 1 ? shown.name : `${values.length} results`} of {title}
      </span>
      {first.map((value, index) => (
        <Small key={index} medium={medium} value={value} />
      ))}
      {more > 0 && <span className={css.more}>+{more}</span>}
    </button>
  );
}

export const labelOf = (title: string, index: number, all: number) => (all > 1 ? `${title} ${index + 1}` : title);

function Small({ medium, value }: { medium: Medium; value: unknown }) {
  const address = addressOf(value);
  if (medium === "image" && address)
    return <img src={`${address}/thumbnail`} alt="" draggable={false} loading="lazy" decoding="async" />;
  if (medium === "video" && address) return <Moving address={address} />;
  return <span className={css.text}>{textOf(value).slice(0, TEXT_MAX)}</span>;
}

/** A film as a still picture that moves while one points at it. */
function Moving({ address }: { address: string }) {
  return (
    <span className={css.moving}>
      <video
        src={address}
        poster={`${address}/thumbnail`}
        muted
        loop
        playsInline
        preload="none"
        tabIndex={-1}
        onPointerEnter={event => void event.currentTarget.play().catch(() => {})}
        onPointerLeave={event => {
          event.currentTarget.pause();
          event.currentTarget.load(); // back to the still picture
        }}
      />
      <i aria-hidden="true" />
    </span>
  );
}

/** One medium in full. */
export function Medium({ medium, value, label }: { medium: Medium; value: unknown; label: string }) {
  const address = addressOf(value);
  if (address && medium === "image")
    return (
      <a href={address} target="_blank" rel="noreferrer" title="In full size">
        <img className={css.large} src={address} alt={label} />
      </a>
    );
  if (address && medium === "video")
    return (
      <video
        className={css.large}
        src={address}
        poster={`${address}/thumbnail`}
        controls
        playsInline
        preload="none"
        aria-label={label}
      />
    );
  if (address && medium === "audio") return <Sound address={address} label={label} />;
  return <p className={css.words}>{textOf(value)}</p>;
}
