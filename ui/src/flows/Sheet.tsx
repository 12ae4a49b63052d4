// The head of a page beside the canvas.
import type { ReactNode } from "react";
import { Button } from "../design/Button";
import css from "./Gallery.module.css";

export function Head({
  title,
  back,
  onBack,
  children,
}: {
  title: string;
  back: string;
  onBack: () => void;
  children?: ReactNode;
}) {
  return (
    <header className={css.head}>
      <Button kind="quiet" icon="left" aria-label={back} onClick={onBack} />
      <h1>{title}</h1>
      <span className={css.space} />
      {children}
    </header>
  );
}
