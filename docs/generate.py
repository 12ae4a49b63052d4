"""
Writes the reference pages that are made from the code: `python docs/generate.py`. A test fails when they are not current.

Here: docs/reference/cli.md from the commands, docs/reference/settings.md from the docstrings of settings.py, docs/reference/api.md from the route table
and the paths that stand in the tests, docs/reference/states.md from the tables of core/model/status.py, docs/reference/metrics.md from
engine/scrape.py and client/metrics.py.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from batuta.api.binding import Parameter, parameters_of
from batuta.api.router import Route, Router
from batuta.api.routes import ROUTES
from batuta.cli import fields
from batuta.cli.connection import json_option, url_option
from batuta.cli.failure import MEANINGS
from batuta.cli.logs import log_options
from batuta.cli.main import batuta
from batuta.client.metrics import Durations, Family, WorkerMetrics
from batuta.core.model import status
from batuta.engine.scrape import FAMILIES
from batuta.errors import BatutaError

REFERENCE = Path(__file__).parent / "reference"
TESTS = Path(__file__).parents[1] / "tests"
sys.path.append(str(TESTS / "compat"))
from conductor import Endpoint, endpoints, key  # noqa: E402

MADE = "<!-- Made by docs/generate.py; change the code instead. -->"

CLI_HEAD = """
`batuta COMMAND --help` says the same in the terminal. Output is for people; `--json`, where a command has it, prints JSON on standard output, and an
error as JSON on standard error. Colours go away when the output is no terminal, or with `NO_COLOR`.

Commands that speak to a server find it by `--url`, `BATUTA_URL` or `CONDUCTOR_SERVER_URL`, in this order; credentials, where a server wants some, are
`CONDUCTOR_AUTH_KEY` and `CONDUCTOR_AUTH_SECRET`. They work on any Conductor server.
"""

SETTINGS_HEAD = """
What a server may be told. Each setting is an option of `batuta server` and a variable of its environment; the option wins. A number of bytes may not
have a unit. Only `batuta server` and `batuta doctor` look at them; workers and the other commands are told by their own options (cli.md).
"""

API_HEAD = """
Everything the server answers, on the port of `batuta server`. The same as OpenAPI: `GET /api-docs`; to try it out: `/swagger-ui/index.html`. Errors:
[errors.md](errors.md).

Bodies are JSON unless it says `text`; unknown fields are ignored; nulls are left out of answers, but not out of inputs and outputs. `X[]` is a list of X; `?`:
it may be missing; `!`: it must be there.

*Conductor* says what Conductor OSS has under this method and path: the *same*, the same *with* a property that must be set there, or nothing: the endpoint is
**ours**. What it has and we leave out: [compatibility.md](compatibility.md#api). *Held by* names tests that use the endpoint: areas of the golden runs, which
were recorded from Conductor, then files below `tests/`.
"""

STATES_HEAD = """
Which state may follow which. *By itself*: reports, time, and what follows from them. *By an operator*: pause, resume, terminate, skip, retry, restart and
rerun, which move tasks too. What the states mean: [the glossary](../glossary.md#states-of-an-execution).
"""

METRICS_HEAD = """
Numbers that are counted begin at 0 with the process. Every combination of labels of a name is there from the first look at the name, so that `increase()`
sees the first of its kind.
"""
METRICS_OF_SERVER = """
## Server

`GET /actuator/prometheus` on the port of the API. Gauges are looked up when they are asked for; between two scrapes nothing is done for them.
Rules and panels: [watch-with-prometheus.md](../howto/watch-with-prometheus.md).

`workflow_name` is a workflow's name, `task_name` a task type: the name of a SIMPLE task, the type of any other. Beyond 300 names the rest counts as
`other`. An execution that is restarted and ends again counts again. Metrics with camel-case labels are there under Conductor's names, without its label
`ownerApp`; what it has and we do not is in [compatibility.md](compatibility.md). `promtool check metrics` complains of these labels and of the `_count` in
`conductor_workflow_active_count`, and of nothing else. `webhook_*`, `event_*`, `*_error_total` and the like show what has happened at least once.
"""
METRICS_OF_WORKERS = """
## Workers

A worker process tells of itself on `127.0.0.1:PORT/metrics` when it is started with `--metrics-port PORT`.
"""

# One heading for each resource of Conductor's, by the start of the path; the first that fits counts.
RESOURCES = (
    ("/api/metadata/workflow", "Workflow definitions"),
    ("/api/metadata/taskdefs", "Task definitions"),
    ("/api/schema", "Schemas"),
    ("/api/workflow/bulk", "Executions, many at once"),
    ("/api/workflow", "Executions"),
    ("/api/tasks/queue", "Queues"),
    ("/api/tasks", "Tasks"),
    ("/api/event", "Event handlers"),
    ("/api/queue", "Tasks that wait for a message"),
    ("/api/scheduler", "Schedules"),
    ("/api/environment", "Variables of definitions"),
    ("/api/secrets", "Secrets of definitions"),
    ("/api/external", "Payloads by their path"),
    ("/api/files", "Files"),
    ("/api/agent", "Agents"),
    ("/api/providers", "Providers of models"),
    ("/api/a2a", "Agents of other systems"),
    ("/api/admin", "Administration"),
    ("/api/console", "The console's own"),
    ("/", "Health, version, description"),
)
# Files that ask every endpoint of the table and so tell nothing of one.
OF_ALL = {"test_bad_input.py", "test_fuzz.py"}
NAMED_MAX = 3  # tests in a row of the table
METHODS = ("GET", "POST", "PUT", "DELETE")
PUT_IN = "{}"  # what stands in a path for something known only when the test runs


def cli_page() -> str:
    """docs/reference/cli.md."""
    lines = ["# Command line", MADE, CLI_HEAD, "## Exit codes", "", "| Code | Meaning |", "|---|---|"]
    lines += [f"| {code.value} | {_cell(meaning)} |" for code, meaning in MEANINGS.items()]
    lines += ["", "A worker that was told twice to stop, and a server too, end with 128 + the signal's number."]
    lines += ["", "## Options of many commands", "", "| Option | What it does |", "|---|---|", *map(_option, _common())]
    root = click.Context(batuta, info_name="batuta")
    for name in batuta.list_commands(root):
        lines += _command(_of(batuta, root, name), f"batuta {name}", 2)
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/reference/settings.md."""
    lines = ["# Settings", MADE, SETTINGS_HEAD, "| Option | Environment | Default | What it is |", "|---|---|---|---|"]
    for field in fields.fields():
        default = "empty" if field.default == "" else f"`{field.default}`"
        lines.append(f"| `{field.option}` | `{field.variable}` | {default} | {_cell(field.doc)} |")
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """docs/reference/api.md."""
    lines = ["# API", MADE, API_HEAD]
    uses, theirs = uses_of_routes(), {one.key: one for one in endpoints()}
    for start, heading in RESOURCES:
        routes = [route for route in ROUTES if next(begin for begin, _ in RESOURCES if route.pattern.startswith(begin)) == start]
        if routes:
            lines += ["", f"## {heading}", "", "| | what it does | Conductor | query | body | answer | held by |", "|---|---|---|---|---|---|---|"]
            lines += [_route(route, theirs.get(key(route.method, route.pattern)), uses[_named(route)]) for route in routes]
    return "\n".join(lines) + "\n"


def states_page() -> str:
    """docs/reference/states.md."""
    lines = ["# States", MADE, STATES_HEAD]
    firsts = ", ".join(state for state in status.TaskStatus if state in status.TASK_FIRST)
    for heading, first, by_event, by_operator in (
        ("Executions", "An execution begins as RUNNING.", status.WORKFLOW_BY_EVENT, status.WORKFLOW_BY_OPERATOR),
        ("Tasks", f"A task begins as one of {firsts}, or, passed over by an operator, as SKIPPED.", status.TASK_BY_EVENT, status.TASK_BY_OPERATOR),
    ):
        lines += ["", f"## {heading}", "", first, "", "| from | by itself to | by an operator to |", "|---|---|---|"]
        lines += [f"| {state} | {_states(by_event[state])} | {_states(by_operator[state])} |" for state in by_event]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """docs/reference/metrics.md."""
    table = ("| metric | kind | labels | what it is |", "|---|---|---|---|")
    lines = ["# Metrics", MADE, METRICS_HEAD, METRICS_OF_SERVER, *table]
    for metric in FAMILIES:
        lines.append(f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {_cell(metric.help)} |")
    lines += [METRICS_OF_WORKERS, *table]
    for family in vars(WorkerMetrics()).values():
        if isinstance(family, Family | Durations):
            kind, labels = (family.kind, family.labels) if isinstance(family, Family) else ("histogram", (family.label,))
            lines.append(f"| `{family.name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {_cell(family.help)} |")
    return "\n".join(lines) + "\n"


def _states(states: frozenset[Any]) -> str:
    """In the order in which they are declared."""
    return ", ".join(state for kind in (status.WorkflowStatus, status.TaskStatus) for state in kind if any(state is one for one in states)) or "–"


def _named(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def _route(route: Route, theirs: Endpoint | None, uses: set[str]) -> str:
    asked = ", ".join(map(_parameter, parameters_of(route)[1]))
    counterpart = "**ours**" if theirs is None else f"same, with `{theirs.when}`" if theirs.when else "same"
    held = sorted(uses, key=lambda use: (not use.startswith("golden "), use))
    held = held[:NAMED_MAX] + ([f"+{len(held) - NAMED_MAX}"] if len(held) > NAMED_MAX else [])
    return f"| `{_named(route)}` | {_cell(route.summary)} | {counterpart} | {asked} | {_cell(route.takes)} | {_cell(route.gives)} | {', '.join(held)} |"


def _parameter(parameter: Parameter) -> str:
    shown = "" if parameter.required or parameter.default in (None, "", False, []) else f"={parameter.default}"
    return f"`{parameter.wire}{shown}`" + ("!" if parameter.required else "")


def uses_of_routes() -> dict[str, set[str]]:
    """
    For each route ("GET /health") who uses it: `golden AREA`, or a file below tests/.

    Found by reading: every text in a test that looks like a path, with the method that stands before it or in the call's name, or else GET. A part that
    is put in at run time stands for a variable, or for words of the routes that the file spells out somewhere. Other ways to put a path together are
    not seen, so this may miss a use, and hardly ever makes one up.
    """
    router = Router()
    for route in ROUTES:
        router.add(route, _named(route))
    uses: dict[str, set[str]] = {_named(route): set() for route in ROUTES}
    for file in sorted(TESTS.rglob("*.py")):
        if file.name in OF_ALL:
            continue
        where = f"golden {file.stem}" if "scenarios" in file.parts else file.relative_to(TESTS).as_posix()
        tree = ast.parse(file.read_text(encoding="utf-8"))
        words = {node.value.strip("/") for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        for method, path in set(_paths(tree)):
            for name in (*_meant(router, method, path, words), *_meant(router, method, f"/api{path}", words)):
                uses[name].add(where)
    return uses


def _meant(router: Router, method: str, path: str, words: set[str]) -> list[str]:
    """The routes that a request of a test may be: the one it is as it stands; else those whose words it puts in."""
    try:
        return [router.find(method or "GET", path)[0]]
    except BatutaError:
        pass
    if PUT_IN not in path and method:
        return []
    segments = path[1:].split("/")
    return [
        _named(route)
        for route in ROUTES
        if len(route.segments) == len(segments)
        and (route.method == method or (not method and route.method in words))
        and all(r.startswith("{") or r == s or (PUT_IN in s and r in words) for r, s in zip(route.segments, segments, strict=True))
    ]


def _paths(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Methods (empty: none is spelled out) and paths that stand together in calls, tuples and lists."""
    known = _constants(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=args) | ast.Call(func=ast.Name(id=name), args=args):
                pass
            case ast.Tuple(elts=args) | ast.List(elts=args):
                name = ""
            case _:
                continue
        method = next((word for word in METHODS if name.upper() == word), "")
        for arg in args:
            if isinstance(arg, ast.Constant) and arg.value in METHODS:
                method = str(arg.value)
            elif (text := re.sub(r"^(http://[^/]*|\{\})", "", _spelled(arg, known))).startswith("/"):
                yield method, text.partition("?")[0]


def _constants(tree: ast.Module) -> dict[str, str]:
    """The names that are given one text and no other in this file."""
    given: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = list(zip(names, values, strict=False))
            case ast.Assign(targets=[name], value=value):
                pairs = [(name, value)]
            case _:
                continue
        for name, value in pairs:
            if isinstance(name, ast.Name):
                given.setdefault(name.id, set()).add(value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else PUT_IN)
    return {name: texts.pop() for name, texts in given.items() if len(texts) == 1}


def _spelled(node: ast.expr, known: dict[str, str]) -> str:
    """What a literal, an f-string, a sum of them or a name with one value spells; PUT_IN for what cannot be known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name, PUT_IN)
        case ast.FormattedValue(value=value):
            return _spelled(value, known)
        case ast.JoinedStr(values=parts):
            return "".join(_spelled(part, known) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _spelled(left, known) + _spelled(right, known)
        case _:
            return PUT_IN


def _common() -> list[click.Option]:
    """The options that several commands share, in the order of the page."""

    @url_option
    @json_option
    @log_options
    def function() -> None: ...

    return list(reversed(function.__click_params__))  # type: ignore[attr-defined]


COMMON = {option.opts[-1]: option.help for option in _common()}


def _of(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None, name
    return command


def _command(command: click.Command, path: str, level: int) -> Iterator[str]:
    yield from ("", f"{'#' * level} {path}", "")
    if isinstance(command, click.Group):
        yield from _help(command)
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            yield from _command(_of(command, context, name), f"{path} {name}", level + 1)
        return
    arguments = [param.metavar or (param.name or "").upper() for param in command.params if isinstance(param, click.Argument)]
    yield from ("```", " ".join([path, "[OPTIONS]", *arguments]), "```", "", *_help(command))
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    # A setting is described once, on its own page.
    settings = {field.option for field in fields.fields()} if path == "batuta server" else set()
    common = [option for option in options if COMMON.get(option.opts[-1]) == option.help]
    own = [option for option in options if option not in common and option.opts[-1] not in settings]
    if settings:
        yield from ("Every setting is an option: settings.md lists them.", "")
    if own:
        yield from ("| Option | What it does |", "|---|---|", *(_option(option) for option in own), "")
    if common:
        yield f"Also {', '.join(f'`{option.opts[-1]}`' for option in common)}."


def _help(command: click.Command) -> Iterator[str]:
    """The help of a command as Markdown: paragraphs, and what follows a \\b as it stands."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from ("```", *paragraph.splitlines()[1:], "```", "")
        else:
            yield from (" ".join(paragraph.split()), "")


def _option(option: click.Option) -> str:
    """Written out here instead of by click, whose wording differs from version to version."""
    names = ", ".join(option.opts)
    if not option.is_flag:
        kind = option.type
        names += f" {option.metavar or ('|'.join(map(str, kind.choices)) if isinstance(kind, click.Choice) else kind.name.partition(' ')[0].upper())}"
    default = f"  [default: {option.default}]" if option.show_default else ""
    return f"| `{_cell(names)}` | {_cell((option.help or '') + default)} |"


def _cell(text: Any) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


PAGES = {"cli.md": cli_page, "settings.md": settings_page, "api.md": api_page, "states.md": states_page, "metrics.md": metrics_page}


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
