// Builds the console into the Python package (src/batuta/ui), each file beside its compressed forms, which the server hands out as they are.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

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

export default defineConfig({
  plugins: [react(), packed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    assetsInlineLimit: 0, // nothing as data: in scripts and styles, the policy of the page forbids it
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000, // elkjs, loaded in a worker when a graph is opened
  },
  worker: { format: "es" },
  server: {
    port: 5173,
    // `npm run dev` beside a running server: requests come to it as from its own page.
    proxy: Object.fromEntries(
      ["/api", "/api-docs", "/actuator", "/health"].map(path => [
        path,
        { target: process.env.BATUTA_SERVER ?? "http://127.0.0.1:8080", headers: { "sec-fetch-site": "same-origin" } },
      ]),
    ),
  },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node" },
});
