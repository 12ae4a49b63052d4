// Workers of this console. The policy of the page (Trusted Types) takes no text as a script's address, and none as HTML; this one place may vouch for a worker.

interface Policy {
  createScriptURL: (url: string) => string;
}
const createScriptURL = (url: string) => {
  if (new URL(url, location.href).origin !== location.origin) throw new TypeError(`${url} is not of this server`);
  return url;
};
const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy: (name: string, rules: Policy) => Policy } };
const policy = trustedTypes?.createPolicy("batuta-worker", { createScriptURL }) ?? { createScriptURL };

/** *url*: from `import url from "./x.worker?worker&url"`. */
export const workerAt = (url: string) => new Worker(policy.createScriptURL(url), { type: "module" });
