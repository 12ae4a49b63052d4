// What a person chose for this browser: theme, density, time zone. Kept in localStorage; nothing of it is sent anywhere.
import { useSyncExternalStore } from "react";

export interface Preferences {
  theme: "system" | "light" | "dark";
  density: "comfortable" | "compact";
  /** "local", "UTC", or an IANA name. */
  zone: string;
  rail: "wide" | "narrow";
}

const KEY = "batuta.preferences";
const DEFAULTS: Preferences = { theme: "system", density: "comfortable", zone: "local", rail: "wide" };
const listeners = new Set<() => void>();
let current: Preferences = read();

function read(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>) };
  } catch {
    return DEFAULTS; // storage is forbidden, or holds something else
  }
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // They last as long as the page.
  }
  applyPreferences();
  for (const listener of listeners) listener();
}

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function applyPreferences(): void {
  const root = document.documentElement;
  if (current.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = current.theme;
  root.dataset.density = current.density;
}

/** For Intl: undefined is the browser's own. */
export function timeZone(): string | undefined {
  return current.zone === "local" ? undefined : current.zone;
}
