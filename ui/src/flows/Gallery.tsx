// All runs, of every flow: to find one again, to look at it, to go on from it. What is sought is in the address.
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import { EmptyState } from "../design/EmptyState";
import { Filter, SearchField } from "../design/SearchField";
import { toast } from "../design/Toast";
import { wordsOf } from "../lib/format";
import { useParams } from "../lib/url";
import * as api from "./api";
import { Runs } from "./Runs";
import { Sheet } from "./Sheet";
import type { Kept } from "./types";

const STATUSES = ["running", "completed", "failed", "cancelled"];

export default function Gallery() {
  const [params, change] = useParams();
  const [, setAddress] = useSearchParams();
  const flows = useQuery({ queryKey: ["flows"], queryFn: api.flows });
  const filter = { flowId: params.get("of") ?? "", status: params.get("status") ?? "", q: params.get("q") ?? "" };
  const isFiltered = Object.values(filter).some(Boolean);
  const go = async (kept: Kept, as: "" | "run") => {
    const home = kept.flowId && flows.data?.some(flow => flow.id === kept.flowId) ? kept.flowId : await flowOf(kept);
    if (home) setAddress({ flow: home, run: kept.workflowId, ...(as && { as }) });
  };
  return (
    <Sheet title="Runs" width={1280} back={{ to: "All flows", onBack: () => setAddress({}) }}>
      <Filter label="Runs">
        <SearchField label="Search runs" placeholder="Name or id" value={filter.q} onChange={q => change({ q })} wide />
        <select
          className="control"
          aria-label="Flow"
          value={filter.flowId}
          onChange={event => change({ of: event.target.value })}
        >
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
        <select
          className="control"
          aria-label="Status"
          value={filter.status}
          onChange={event => change({ status: event.target.value })}
        >
          <option value="">Any status</option>
          {STATUSES.map(status => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </Filter>
      <Runs
        filter={filter}
        acts={{ onShow: kept => void go(kept, ""), onRestore: kept => void go(kept, "run") }}
        none={
          <EmptyState icon="time" title={isFiltered ? "No run is like this" : "Nothing has run yet"}>
            {isFiltered ? "Another name, flow or status may find some." : "Open a flow and press Run: it is kept here."}
          </EmptyState>
        }
      />
    </Sheet>
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
    toast("bad", wordsOf(error));
  }
  return "";
}
