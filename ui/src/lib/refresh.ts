// Reading again when something moved: at once, never twice at a time, and once more if it moved meanwhile.
import type { QueryClient, QueryFilters } from "@tanstack/react-query";
import { useCallback, useRef } from "react";

/**
 * Asks again, behind what is under way: an answer on its way may be older than what moved, and a library that is asked meanwhile hands out that one.
 */
export async function readAgain(client: QueryClient, filters: QueryFilters): Promise<void> {
  if (client.isFetching(filters)) await client.refetchQueries(filters, { cancelRefetch: false });
  await client.refetchQueries(filters, { cancelRefetch: false });
}

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
        const began = performance.now();
        await latest.current().catch(() => undefined); // the query keeps its error
        // Where much moves, reading takes no more than half of the time: of a slow server's, and of the tab's.
        const pause = pauseMs && Math.max(pauseMs, performance.now() - began);
        if (pause) await new Promise(resolve => setTimeout(resolve, pause));
      } while (s.again);
      s.running = false;
    };
    void run();
  }, [pauseMs]);
}
