// Reading again when something moved: at once, never twice at a time, and once more if it moved meanwhile.
import { useCallback, useRef } from "react";

export function useRefresh(read: () => Promise<unknown>, pauseMs = 0): () => void {
  const latest = useRef(read);
  latest.current = read;
  const state = useRef({ running: false, again: false });
  return useCallback(() => {
    const s = state.current;
    if (s.running) {
      s.again = true;
      return;
    }
    s.running = true;
    const run = async () => {
      do {
        s.again = false;
        await latest.current().catch(() => undefined); // the query keeps its error
        if (pauseMs) await new Promise(resolve => setTimeout(resolve, pauseMs));
      } while (s.again);
      s.running = false;
    };
    void run();
  }, [pauseMs]);
}
