// What `pm2 start server.js` starts: the Flow Builder's backend and workers, which are a Python process, as a child that ends with this one.
// Variables come from the shell, then from .env beside this file. In pm2's cluster mode (`-i 2`) the instances share PORT, as those of a Node server do.
"use strict";
const { spawn } = require("node:child_process");
const cluster = require("node:cluster");
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { python } = require("./python.js");

const file = join(__dirname, ".env");
if (existsSync(file)) process.loadEnvFile(file);

const settings = { ...process.env, CONDUCTOR_URL: process.env.CONDUCTOR_URL || "http://localhost:8080/api" };
if (cluster.isWorker) {
  settings.FLOWS_PORT_SHARED = "true";
  if (settings.WORKER_ID) settings.WORKER_ID += `-${settings.NODE_APP_INSTANCE}`;
}

const command = python();
// Its standard input is a pipe that nobody writes to: when this process is killed, it closes, and the child ends too. What the child says goes through this
// process, since in cluster mode pm2 hears nothing else.
const child = spawn(command, ["-m", "batuta", "flows", "--until-stdin-closes"], { env: settings });
child.stdout.pipe(process.stdout);
child.stderr.pipe(process.stderr);
child.on("error", error => {
  console.error(`flow-backend: ${command} cannot be started: ${error.message}. Run npm install here first, or name another with PYTHON.`);
  process.exit(1);
});
child.on("close", (code, signal) => process.exit(signal ? 1 : code));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
