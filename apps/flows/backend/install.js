// `npm install`: sees to it that there is a Python which has the Flow Builder, in the checkout's environment when there is none. Run again, it changes nothing.
"use strict";
const { spawnSync } = require("node:child_process");
const { environment, own, python, root } = require("./python.js");

const NEEDED = "import batuta.cli.flows, batuta_flows.main, cv2, espeakng_loader, imageio_ffmpeg, multipart, numpy, PIL";

const run = (command, words) => {
  const { error, status } = spawnSync(command, words, { stdio: ["ignore", "inherit", "inherit"] });
  if (error || status !== 0) {
    console.error(`flow-backend: ${[command, ...words].join(" ")} failed: ${error ? error.message : `exit code ${status}`}`);
    process.exit(1);
  }
};
const isReady = command => spawnSync(command, ["-c", NEEDED], { stdio: "ignore" }).status === 0;

if (!isReady(python())) {
  if (process.env.PYTHON) console.error(`flow-backend: ${process.env.PYTHON} does not have the Flow Builder; making ${environment}`);
  run("python3", ["-m", "venv", environment]);
  run(own, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", `${root}[flows,openai]`]);
}
