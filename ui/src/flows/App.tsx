// The Flow Builder's page: its address says which flow is open and which run is looked at (`?flow=…&run=…`), or that runs are looked for (`?view=runs`)
// or held against each other (`?view=compare&a=…&b=…`).
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { Confirmations } from "../design/Dialog";
import { Toasts } from "../design/Toast";
import { restore } from "./actions";
import * as api from "./api";
import { Dropping } from "./Dropping";
import { Failed } from "./Failed";
import { Home } from "./Home";
import { show, Studio } from "./studio";
import type { NodeTypes } from "./types";

const Editor = lazy(() => import("./Editor"));
const Gallery = lazy(() => import("./Gallery"));
const Compare = lazy(() => import("./Compare"));
const client = new QueryClient({ defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false } } });

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Pages />
      <Toasts />
      <Confirmations />
    </QueryClientProvider>
  );
}

function Pages() {
  const [address, setAddress] = useSearchParams();
  const types = useQuery({ queryKey: ["node-types"], queryFn: api.nodeTypes, staleTime: Infinity });
  const [turn, setTurn] = useState(0); // another one opens the same flow again
  const flow = address.get("flow") ?? "";
  const shown = useRef({ flow, place: 0 });
  const adopted = useRef(""); // the address that a new flow was given: the same flow, still open
  if (shown.current.flow !== flow)
    shown.current = { flow, place: shown.current.place + Number(flow !== adopted.current) };
  const open = useCallback(
    (id: string) => {
      setAddress(id ? { flow: id } : {});
      setTurn(now => now + 1);
    },
    [setAddress],
  );
  if (types.error) return <Failed error={types.error} onRetry={() => void types.refetch()} />;
  if (!types.data) return <p aria-busy="true" />;
  const view = address.get("view");
  const place = `${turn} ${shown.current.place}`;
  return (
    <Dropping onOpen={open}>
      <Suspense fallback={<p aria-busy="true" />}>
        {view === "compare" ? (
          <Compare types={types.data} />
        ) : view ? (
          <Gallery />
        ) : flow ? (
          <Opened key={place} flow={flow} types={types.data} onOpen={open} adopted={adopted} />
        ) : (
          <Home types={types.data} onOpen={open} />
        )}
      </Suspense>
    </Dropping>
  );
}

/** A flow that is fetched, and then edited. A new one gets its address when it is first kept. */
function Opened({
  flow,
  types,
  onOpen,
  adopted,
}: {
  flow: string;
  types: NodeTypes;
  onOpen: (flow: string) => void;
  adopted: { current: string };
}) {
  const [address, setAddress] = useSearchParams();
  const [error, setError] = useState<Error | null>(null);
  const [studio, setStudio] = useState<Studio | null>(null);
  const [wanted] = useState({ flow, run: address.get("run") ?? "", isAsRun: address.get("as") === "run" });
  useEffect(() => {
    let made: Studio | null = null;
    let isGone = false;
    const moved = (id: string, run: string) => {
      adopted.current = id;
      setAddress({ flow: id || "new", ...(run && { run }) }, { replace: true });
    };
    const begin = async () => {
      const { document, ...saved } = wanted.flow === "new" ? { document: null } : await api.loadFlow(wanted.flow);
      if (isGone) return;
      made = new Studio(types, document, "id" in saved ? saved : null, moved);
      show(made);
      if (wanted.run) made.watch(wanted.run);
      if (wanted.run && wanted.isAsRun) await restore(wanted.run);
      if (isGone) return;
      setStudio(made);
    };
    begin().catch((reason: unknown) => setError(reason instanceof Error ? reason : new Error(String(reason))));
    return () => {
      isGone = true;
      made?.end();
    };
  }, [wanted, types, setAddress, adopted]);
  if (error) return <Failed error={error} onRetry={() => onOpen(flow)} />;
  if (!studio) return <p aria-busy="true" />;
  // A boundary of its own: hidden by the one around it, this component would begin again when it is shown, with another studio than its cards have.
  return (
    <Suspense fallback={<p aria-busy="true" />}>
      <Editor onHome={() => onOpen("")} onOpen={onOpen} />
    </Suspense>
  );
}
