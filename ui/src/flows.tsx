// Where the Flow Builder's canvas begins: a page of its own beside the console, in the same design.
import "./design/tokens.css";
import "./design/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { nonce } from "./app/nonce";
import { applyPreferences } from "./app/preferences";
import { App } from "./flows/App";

// react-remove-scroll, inside Radix's dialogs, makes a <style>; it looks for the nonce under webpack's name.
(globalThis as unknown as { __webpack_nonce__: string }).__webpack_nonce__ = nonce;
applyPreferences();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
