// Where the console begins: the nonce for styles that libraries make, the theme, the data client, the application.
import "./design/tokens.css";
import "./design/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { nonce } from "./app/nonce";
import { pageAt } from "./app/pages";
import { applyPreferences } from "./app/preferences";

// react-remove-scroll, inside Radix's dialogs, makes a <style>; it looks for the nonce under webpack's name.
(globalThis as unknown as { __webpack_nonce__: string }).__webpack_nonce__ = nonce;
applyPreferences();
const show = () =>
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
// The page that is asked for comes along with the frame, and the one that is usually next when there is time.
(pageAt(location.pathname)?.component.preload() ?? Promise.resolve()).then(show, show);
setTimeout(
  () =>
    void pageAt("/execution/id")
      ?.component.preload()
      .catch(() => undefined),
  2000,
);
