// Parts of the console that are loaded when they are needed, and at once when they were loaded ahead.
//
// React's own `lazy` shows a fallback first even for what is there, and keeps it for 300 ms once shown: a third of the time an execution may take to open.
import { createElement, lazy as reactLazy, useState, type ComponentType } from "react";

export interface Lazy<Props> {
  (props: Props): React.ReactNode;
  /** Have it here before it is shown. */
  preload: () => Promise<void>;
}

export function lazy<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>): Lazy<Props> {
  let loaded: ComponentType<Props> | undefined;
  const fetch = async () => {
    const module = await load();
    loaded = module.default;
    return module;
  };
  const Later = reactLazy(fetch) as unknown as ComponentType<Props>;
  function Part(props: Props) {
    const [shown] = useState(() => loaded ?? Later); // what it began as it stays, or its state would be lost
    return createElement(shown, props);
  }
  Part.preload = async () => {
    if (!loaded) await fetch();
  };
  return Part;
}
