// Builds the console into the Python package (src/batuta/ui), each file beside its compressed forms, which the server hands out as they are.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

const OUT = fileURLToPath(new URL("../src/batuta/ui", import.meta.url));
const PACKED = /\.(js|css|svg|json)$/;

function packed() {
  return {
    name: "packed",
    apply: "build",
    closeBundle() {
      for (const file of readdirSync(OUT, { recursive: true, encoding: "utf8" })) {
        const path = join(OUT, file);
        if (!PACKED.test(file) || statSync(path).size < 1024) continue;
        const body = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
      }
    },
  };
}

// `npm run dev:flows`: the canvas at / beside a running Flow Builder, whose answers come to it as from its own page. Which one, VITE_BACKEND_URL says, in the
// shell or in .env where the command was typed.
const FLOWS = ["/workflow", "/flows", "/templates", "/assets", "/node-types", "/health"];

const backendOf = mode =>
  loadEnv(mode, process.env.INIT_CWD ?? process.cwd(), "VITE_").VITE_BACKEND_URL || "http://127.0.0.1:5111";

function canvasFirst() {
  return {
    name: "canvas-first",
    configureServer(server) {
      server.middlewares.use((request, _, next) => {
        if (/^\/(\?|$)/.test(request.url)) request.url = request.url.replace("/", "/flows.html");
        next();
      });
    },
  };
}

const beside = (paths, target) =>
  Object.fromEntries(
    paths.map(path => [`^${path}(/|\\?|$)`, { target, headers: { "sec-fetch-site": "same-origin" } }]),
  );

export default defineConfig(({ mode }) => ({
  plugins: [react(), packed(), ...(mode === "flows" ? [canvasFirst()] : [])],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    assetsInlineLimit: 0, // nothing as data: in scripts and styles, the policy of the page forbids it
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["index.html", "flows.html"] },
    chunkSizeWarningLimit: 2000, // elkjs, loaded in a worker when a graph is opened
  },
  worker: { format: "es" },
  server:
    mode === "flows"
      ? { port: 3465, strictPort: true, proxy: beside(FLOWS, backendOf(mode)) }
      : {
          port: 5173,
          // `npm run dev` beside a running server: requests come to it as from its own page.
          proxy: beside(
            ["/api", "/api-docs", "/actuator", "/health"],
            process.env.BATUTA_SERVER ?? "http://127.0.0.1:8080",
          ),
        },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node" },
}));
