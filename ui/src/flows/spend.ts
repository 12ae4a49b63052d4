// Money in words: what a run will cost, about, and what a result did.
import type { Estimate } from "./types";

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

/** A run's price before it is started; empty while it is not known. */
export function priceOf(estimate: Estimate | null): string {
  if (!estimate) return "";
  if (!estimate.usd) return "free";
  return `about ${dollars(estimate.usd)}`;
}

/** What bounds it, and which bound is in the way. */
export function boundsOf(estimate: Estimate | null): string {
  if (!estimate) return "";
  const { runUsdMax, dayUsdMax, dayUsd, isGuess } = estimate;
  const words = `At most ${dollars(runUsdMax)} a run and ${dollars(dayUsdMax)} a day; ${dollars(dayUsd)} were spent in the last 24 hours.`;
  return isGuess ? `${words} How long lists will be is a guess.` : words;
}

export function overOf(estimate: Estimate | null): string {
  if (!estimate?.exceeds) return "";
  return estimate.exceeds === "run"
    ? `over the cap of ${dollars(estimate.runUsdMax)} a run`
    : `over the cap of ${dollars(estimate.dayUsdMax)} a day`;
}
