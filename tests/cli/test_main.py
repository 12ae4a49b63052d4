"""The tree of commands as a whole: help, lazy imports, completion, ways to end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from clistage import Batuta

from batuta.cli.failure import MEANINGS, Exit, Failure, ending
from batuta.cli.lazy import LazyGroup
from batuta.cli.main import batuta as root

batuta = Batuta()


def commands(group: click.Group = root, path: str = "batuta") -> Iterator[tuple[str, LazyGroup, str]]:
    """Every command with its path, its group and its name."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert isinstance(group, LazyGroup)
        yield f"{path} {name}", group, name
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


ALL = list(commands())


@pytest.mark.parametrize(("path", "group", "name"), ALL, ids=[path for path, _, _ in ALL])
def test_the_line_in_the_list_is_the_commands_own(path: str, group: LazyGroup, name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None and command.help
    first = " ".join(command.help.strip().partition("\n\n")[0].split())
    line = group.entries[name].line
    assert first == line


@pytest.mark.parametrize(("path", "group", "name"), ALL, ids=[path for path, _, _ in ALL])
def test_every_command_has_help_and_every_option_too(path: str, group: LazyGroup, name: str) -> None:
    ran = batuta(*path.split()[1:], "--help")
    assert ran.code == 0 and ran.out.startswith(f"Usage: {path}")
    command = group.get_command(click.Context(group), name)
    assert command is not None
    for param in command.params:
        assert not isinstance(param, click.Option) or param.help, param.name


def test_help_lists_the_commands_by_what_they_are_for() -> None:
    ran = batuta("--help")
    assert [line for line in ran.lines if line.endswith(":")] == ["Options:", "Run:", "Look and steer:", "Care:"]


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    ran = batuta("serve")
    assert ran.code == Exit.USAGE and "Did you mean 'server'?" in ran.err
    assert "Try 'batuta workflow --help'" in batuta("workflow", "qqq").err


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert batuta("--version").out == f"batuta {version('batuta')}\n"


def test_asking_for_help_imports_neither_server_nor_client() -> None:
    program = """
import sys
from batuta.cli.main import batuta
try: batuta(["--help"])
except SystemExit: pass
heavy = ("asyncio", "msgspec", "urllib3", "uvicorn", "batuta.client", "batuta.app", "batuta.core", "email", "importlib.metadata")
print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr.strip() == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_asks_batuta(shell: str) -> None:
    ran = batuta("completion", shell)
    assert ran.code == 0 and "_BATUTA_COMPLETE" in ran.out


#       what is typed so far                  what may follow, among others
COMPLETIONS = [
    ("batuta w", {"worker", "workflow"}),
    ("batuta workflow re", {"resume", "restart", "retry", "rerun", "remove"}),
    ("batuta workflow list --status ", {"running", "timed_out"}),
    ("batuta definitions apply --dr", {"--dry-run"}),
]


@pytest.mark.parametrize(("typed", "expected"), COMPLETIONS)
def test_commands_options_and_choices_are_completed(typed: str, expected: set[str]) -> None:
    words = typed.split(" ")
    env = {"_BATUTA_COMPLETE": "zsh_complete", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    run = subprocess.run([sys.executable, "-m", "batuta"], env=env, capture_output=True, text=True, timeout=60)
    assert expected <= set(run.stdout.splitlines()), run


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Exit)


def test_errors_of_the_server_and_of_the_client_have_their_codes() -> None:
    from batuta import errors as own
    from batuta.client import errors as client

    #        error                                                   code
    cases = [
        (client.Unavailable("no answer"), Exit.UNREACHABLE),
        (client.NotFound("none", status=404), Exit.NOT_FOUND),
        (client.Conflict("twice", status=409), Exit.CONFLICT),
        (client.BadRequest("bad", status=400), Exit.FAILED),
        (client.Denied("no", status=401), Exit.FAILED),
        (client.ServerFault("oops", status=500), Exit.FAILED),
        (own.Invalid("setting"), Exit.USAGE),
        (own.InvalidFields([own.Violation("a.b", "is wrong")]), Exit.FAILED),
        (own.NotFound("none"), Exit.NOT_FOUND),
        (own.Conflict("twice"), Exit.CONFLICT),
        (own.Unavailable("disk"), Exit.FAILED),
        (Failure("any", Exit.CONFLICT), Exit.CONFLICT),
    ]  # fmt: skip
    for error, code in cases:
        failure = ending(error)
        assert failure is not None and failure.exit_code == code, error
    assert ending(RuntimeError("a fault of ours")) is None


def test_a_server_that_does_not_answer_ends_in_advice() -> None:
    ran = batuta("workflow", "get", "x")
    assert (ran.code, ran.out) == (Exit.UNREACHABLE, "")
    assert ran.err.splitlines() == [
        "batuta: http://127.0.0.1:1/api did not answer: Connection refused",
        "Is it running? Start one with `batuta server`, or name another with --url or BATUTA_URL.",
    ]


def test_whoever_asks_for_json_gets_errors_as_json() -> None:
    import json

    ran = batuta("workflow", "get", "x", "--json")
    said = json.loads(ran.err)
    assert (ran.code, ran.out, said["exitCode"]) == (Exit.UNREACHABLE, "", 3) and "did not answer" in said["error"]


def test_a_url_is_taken_from_the_option_then_from_either_variable() -> None:
    for env in ({"BATUTA_URL": "http://127.0.0.1:1"}, {"BATUTA_URL": "", "CONDUCTOR_SERVER_URL": "http://127.0.0.1:1/api"}):
        assert "http://127.0.0.1:1/api did not answer" in batuta("queue", "list", env=env).err
    assert "http://127.0.0.1:2/api did not answer" in batuta("queue", "list", "--url", "http://127.0.0.1:2").err
    wrong = batuta("queue", "list", "--url", "here")
    assert wrong.code == Exit.USAGE and "is not an http(s) URL" in wrong.err


def test_a_reader_that_has_enough_is_no_error() -> None:
    run = subprocess.run(f"{sys.executable} -m batuta --help | head -1", shell=True, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "") and run.stdout.startswith("Usage")
