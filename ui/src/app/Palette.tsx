// The command palette: pages, executions by id or text, workflows to start. Loaded when first opened.
import { useQuery } from "@tanstack/react-query";
import { Dialog as Radix } from "radix-ui";
import { useState } from "react";
import { useLocation } from "wouter";
import { executions, workflowNames } from "../api/queries";
import { Choice, Choices, Group } from "../design/Choices";
import { Icon, type IconName } from "../design/Icon";
import { Status } from "../design/Status";
import { to } from "../lib/url";
import { RAIL } from "./pages";
import { setPreferences } from "./preferences";
import css from "./Palette.module.css";

const ID = /^[0-9a-f]{8}-[0-9a-f-]{4,}$/i;
const WORDS_MIN = 3; // characters; what is shorter finds too much
const FOUND_MAX = 6;
const NAMES_MAX = 200; // workflows that are offered; a longer list is slower to go through than to type a name

export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [, navigate] = useLocation();
  const [words, setWords] = useState("");
  const names = useQuery(workflowNames());
  const offered = names.data?.slice(0, NAMES_MAX) ?? [];
  const text = words.trim();
  const found = useQuery({
    ...executions({
      query: ID.test(text) ? `workflowId STARTS_WITH "${text}"` : "",
      freeText: ID.test(text) ? "" : text,
      sort: "startTime:DESC",
      start: 0,
      size: FOUND_MAX,
    }),
    enabled: text.length >= WORDS_MIN,
  });
  const go = (href: string) => {
    onClose();
    navigate(href);
  };
  const item = (label: string, icon: IconName, act: () => void, hint?: string) => (
    <Choice key={label} value={label} onTake={act}>
      <Icon name={icon} />
      <span className="grow cut">{label}</span>
      {hint && <span className="faint">{hint}</span>}
    </Choice>
  );
  return (
    <Radix.Root open onOpenChange={open => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={css.scrim} />
        <Radix.Content className={css.palette} aria-describedby={undefined}>
          <Radix.Title className="visually-hidden">Search or go to</Radix.Title>
          <Choices
            label="Search or go to"
            placeholder="A page, an id, a workflow, words in an execution…"
            empty="Nothing found."
            words={{ value: words, onChange: setWords }}
          >
            {text.length >= WORDS_MIN && found.data && found.data.results.length > 0 && (
              <Group heading="Executions">
                {found.data.results.map(one => (
                  <Choice
                    key={one.workflowId}
                    value={`${text} ${one.workflowId}`}
                    onTake={() => go(to.execution(one.workflowId))}
                  >
                    <Status status={one.status} bare />
                    <span className="grow cut">{one.workflowType}</span>
                    <span className="faint mono">{one.workflowId}</span>
                  </Choice>
                ))}
              </Group>
            )}
            <Group heading="Go to">
              {RAIL.map(page =>
                item(page.title, page.icon!, () => go(page.paths[0]!), page.letter && `g ${page.letter}`),
              )}
            </Group>
            <Group heading="Workflows">
              {offered.map(name => item(`Start ${name}`, "play", () => go(to.start(name))))}
              {offered.map(name => item(`Executions of ${name}`, "list", () => go(to.executions({ name }))))}
            </Group>
            <Group heading="Appearance">
              {item("Light theme", "sun", () => (setPreferences({ theme: "light" }), onClose()))}
              {item("Dark theme", "moon", () => (setPreferences({ theme: "dark" }), onClose()))}
              {item("Keys", "keyboard", () => (onClose(), onHelp()))}
            </Group>
          </Choices>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
