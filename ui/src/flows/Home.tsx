// Where one begins: templates, the flows that are kept, or nothing at all.
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { Button } from "../design/Button";
import { confirm } from "../design/Dialog";
import { Menu } from "../design/Menu";
import { told } from "../design/Toast";
import { ago, count } from "../lib/format";
import * as api from "./api";
import { Failed } from "./Failed";
import { FileField } from "./FileField";
import { NodeIcon } from "./NodeIcon";
import { Sheet } from "./Sheet";
import type { NodeTypes, Saved, Template } from "./types";
import css from "./Home.module.css";

export function Home({ types, onOpen }: { types: NodeTypes; onOpen: (flow: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [, setAddress] = useSearchParams();
  const templates = useQuery({ queryKey: ["templates"], queryFn: api.templates });
  const flows = useQuery({ queryKey: ["flows"], queryFn: api.flows, refetchOnMount: "always" });
  const error = templates.error ?? flows.error;
  if (error) return <Failed error={error} onRetry={() => void Promise.all([templates.refetch(), flows.refetch()])} />;
  return (
    <Sheet
      title="Flow Builder"
      about="Draw how words become pictures, voices, clips and films, and run it."
      width={1080}
      acts={
        <>
          <FileField ref={field} onOpen={onOpen} />
          <Button icon="time" onClick={() => setAddress({ view: "runs" })}>
            Runs
          </Button>
          <Button onClick={() => field.current?.click()}>Import a file…</Button>
          <Button kind="primary" icon="plus" onClick={() => onOpen("new")}>
            Empty flow
          </Button>
        </>
      }
    >
      {flows.data && flows.data.length > 0 && (
        <section className={css.part}>
          <h2>Your flows</h2>
          <ul className={css.flows}>
            {flows.data.map(saved => (
              <Flow key={saved.id} saved={saved} onOpen={onOpen} onGone={() => void flows.refetch()} />
            ))}
          </ul>
        </section>
      )}
      <section className={css.part}>
        <h2>Begin with a template</h2>
        <ul className={css.templates}>
          {(templates.data ?? []).map(template => (
            <Start key={template.id} template={template} types={types} onOpen={onOpen} />
          ))}
        </ul>
      </section>
    </Sheet>
  );
}

function Start({ template, types, onOpen }: { template: Template; types: NodeTypes; onOpen: (flow: string) => void }) {
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    await told(
      api.createFlow(template.document).then(saved => onOpen(saved.id)),
      `${template.title} is yours to change`,
    );
    setBusy(false);
  };
  const icons = [...new Set(template.document.nodes.map(node => types.get(node.type)?.icon ?? ""))];
  return (
    <li>
      <button type="button" className={css.template} disabled={busy} onClick={() => void take()}>
        <span className={css.icons}>
          {icons.map(icon => (
            <NodeIcon key={icon} name={icon} size={18} />
          ))}
        </span>
        <strong>{template.title}</strong>
        <span className="soft">{template.summary}</span>
        <small className="faint">{count(template.document.nodes.length, "node")}</small>
      </button>
    </li>
  );
}

function Flow({ saved, onOpen, onGone }: { saved: Saved; onOpen: (flow: string) => void; onGone: () => void }) {
  const drop = async () => {
    const sure = await confirm({
      title: `Delete “${saved.name}”?`,
      body: "It is listed no more. Its runs and what they made stay.",
      act: "Delete",
      danger: true,
    });
    if (sure && (await told(api.deleteFlow(saved.id), "Deleted"))) onGone();
  };
  return (
    <li>
      <a
        href={`?flow=${encodeURIComponent(saved.id)}`}
        onClick={event => {
          if (event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          onOpen(saved.id);
        }}
      >
        <strong className="cut">{saved.name || "Untitled flow"}</strong>
        <span className="faint">
          version {saved.version}, {ago(saved.updatedAt)}
        </span>
      </a>
      <Menu
        trigger={<Button kind="quiet" small icon="more" aria-label={`More about ${saved.name}`} />}
        items={[{ label: "Delete", icon: "trash", danger: true, onSelect: () => void drop() }]}
      />
    </li>
  );
}
