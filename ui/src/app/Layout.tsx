// Around every page: the rail, the top bar with the state of the connection, dialogs and toasts.
import { lazy, Suspense, useCallback, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { Button } from "../design/Button";
import { Confirmations } from "../design/Dialog";
import { Icon } from "../design/Icon";
import { KeyList } from "../design/KeyList";
import { Menu } from "../design/Menu";
import { Toasts } from "../design/Toast";
import { to } from "../lib/url";
import { SHORTCUTS, useKeyboard } from "./keyboard";
import { LINKS } from "./links";
import { LiveBadge } from "./LiveBadge";
import { pageAt, RAIL } from "./pages";
import { setPreferences, usePreferences } from "./preferences";
import { THEME_ICONS, themes } from "./themes";
import css from "./Layout.module.css";

const Palette = lazy(() => import("./Palette"));
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

export function Layout({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  const { rail } = usePreferences();
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const [drawer, setDrawer] = useState(false);
  useKeyboard(
    useCallback(() => setPalette(true), []),
    useCallback(() => setHelp(true), []),
  );
  const here = pageAt(location);
  const chosen = here?.under ?? here?.paths[0];
  return (
    <div className={css.layout} data-rail={rail} data-drawer={drawer || undefined}>
      <a className={css.skip} href="#main">
        Skip to the page
      </a>
      <nav className={css.rail} aria-label="Pages">
        <Link href={to.home()} className={css.brand}>
          <img src="/favicon.svg" alt="" width="22" height="22" />
          <span>Batuta</span>
        </Link>
        <ul>
          {RAIL.map(page => (
            <li key={page.title}>
              <Link
                href={page.paths[0]!}
                className={css.item}
                aria-current={chosen === page.paths[0] ? "page" : undefined}
                title={page.title}
                onPointerEnter={() => void page.component.preload()}
                onClick={() => setDrawer(false)}
              >
                <Icon name={page.icon!} />
                <span>{page.title}</span>
              </Link>
            </li>
          ))}
          {LINKS.map(([title, url]) => (
            <li key={title}>
              <a href={url} className={css.item} title={`${title}: ${url}`}>
                <Icon name="external" />
                <span className="cut">{title}</span>
              </a>
            </li>
          ))}
        </ul>
        <Button
          kind="quiet"
          small
          icon={rail === "wide" ? "left" : "right"}
          aria-label={rail === "wide" ? "Make the rail narrow" : "Make the rail wide"}
          className={css.fold}
          onClick={() => setPreferences({ rail: rail === "wide" ? "narrow" : "wide" })}
        />
      </nav>
      {drawer && <div className={css.behind} onClick={() => setDrawer(false)} />}
      <header className={css.top}>
        <span className={css.burger}>
          <Button
            kind="quiet"
            icon="menu"
            aria-label="Pages"
            aria-expanded={drawer}
            onClick={() => setDrawer(!drawer)}
          />
        </span>
        <button type="button" className={css.search} onClick={() => setPalette(true)}>
          <Icon name="search" />
          <span>Search or go to…</span>
          <span className={css.keys}>
            <kbd>{isMac ? "⌘" : "Ctrl"}</kbd> <kbd>K</kbd>
          </span>
        </button>
        <span className={css.space} />
        <LiveBadge />
        <Settings onHelp={() => setHelp(true)} />
      </header>
      <main id="main" className={css.main} tabIndex={-1}>
        {children}
      </main>
      {palette && (
        <Suspense fallback={null}>
          <Palette onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
        </Suspense>
      )}
      {help && <KeyList keys={SHORTCUTS} onClose={() => setHelp(false)} />}
      <Confirmations />
      <Toasts />
    </div>
  );
}

function Settings({ onHelp }: { onHelp: () => void }) {
  const { theme, density, zone } = usePreferences();
  return (
    <Menu
      trigger={<Button kind="quiet" icon={THEME_ICONS[theme]} aria-label="Appearance and time zone" />}
      items={[
        ...themes(theme),
        null,
        {
          label: "Comfortable",
          checked: density === "comfortable",
          onSelect: () => setPreferences({ density: "comfortable" }),
        },
        { label: "Compact", checked: density === "compact", onSelect: () => setPreferences({ density: "compact" }) },
        null,
        {
          label: "Times of this place",
          icon: "globe",
          checked: zone === "local",
          onSelect: () => setPreferences({ zone: "local" }),
        },
        { label: "Times in UTC", checked: zone === "UTC", onSelect: () => setPreferences({ zone: "UTC" }) },
        null,
        { label: "Keys", icon: "keyboard", onSelect: onHelp },
        {
          label: "Try the API",
          icon: "external",
          onSelect: () => window.open("/swagger-ui/index.html", "_blank", "noopener"),
        },
      ]}
    />
  );
}
