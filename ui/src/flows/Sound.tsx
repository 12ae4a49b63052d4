// A sound one can see: its outline, where one is in it, and how long it is. One sounds at a time.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { Icon } from "../design/Icon";
import * as api from "./api";
import css from "./Sound.module.css";

const [WIDTH, HEIGHT] = [240, 100]; // of the drawing; it is stretched

const FLAT = `M0 ${HEIGHT / 2}H${WIDTH}`; // a sound whose outline is not known

export function Sound({ address, label }: { address: string; label: string }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  const outline = useQuery({
    queryKey: ["outline", address],
    queryFn: () => api.outline(address),
    staleTime: Infinity,
    retry: false,
  });
  const seconds = outline.data?.seconds || length;
  const path = useMemo(() => drawn(outline.data?.peaks ?? []), [outline.data]);
  const toggle = () => {
    const own = audio.current!;
    if (!own.paused) return own.pause();
    for (const other of document.querySelectorAll<HTMLMediaElement>("audio, video")) if (other !== own) other.pause();
    void own.play().catch(() => setPlaying(false));
  };
  return (
    <div className={`${css.sound} nodrag nopan`} role="group" aria-label={label}>
      <button type="button" aria-label={`${isPlaying ? "Pause" : "Play"} ${label}`} onClick={toggle}>
        <Icon name={isPlaying ? "pause" : "play"} size={14} />
      </button>
      <span className={css.wave} data-outline={path ? "" : undefined}>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={path || FLAT} />
          <path
            className={css.played}
            d={path || FLAT}
            style={{ clipPath: `inset(0 ${seconds ? 100 - (at / seconds) * 100 : 100}% 0 0)` }}
          />
        </svg>
        <input
          type="range"
          min={0}
          max={seconds || 1}
          step={0.1}
          value={at}
          aria-label={`Position in ${label}`}
          aria-valuetext={`${clock(at)} of ${clock(seconds)}`}
          onChange={event => {
            setAt(event.target.valueAsNumber);
            if (audio.current) audio.current.currentTime = event.target.valueAsNumber;
          }}
        />
      </span>
      <span className={css.time}>{clock(isPlaying || at ? at : seconds)}</span>
      <audio
        ref={audio}
        src={address}
        preload={outline.isError ? "metadata" : "none"}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setAt(0)}
        onTimeUpdate={event => setAt(event.currentTarget.currentTime)}
        onLoadedMetadata={event => setLength(event.currentTarget.duration || 0)}
      />
    </div>
  );
}

/** Bars around the middle; empty without an outline. Quiet places keep a hair of height. */
function drawn(peaks: readonly number[]): string {
  const most = Math.max(0.05, ...peaks); // what is quiet as a whole is drawn as large as what is loud
  const step = WIDTH / Math.max(1, peaks.length);
  return peaks
    .map((peak, index) => {
      const half = Math.max(1.5, (peak / most) * (HEIGHT / 2 - 2));
      return `M${((index + 0.5) * step).toFixed(1)} ${(HEIGHT / 2 - half).toFixed(1)}v${(half * 2).toFixed(1)}`;
    })
    .join("");
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
