// Which Python runs the Flow Builder: the one that PYTHON names, else that of the checkout's environment, else the first of the PATH.
"use strict";
const { existsSync } = require("node:fs");
const { join, resolve } = require("node:path");

const root = resolve(__dirname, "../../..");
const environment = join(root, ".venv");
const own = join(environment, "bin", "python");

exports.root = root;
exports.environment = environment;
exports.own = own;
exports.python = () => process.env.PYTHON || (existsSync(own) ? own : "python3");
