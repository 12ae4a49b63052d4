// Executions that are on the page, read again whenever they move.
import { client } from "../api/queries";
import { readAgain, useRefresh } from "../lib/refresh";
import { useLive } from "./live";

const PAUSE_MS = 100; // between two readings, however much moves

/** What is shown of these executions and of their tasks stays as they are. */
export function useFollowing(ids: readonly string[]): void {
  const refresh = useRefresh(
    () =>
      Promise.all(
        ids.flatMap(id =>
          ["execution", "timeline"].map(what => readAgain(client, { queryKey: [what, id], type: "active" })),
        ),
      ),
    PAUSE_MS,
  );
  useLive(ids, refresh, refresh);
}
