// All runs, of every flow: to find one again, to look at it, to go on from it. What is sought is in the address.
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import { EmptyState } from "../design/EmptyState";
import { toast } from "../design/Toast";
import * as api from "./api";
import { Head } from "./Head";
import { Runs } from "./Runs";
import type { Kept } from "./types";
import css from "./Gallery.module.css";

const STATUSES = ["running", "completed", "failed", "cancelled"];

export default function Gallery() {
  const [address, setAddress] = useSearchParams();
  const flows = useQuery({ queryKey: ["flows"], queryFn: api.flows });
  const filter = { flowId: address.get("of") ?? "", status: address.get("status") ?? "", q: address.get("q") ?? "" };
  const set = (name: string, value: string) =>
    setAddress(
      now => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const isFiltered = Object.values(filter).some(Boolean);
  const go = async (kept: Kept, as: "" | "run") => {
    const home = kept.flowId && flows.data?.some(flow => flow.id === kept.flowId) ? kept.flowId : await flowOf(kept);
    if (home) setAddress({ flow: home, run: kept.workflowId, ...(as && { as }) });
  };
  return (
    <main className={css.gallery}>
      <Head title="Runs" onBack={() => setAddress({})} back="All flows" />
      <div className={css.filter} role="search">
        <input
          type="search"
          aria-label="Search runs"
          placeholder="Name or id"
          defaultValue={filter.q}
          onChange={event => set("q", event.target.value)}
        />
        <select aria-label="Flow" value={filter.flowId} onChange={event => set("of", event.target.value)}>
          <option value="">All flows</option>
          {filter.flowId && !flows.data?.some(flow => flow.id === filter.flowId) && (
            <option value={filter.flowId}>A flow that was deleted</option>
          )}
          {flows.data?.map(flow => (
            <option key={flow.id} value={flow.id}>
              {flow.name || "Untitled flow"}
            </option>
          ))}
        </select>
        <select aria-label="Status" value={filter.status} onChange={event => set("status", event.target.value)}>
          <option value="">Any status</option>
          {STATUSES.map(status => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </div>
      <Runs
        filter={filter}
        acts={{ onShow: kept => void go(kept, ""), onRestore: kept => void go(kept, "run") }}
        none={
          <EmptyState icon="time" title={isFiltered ? "No run is like this" : "Nothing has run yet"}>
            {isFiltered ? "Another name, flow or status may find some." : "Open a flow and press Run: it is kept here."}
          </EmptyState>
        }
      />
    </main>
  );
}

/** A run whose flow is not kept, or not any more: the flow as it ran becomes one. Empty: it cannot. */
async function flowOf(kept: Kept): Promise<string> {
  try {
    const document = await api.flowOfRun(kept.workflowId);
    if (document) {
      const { id: _, ...own } = document;
      return (await api.createFlow(own)).id;
    }
    toast("bad", "This run is no flow of this builder.");
  } catch (error) {
    toast("bad", error instanceof Error ? error.message : String(error));
  }
  return "";
}
