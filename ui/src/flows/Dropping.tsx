// Where files may be dropped. A field takes its own; anywhere else on the page a file is looked at for the flow in it.
import { useState, type DragEvent, type ReactNode } from "react";
import { toast } from "../design/Toast";
import css from "./Dropping.module.css";
import { offered, openFile } from "./files";

const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files"); // and not a text, which goes into any field

/** A page onto which a flow may be dropped, as a file of its own or inside a medium: it is opened as a new one if the person wants it. */
export function Dropping({ onOpen, children }: { onOpen: (flow: string) => void; children: ReactNode }) {
  const [state, setState] = useState<"" | "over" | "reading">("");
  const take = async (files: FileList) => {
    setState("");
    if (files.length !== 1) return toast("bad", `${files.length} files were dropped. Drop one, with a flow in it.`);
    const [file] = files;
    setState("reading");
    await openFile(file!, onOpen, found => {
      setState("");
      return offered(file!, found);
    });
    setState("");
  };
  return (
    <div
      className={css.page}
      onDragOver={event => {
        if (event.defaultPrevented) return setState(""); // over a field
        if (!hasFiles(event)) return;
        event.preventDefault();
        setState("over");
      }}
      onDragLeave={event => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setState("");
      }}
      onDrop={event => {
        if (event.defaultPrevented || !hasFiles(event)) return;
        event.preventDefault();
        void take(event.dataTransfer.files);
      }}
    >
      {children}
      {state && (
        <p className={css.said} role="status">
          {state === "reading" ? "Looking for its flow…" : "Drop a flow, or a file that one made, to open it"}
        </p>
      )}
    </div>
  );
}

/** A field that takes the files dropped on it. */
export function DropField({
  className,
  onFiles,
  children,
}: {
  className?: string;
  onFiles: (files: FileList) => void;
  children: ReactNode;
}) {
  const [isOver, setOver] = useState(false);
  return (
    <div
      className={`${css.field} ${className}`}
      data-over={isOver || undefined}
      onDragOver={event => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(false);
        onFiles(event.dataTransfer.files);
      }}
    >
      {children}
    </div>
  );
}
