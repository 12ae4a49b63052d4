// The command palette: pages, executions by id or text, workflows to start. Loaded when first opened.
import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import { Dialog as Radix } from "radix-ui";
import { useState } from "react";
import { useLocation } from "wouter";
import { executions, workflowNames } from "../api/queries";
import { Icon, type IconName } from "../design/Icon";
import { Status } from "../design/Status";
import { to } from "../lib/url";
import { RAIL } from "./pages";
import { setPreferences } from "./preferences";
import css from "./Palette.module.css";

const ID = /^[0-9a-f]{8}-[0-9a-f-]{4,}$/i;

export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [, navigate] = useLocation();
  const [words, setWords] = useState("");
  const names = useQuery(workflowNames());
  const text = words.trim();
  const found = useQuery({
    ...executions({
      query: ID.test(text) ? `workflowId STARTS_WITH "${text}"` : "",
      freeText: ID.test(text) ? "" : text,
      sort: "startTime:DESC",
      start: 0,
      size: 6,
    }),
    enabled: text.length >= 3,
  });
  const go = (href: string) => {
    onClose();
    navigate(href);
  };
  const item = (label: string, icon: IconName, act: () => void, hint?: string) => (
    <Command.Item key={label} value={label} className={css.item} onSelect={act}>
      <Icon name={icon} />
      <span className={css.label}>{label}</span>
      {hint && <span className="faint">{hint}</span>}
    </Command.Item>
  );
  return (
    <Radix.Root open onOpenChange={open => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={css.scrim} />
        <Radix.Content className={css.palette} aria-describedby={undefined}>
          <Radix.Title className="visually-hidden">Search or go to</Radix.Title>
          <Command label="Search or go to" loop>
            <Command.Input
              className={css.input}
              value={words}
              onValueChange={setWords}
              placeholder="A page, an id, a workflow, words in an execution…"
            />
            <Command.List className={css.list}>
              <Command.Empty className={css.empty}>Nothing found.</Command.Empty>
              {text.length >= 3 && found.data && found.data.results.length > 0 && (
                <Command.Group heading="Executions" className={css.group}>
                  {found.data.results.map(one => (
                    <Command.Item
                      key={one.workflowId}
                      value={`${text} ${one.workflowId}`}
                      className={css.item}
                      onSelect={() => go(to.execution(one.workflowId))}
                    >
                      <Status status={one.status} bare />
                      <span className={css.label}>{one.workflowType}</span>
                      <span className="faint mono">{one.workflowId}</span>
                    </Command.Item>
                  ))}
                </Command.Group>
              )}
              <Command.Group heading="Go to" className={css.group}>
                {RAIL.map(page =>
                  item(page.title, page.icon!, () => go(page.paths[0]!), page.letter && `g ${page.letter}`),
                )}
              </Command.Group>
              <Command.Group heading="Workflows" className={css.group}>
                {names.data?.slice(0, 200).map(name => item(`Start ${name}`, "play", () => go(to.start(name))))}
                {names.data
                  ?.slice(0, 200)
                  .map(name => item(`Executions of ${name}`, "list", () => go(to.executions({ name }))))}
              </Command.Group>
              <Command.Group heading="Appearance" className={css.group}>
                {item("Light theme", "sun", () => (setPreferences({ theme: "light" }), onClose()))}
                {item("Dark theme", "moon", () => (setPreferences({ theme: "dark" }), onClose()))}
                {item("Keys", "keyboard", () => (onClose(), onHelp()))}
              </Command.Group>
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
