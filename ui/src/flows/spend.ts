// Money in words, and what the results of a run say they cost.
import type { Result } from "./types";

export function dollars(usd: number): string {
  if (!usd) return "$0";
  return usd < 0.01 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`;
}

/** What was spent on this output; what was kept from an earlier run cost nothing again. */
export function costOf(output: Record<string, unknown> | undefined): number {
  if (!output || typeof output.cachedFrom === "string") return 0;
  const kept = Array.isArray(output.cachedFrom) ? output.cachedFrom : [];
  const costs = Array.isArray(output.costUsd) ? output.costUsd.filter((_, at) => !kept[at]) : [output.costUsd];
  return costs.reduce<number>((sum, cost) => sum + (typeof cost === "number" ? cost : 0), 0);
}

export const spentOn = (results: readonly Result[]) =>
  results.reduce((sum, result) => sum + costOf(result.data?.output), 0);
