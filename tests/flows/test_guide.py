"""
Every command of the Flow Builder's setup guide runs as it is written there (guide.txt), under the real pm2, with the canvas as Vite serves it in development.

What is put in: ports of this test, its data directory, the interpreter that runs it, and ids where the guide says `{workflowId}`. Docker is not asked for;
the command that the compose file gives to its container is run instead. Without npm, or a registry to fetch pm2 from, the tests are skipped by name.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TYPED_IN = ROOT / "apps" / "flows"
sys.path.append(str(ROOT / "tests" / "compat"))
from official import environment, ready  # noqa: E402
from serving import free_port  # noqa: E402
from serving import until as found_by  # noqa: E402

from batuta.cli.failure import Exit  # noqa: E402
from batuta_flows.settings import VARIABLES  # noqa: E402

Json = Any
PM2 = "pm2 7"
SHOWN_S = 120.0  # for what goes on until Ctrl-C to show what it should
RUN_S = 180.0
pytestmark = pytest.mark.timeout(900)


def until(ask: Callable[[], Any]) -> None:
    """Wait until *ask* finds something; a film may be in the making meanwhile, on a machine that is busy."""
    found_by(ask, within_s=RUN_S)


class Command(NamedTuple):
    """One command of the guide: what is typed, what the answer contains, and whether it ends by itself."""

    text: str
    says: str
    ends: bool


def commands() -> dict[str, Command]:
    """The commands of the guide by their heading."""
    found = {}
    for block in (HERE / "guide.txt").read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, rest = block.strip().partition("\n")
        text, _, last = rest.rpartition("\n")
        assert last.startswith(("->", "~>")), f"{heading} ends with {last!r}"
        found[heading] = Command(text, last[2:].strip(), last.startswith("->"))
    return found


GUIDE = commands()


class Desk:
    """Where the guide's commands are typed: a shell whose ports, data and pm2 are this test's own."""

    def __init__(self, folder: Path, home: str, pm2: Path) -> None:
        self.ports = {"8080": free_port(), "5000": free_port(), "5111": free_port(), "5112": free_port(), "3465": free_port()}
        self.workflow_id = ""
        (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
        self.environment = {
            **environment(),
            "PATH": f"{pm2 / 'node_modules' / '.bin'}:{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PM2_HOME": home,
            "CURL_HOME": str(folder),
            "FLOWS_DATA": str(folder / "data"),
            "CONDUCTOR_URL": self.with_ports("http://localhost:8080/api"),
            "no_proxy": "*",
        }

    def with_ports(self, text: str) -> str:
        for written, port in self.ports.items():
            text = re.sub(rf"(?<=[:=]){written}\b", str(port), text)
        return text.replace("npm run dev", f"npm run dev -- --port {self.ports['3465']}").replace("{workflowId}", self.workflow_id)

    def types(self, heading: str) -> str:
        """Type the command of this heading; its answer, once it has said what it should."""
        command = GUIDE[heading]
        if not command.ends:
            with self.goes_on(command.text, command.says) as said:
                return said
        said = self.shell(command.text)
        assert command.says in said, f"{heading}: {said[-2000:]}"
        return said

    def shell(self, text: str) -> str:
        """What a command prints; an error when it fails, as it does when the server refuses."""
        typed = ["bash", "-euo", "pipefail", "-c", self.with_ports(text)]
        done = subprocess.run(typed, cwd=TYPED_IN, env=self.environment, capture_output=True, text=True, timeout=RUN_S, check=False)
        assert done.returncode == 0, f"{text}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    @contextlib.contextmanager
    def goes_on(self, text: str, says: str) -> Iterator[str]:
        """What a command has printed on a terminal once *says* is in it; it goes on until the block ends."""
        terminal, other = pty.openpty()
        typed = ["bash", "-euo", "pipefail", "-c", self.with_ports(text)]
        termios.tcsetwinsize(terminal, (50, 200))
        settings = {**self.environment, "TERM": "xterm"}
        going = subprocess.Popen(typed, cwd=TYPED_IN, env=settings, stdin=other, stdout=other, stderr=other, start_new_session=True)
        os.close(other)
        said, late = "", time.monotonic() + SHOWN_S
        try:
            while self.with_ports(says) not in re.sub(r"\x1b[\[(][0-9;?]*[a-zA-Z]", "", said):
                assert time.monotonic() < late, f"{text}: {said[-2000:]}"
                if select.select([terminal], [], [], 0.5)[0]:
                    try:
                        said += os.read(terminal, 1 << 16).decode(errors="replace")
                    except OSError:  # nobody is at the other end any more
                        raise AssertionError(f"{text} ended: {said[-2000:]}") from None
            yield said
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(going.pid, signal.SIGINT)
            try:
                going.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(going.pid, signal.SIGKILL)
            os.close(terminal)

    def asks(self, path: str, port: str = "5111") -> Json:
        return json.loads(self.shell(f"curl http://localhost:{port}{path}"))

    def answers(self, path: str, port: str) -> bool:
        """Whether there is an answer, and no refusal."""
        with contextlib.suppress(AssertionError):
            return bool(self.shell(f"curl http://localhost:{port}{path}"))
        return False


@pytest.fixture(scope="module")
def pm2() -> Path:
    return ready(PM2, "pm2", [["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "pm2@7"]])


@pytest.fixture
def desk(pm2: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk with an orchestrator started as the compose file says, and nothing else."""
    for program in ("node", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"the Flow Builder's guide is NOT TESTED: there is no {program} on this machine")
    home = tempfile.mkdtemp(prefix="pm2-")  # short: the path of a socket has 107 characters at most
    made = Desk(tmp_path, home, pm2)
    log = (tmp_path / "conductor.log").open("wb")
    words = _of_compose(tmp_path / "conductor", made)
    engine = subprocess.Popen(words, env=made.environment, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until(lambda: engine.poll() is not None or made.answers("/health", "8080"))
        yield made
    finally:
        subprocess.run(["pm2", "kill"], env=made.environment, capture_output=True, timeout=60, check=False)
        engine.terminate()
        engine.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _of_compose(data: Path, desk: Desk) -> list[str]:
    """The command of the container, with ports and a directory of this test."""
    yaml = pytest.importorskip("yaml", reason="NOT TESTED: PyYAML is not installed")
    (service,) = yaml.safe_load((TYPED_IN / "docker-compose.conductor.yml").read_text())["services"].values()
    assert service["ports"] == ["127.0.0.1:8080:8080", "127.0.0.1:5000:8127"], "the ports of the guide, on this machine alone"
    assert (TYPED_IN / service["build"]["context"]).resolve() == ROOT and (ROOT / service["build"]["dockerfile"]).is_file()
    given = {"8080": str(desk.ports["8080"]), "8127": str(desk.ports["5000"]), "/data": str(data), "0.0.0.0": "127.0.0.1"}
    words = [given.get(word, word) for word in service["command"]]
    assert words[0] == "batuta"
    return [sys.executable, "-m", *words]


NODE = {"id", "status"}
RESULT = {"nodeId", "nodeType", "success"}
RECORD = {"workflowId", "workflowName", "status", "startTime", "endTime", "durationMs", "nodeCount", "results"}


def test_the_guide_from_its_beginning_to_its_end(desk: Desk) -> None:
    desk.types("Check Conductor health")
    desk.types("Quick Start 2: Start Backend with PM2")
    until(lambda: desk.answers("/health", "5111"))
    desk.types("Verify it's running")

    started = json.loads(desk.types("Run Test Workflow"))
    assert started == {"success": True, "workflowId": started["workflowId"], "message": "Workflow queued for execution", "notes": started["notes"]}
    desk.workflow_id = started["workflowId"]
    running = json.loads(desk.types("Monitor Execution"))
    assert {"status", "currentNodeId", "nodeStatuses", "results", "error"} <= running.keys() and all(node.keys() >= NODE for node in running["nodeStatuses"])
    desk.types("Check Conductor API directly")
    until(lambda: desk.asks(f"/workflow/{desk.workflow_id}/status")["status"] != "running")
    ended = json.loads(desk.types("Check specific workflow"))
    assert (ended["status"], ended["currentNodeId"], ended["error"]) == ("completed", None, None)
    assert [(result["nodeId"], result["success"]) for result in ended["results"]] == [("node-1", True), ("node-2", True)]
    assert all(result.keys() >= RESULT and set(result["data"]) == {"type", "output"} for result in ended["results"])
    assert desk.asks(f"/workflow/{desk.workflow_id}/results") == {"status": "completed", "results": ended["results"]}
    assert desk.types("View task failure reasons") == ""
    until(lambda: desk.asks("/workflow/history")[0]["endTime"])
    (record,) = json.loads(desk.types("View execution history"))
    assert record.keys() >= RECORD and (record["workflowId"], record["status"], record["nodeCount"]) == (desk.workflow_id, "completed", 2)
    desk.types("Support: history")

    for heading in ("PM2 Monitoring: status", "PM2 Monitoring: logs", "PM2 Monitoring: monit", "Check that worker threads are running"):
        desk.types(heading)


def test_the_frontend_in_development(desk: Desk, browser: Any) -> None:
    if not (ROOT / "ui" / "node_modules" / "vite").is_dir():
        pytest.skip("the canvas in development is NOT TESTED: its libraries are not there; run: make ui")
    desk.shell("cd backend && PORT=5111 pm2 start server.js --name flow-backend")
    until(lambda: desk.answers("/health", "5111"))
    command = GUIDE["Quick Start 3: Run Frontend (Development)"]
    with desk.goes_on(command.text, command.says):
        assert '<div id="root">' in desk.shell("curl http://localhost:3465")
        assert desk.asks("/health", "3465")["service"] == "workflow-backend"
        _first_picture(browser, desk.with_ports("http://localhost:3465"))


def _first_picture(browser: Any, address: str) -> None:
    """From the page to a picture on it."""
    page = browser.new_page()
    page.set_default_timeout(SHOWN_S * 1000)
    page.goto(address)
    page.get_by_role("button", name="Product shot").click()
    page.get_by_role("button", name="Run", exact=True).click()
    picture = page.get_by_role("article", name="Product photo", exact=True).locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.close()


def test_the_first_picture_of_a_new_user(desk: Desk, browser: Any) -> None:
    """What the README says: one command, with an engine of its own, then a template."""
    told = (ROOT / "README.md").read_text()
    assert "\nbatuta flows\n" in told and "<http://localhost:5111>, choose *Product shot*, press **Run**" in told
    del desk.environment["CONDUCTOR_URL"]
    engine = f"--engine-port {free_port()} --engine-ui-port {free_port()}"
    with desk.goes_on(f"PORT=5111 {sys.executable} -m batuta flows {engine}", "Open        http://localhost:5111"):
        _first_picture(browser, desk.with_ports("http://localhost:5111"))


def test_two_instances_share_the_work(desk: Desk) -> None:
    """Scale Workers: two backends, two names, one orchestrator."""
    desk.types("Scale Workers")
    for port in ("5111", "5112"):
        until(lambda port=port: desk.answers("/health", port))
    _run_everywhere(desk, ["5111", "5112"])
    assert _who_worked(desk) <= {"worker-1", "worker-2"}


def test_the_instances_of_a_cluster_share_a_port(desk: Desk) -> None:
    desk.shell("cd backend && PORT=5111 WORKER_ID=worker pm2 start server.js --name flow-backend -i 2")
    log = Path(desk.environment["PM2_HOME"]) / "logs"
    until(lambda: sum("Ctrl-C stops it" in file.read_text() for file in log.glob("flow-backend-out*")) == 2)
    assert desk.shell("pm2 jlist | jq '[.[] | select(.pm2_env.status == \"online\")] | length'").strip() == "2"
    _run_everywhere(desk, ["5111"])
    assert _who_worked(desk) <= {"worker-0", "worker-1"}
    desk.shell("pm2 reload flow-backend")
    until(lambda: desk.answers("/health", "5111"))
    assert len(desk.asks("/workflow/history")) == 4


def _run_everywhere(desk: Desk, ports: list[str]) -> None:
    """Four runs, started by turns; each is seen to its end wherever it is asked for, and was done once."""
    ids = []
    for i in range(4):
        answer = desk.shell(f"curl -X POST http://localhost:{ports[i % len(ports)]}/workflow/run -H 'Content-Type: application/json' -d @test-workflow.json")
        ids.append(json.loads(answer)["workflowId"])
    for i, id in enumerate(ids):
        port = ports[(i + 1) % len(ports)]
        until(lambda id=id, port=port: desk.asks(f"/workflow/{id}/status", port)["status"] != "running")
        found = desk.asks(f"/workflow/{id}/status", port)
        assert found["status"] == "completed" and [node["attempts"] for node in found["nodeStatuses"]] == [1, 1]
    until(lambda: all(run["endTime"] for run in desk.asks("/workflow/history", ports[-1])))
    assert {run["workflowId"] for run in desk.asks("/workflow/history", ports[0])} == set(ids)


def _who_worked(desk: Desk) -> set[str]:
    """The names of the workers that did the tasks of all runs."""
    runs = [desk.asks(f"/api/workflow/{run['workflowId']}", "8080") for run in desk.asks("/workflow/history")]
    found = {task["workerId"] for run in runs for task in run["tasks"] if task.get("workerId")}
    assert found
    return found


def test_the_backend_ends_with_the_process_that_started_it(desk: Desk) -> None:
    """A child that outlived server.js would keep the port, and pm2 would start it anew in vain."""
    settings = {**desk.environment, "PORT": str(desk.ports["5111"])}
    started = subprocess.Popen(["node", "server.js"], cwd=TYPED_IN / "backend", env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: desk.answers("/health", "5111"))
        second = subprocess.run(["node", "server.js"], cwd=TYPED_IN / "backend", env=settings, capture_output=True, text=True, timeout=RUN_S, check=False)
        assert second.returncode == Exit.CONFLICT and f"port {settings['PORT']} is taken" in second.stderr and "choose another port" in second.stderr
    finally:
        started.kill()
        started.wait()
    until(lambda: not desk.answers("/health", "5111"))


def test_every_command_and_variable_stands_in_the_table() -> None:
    table = (ROOT / "docs" / "howto" / "flow-builder-setup.md").read_text().replace("\\|", "|")
    typed = {line.partition("  #")[0].strip(" \\") for command in GUIDE.values() for line in command.text.splitlines()}
    options = {line for line in typed if line.startswith(("-H", "-d"))}
    assert not [line for line in typed - options if f"`{line}`" not in table]
    given = (TYPED_IN / "backend" / ".env.example").read_text().splitlines()
    assert not [line for line in given if "=" in line and f"`{line.lstrip('#')}`" not in table]


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "howto" / "flow-builder.md").read_text().partition("## Settings")[2]
    assert not [name for name in VARIABLES.values() if f"`{name}`" not in page]


def test_the_variables_of_the_guide(desk: Desk, tmp_path: Path) -> None:
    """backend/.env as the guide has it, and .env of the frontend."""
    backend = tmp_path / "backend"
    shutil.copytree(TYPED_IN / "backend", backend, ignore=shutil.ignore_patterns("node_modules", "var", ".env"))
    lines = ("PORT=5111", "CONDUCTOR_URL=http://localhost:8080/api", "WORKER_ID=worker-1", "POLL_INTERVAL_MS=1000", "OPENAI_API_KEY=your-key", "FAL_KEY=your-key")
    (backend / ".env").write_text(desk.with_ports("\n".join(lines)))
    del desk.environment["CONDUCTOR_URL"]
    with desk.goes_on(f"cd {backend} && node server.js", "Worker worker-1 polls"):
        until(lambda: desk.answers("/health", "5111"))
        health = desk.asks("/health")
    assert health["conductor"]["ok"] and health["conductorUrl"] == desk.with_ports("http://localhost:8080/api")
    assert {id for id, found in health["providers"].items() if found["configured"]} == {"local", "openai", "fal"}
    assert "your-key" not in json.dumps(health)
