// The browser's own dialog for a flow's file, behind whatever button: `field.current?.click()` opens it.
import type { Ref } from "react";
import { ACCEPTED, openFile } from "./files";

export function FileField({ ref, onOpen }: { ref: Ref<HTMLInputElement>; onOpen: (flow: string) => void }) {
  return (
    <input
      ref={ref}
      type="file"
      hidden
      accept={ACCEPTED}
      aria-label="Flow file"
      onChange={event => {
        const [file] = event.target.files ?? [];
        if (file) void openFile(file, onOpen);
        event.target.value = ""; // the same file may be chosen again
      }}
    />
  );
}
