# One word each. Everything happens in .venv; nothing is installed elsewhere; what is missing of Debian the tests name and skip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: up ui demo test lint types contracts unit broker flows console clients test-clients simulate crashes bench docs clean

up: $(VENV)/ready ui ## the environment: Batuta and its console, its tools, the firmware application's compiler
$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,firmware,flows,openai]"
	touch $@

# The broker for the tests of event queues: Debian's package, unpacked here and not installed. Where that cannot be, the tests say so and skip.
broker: up
	@command -v nats-server >/dev/null || [ -x /usr/sbin/nats-server ] || [ -x $(VENV)/debian/usr/sbin/nats-server ] || { \
		cd $(VENV) && rm -f nats-server_*.deb && \
		{ apt-get download -q nats-server || { apt-get update -q && apt-get download -q nats-server; }; } && dpkg-deb -x nats-server_*.deb debian; \
	} || echo "no nats-server: the tests with a real broker will be skipped; on Debian: apt-get install nats-server"

# The web console, built into the package. Without Node, or a registry to fetch its libraries from, it is left out: the server says so on its pages and
# serves its API all the same. A build that fails is an error.
UI := src/batuta/ui/index.html
WITHOUT := no web console is built. With Node 20.19 or newer: make ui ***
ui: $(UI)
$(UI): $(shell find ui -name node_modules -prune -o -type f -print 2>/dev/null)
	@if ! node -e "const [a,b]=process.versions.node.split('.');process.exit(a>20||(a==20&&b>=19)?0:1)" 2>/dev/null; then echo "*** Node is missing or old: $(WITHOUT)"; \
	elif ! npm --prefix ui ci --no-audit --no-fund --loglevel=error; then echo "*** npm could not fetch its libraries: $(WITHOUT)"; \
	else npm --prefix ui run --silent build && touch $@; fi

demo: up ## the main job, end to end: commits become firmware on a device, or do not
	$(BIN)/batuta demo

# Two at a time, since most tests wait for something; what the second prints comes when both are through.
BESIDE := $(VENV)/beside.txt
test: up lint types contracts ## everything that must be green
	@$(MAKE) -k --no-print-directory flows console >$(BESIDE) 2>&1 & beside=$$!; $(MAKE) -k --no-print-directory unit clients; here=$$?; \
	wait $$beside; there=$$?; cat $(BESIDE); exit $$((here | there))

lint: up
	$(BIN)/ruff check src apps tests bench docs

types: up
	$(BIN)/mypy

contracts: up
	$(BIN)/lint-imports

unit: up broker
	$(BIN)/python -m pytest --ignore-glob='*/test_client_*.py' --ignore=tests/console --ignore=tests/flows

flows: up ## the Flow Builder's tests, its canvas in a browser among them
	$(BIN)/python -m pytest tests/flows

console: up ## the web console: its own tests, and a browser on a real server; skipped by name without Node or Chromium
	$(BIN)/python -m pytest tests/console

clients: up ## the official SDKs against a server; one whose toolchain or registry is missing is skipped by name
	$(BIN)/python -m pytest tests/compat/test_client_*.py

test-clients: clients ## the same

simulate: up ## a hundred thousand random schedules with faults and crashes, on two cores
	$(BIN)/python -m tests.simulation --level core --seeds 0:85000 --jobs 2
	$(BIN)/python -m tests.simulation --level engine --seeds 0:15000 --jobs 2

crashes: up ## kill -9 under load, fifty times
	CRASHES=50 $(BIN)/python -m pytest -s --timeout 1800 tests/compat/test_crashes.py

bench: up ## speed and memory, beside a real Conductor when Java and Maven are there
	$(BIN)/python -m bench

docs: up ## generated reference pages, and the pictures of the console and of the canvas
	$(BIN)/python docs/generate.py
	PICTURES=1 $(BIN)/python -m pytest -q tests/console/test_pictures.py tests/flows/test_canvas_pictures.py

clean:
	rm -rf $(VENV) .clients ui/node_modules src/batuta/ui .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
