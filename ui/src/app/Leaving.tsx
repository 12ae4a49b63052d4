// Nothing that was written is lost by going elsewhere in the console: by a link, a key, the palette, or the browser's own steps back.
import { useEffect, type ReactNode } from "react";
import { Router, useLocation, useSearch } from "wouter";
import { navigate } from "wouter/use-browser-location";
import { discarded } from "../design/Dialog";
import { isUnsaved, letGo } from "../lib/unsaved";

const pathOf = (address: string) => new URL(address, location.origin).pathname;
let here = location.pathname + location.search;

/** Go there if nothing is lost by it, or the person says so. What stays on the page (its parameters) loses nothing. */
function leave(address: string, go: () => void): void {
  if (!isUnsaved() || pathOf(address) === pathOf(here)) return go();
  void discarded().then(isSure => {
    if (!isSure) return;
    letGo();
    go();
  });
}

// Before wouter hears of a step back the address is put as it was; asked and answered, the step is made as a navigation.
addEventListener(
  "popstate",
  event => {
    const wanted = location.pathname + location.search;
    if (!isUnsaved() || location.pathname === pathOf(here)) return;
    event.stopImmediatePropagation();
    history.pushState(history.state, "", here);
    leave(wanted, () => navigate(wanted));
  },
  true,
);

export function Leaving({ children }: { children: ReactNode }) {
  return (
    <Router aroundNav={(go, address, options) => leave(address, () => go(address, options))}>
      <Here />
      {children}
    </Router>
  );
}

function Here() {
  const [path] = useLocation();
  const search = useSearch();
  useEffect(() => {
    here = location.pathname + location.search;
  }, [path, search]);
  return null;
}
