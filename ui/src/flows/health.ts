// What the backend says of itself and of the orchestrator behind it: asked once, and again when somebody comes back.
import { useQuery } from "@tanstack/react-query";
import * as api from "./api";
import type { Health } from "./types";

export function useHealth(): Health | undefined {
  return useQuery({ queryKey: ["health"], queryFn: api.health, staleTime: 30_000, retry: false }).data;
}

/** Where a run is in the orchestrator's console, which it serves beside its API. Empty: not known. */
export function consoleOf(health: Health | undefined, run: string): string {
  const api = health?.conductorUrl.match(/^(https?:\/\/.+?)\/api\/?$/);
  return api ? `${api[1]}/execution/${encodeURIComponent(run)}` : "";
}
