"""`batuta definitions`: files, directories and modules onto a server and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clistage import NOBODY, Batuta, order, single, step_def

from batuta.cli.failure import Exit
from batuta.testing import EmbeddedServer

MODULE = """
from batuta.client import task_def, workflow

order = workflow("order", input=["id"])
order.task("pay", id=order.input.id)
task_defs = [task_def("pay", retries=2)]
_hidden = workflow("hidden")


def made():
    return order


def all_of_them():
    return [order, *task_defs]


number = 7
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def outcomes(batuta: Batuta, *arguments: str) -> dict[str, str]:
    ran = batuta("definitions", "apply", *arguments, "--json")
    assert ran.code == 0, ran
    return {one["name"] + (f" v{one['version']}" if "version" in one else ""): one["outcome"] for one in ran.json}


def test_applying_again_changes_nothing(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    put(here / "order.json", order())
    put(here / "tasks.json", [step_def(), {"name": "bare"}])
    everything = {"order v1": "created", "step": "created", "bare": "created"}
    assert outcomes(batuta, ".") == everything
    assert outcomes(batuta, ".") == dict.fromkeys(everything, "unchanged")
    assert {d["name"] for d in server.client.list_task_defs()} == {"step", "bare"}


def test_what_was_changed_is_updated_and_keeps_its_birthday(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    put(here / "order.json", order())
    put(here / "step.json", step_def(retries=1))
    outcomes(batuta, "order.json", "step.json")
    born = server.client.get_workflow_def("order")["createTime"]
    put(here / "order.json", {**order(), "description": "Another one."})
    put(here / "step.json", step_def(retries=4))
    assert outcomes(batuta, "order.json", "step.json") == {"order v1": "updated", "step": "updated"}
    now = server.client.get_workflow_def("order")
    assert (now["description"], now["createTime"], server.client.get_task_def("step")["retryCount"]) == ("Another one.", born, 4)


def test_leaving_a_field_out_is_a_change_back_to_its_default(here: Path, batuta: Batuta) -> None:
    put(here / "d.json", {**single(), "timeoutSeconds": 60, "timeoutPolicy": "TIME_OUT_WF"})
    outcomes(batuta, "d.json")
    put(here / "d.json", single())
    assert outcomes(batuta, "d.json") == {"single v1": "updated"}


def test_every_version_is_a_definition_of_its_own(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    put(here / "d.json", [single(), {**single(), "version": 2}])
    assert outcomes(batuta, "d.json") == {"single v1": "created", "single v2": "created"}


def test_a_dry_run_sends_nothing(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    put(here / "d.json", single())
    ran = batuta("definitions", "apply", "d.json", "--dry-run")
    assert ran.code == 0 and "single v1  would be created" in ran.out and "nothing was sent" in ran.err
    assert server.client.list_workflow_defs() == []


#       target              definitions found
MODULES = [
    ("shop_{n}", {"order v1", "pay"}),
    ("shop_{n}.py", {"order v1", "pay"}),
    ("shop_{n}:order", {"order v1"}),
    ("shop_{n}:task_defs", {"pay"}),
    ("shop_{n}:made", {"order v1"}),
    ("shop_{n}:all_of_them", {"order v1", "pay"}),
]


@pytest.mark.parametrize(("target", "found"), MODULES)
def test_a_module_gives_what_it_defines(target: str, found: set[str], here: Path, batuta: Batuta, monkeypatch: pytest.MonkeyPatch) -> None:
    n = MODULES.index((target, found))
    put(here / f"shop_{n}.py", MODULE)
    monkeypatch.syspath_prepend(here)
    assert outcomes(batuta, target.format(n=n)).keys() == found


#       files                                                  target           complaint
WRONG = [
    ({}, "nowhere.json", "there is no file or directory 'nowhere.json'"),
    ({}, "nowhere", "'nowhere' is neither a file, nor a directory, nor a module"),
    ({"empty/x.txt": ""}, "empty", "directory 'empty' holds no .json file"),
    ({"a.json": "{"}, "a.json", "a.json is not JSON"),
    ({"a.json": [7]}, "a.json", "a.json[0] is int; expected a JSON object that defines a workflow or a task"),
    ({"a.json": {"tasks": []}}, "a.json", "a.json has no name"),
    ({"a.json": {"name": "t", "taskReferenceName": "t"}}, "a.json", "is one task of a workflow"),
    ({"a.json": {"name": "h", "event": "e", "actions": []}}, "a.json", "is an event handler"),
    ({"a.json": [step_def(), step_def(retries=9)]}, "a.json", "task 'step' is defined twice, differently: in a.json[0] and in a.json[1]"),
    ({"empty_module_of_a_test.py": "x = 1"}, "empty_module_of_a_test.py", "has no definitions at its top level"),
    ({"module_of_a_test.py": "x = 1"}, "module_of_a_test:y", "module 'module_of_a_test' has no attribute 'y'"),
    ({"module_of_a_test.py": "x = 1"}, "module_of_a_test:x", "module_of_a_test:x is int; expected a workflow"),
]


@pytest.mark.parametrize(("files", "target", "complaint"), WRONG)
def test_what_cannot_be_read_is_named_and_nothing_is_sent(
    files: dict[str, Any], target: str, complaint: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in files.items():
        put(here / name, content)
    monkeypatch.syspath_prepend(here)
    ran = Batuta(NOBODY)("definitions", "apply", target)
    assert ran.code == Exit.USAGE and complaint in ran.err, ran


def test_one_that_is_refused_does_not_keep_the_others_away(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    put(here / "a.json", {"name": "bad", "version": 1, "tasks": [{"name": "t", "taskReferenceName": "t", "type": "SWITCH"}]})
    put(here / "b.json", single())
    ran = batuta("definitions", "apply", ".")
    assert ran.code == Exit.FAILED and "1 of 2 definitions could not be applied" in ran.err
    assert "bad v1     failed" in ran.out and [d["name"] for d in server.client.list_workflow_defs()] == ["single"]
    problem = batuta("definitions", "apply", "a.json", "--json").json[0]
    assert problem["outcome"] == "failed" and problem["problems"]


def test_nobody_to_apply_to_is_unreachable(here: Path) -> None:
    put(here / "a.json", single())
    assert Batuta(NOBODY)("definitions", "apply", "a.json").code == Exit.UNREACHABLE


def test_an_export_is_applied_again_without_a_change(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_task_defs([step_def(), {"name": "a b/c", "retryCount": 1}])
    server.client.register_workflow(order())
    server.client.register_workflow({**order(), "version": 2})
    ran = batuta("definitions", "export", "out")
    assert ran.code == 0
    files = sorted(str(path.relative_to(here)) for path in here.rglob("*.json"))
    assert files == ["out/tasks/a b%2Fc.json", "out/tasks/step.json", "out/workflows/order.v1.json", "out/workflows/order.v2.json"]
    assert set(outcomes(batuta, "out").values()) == {"unchanged"}
    assert all("createTime" not in path.read_text() for path in here.rglob("*.json"))


def test_an_export_makes_the_same_server_elsewhere(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    from batuta.testing import embedded

    server.client.register_task_defs([step_def()])
    server.client.register_workflow(order())
    batuta("definitions", "export", "out")

    def told(client: Any) -> list[dict[str, Any]]:
        everything = [*client.list_workflow_defs(), *client.list_task_defs()]
        return [{key: value for key, value in one.items() if key not in ("createTime", "updateTime", "createdBy", "updatedBy")} for one in everything]

    with embedded() as other:
        assert Batuta(other.url)("definitions", "apply", "out").code == 0
        assert told(other.client) == told(server.client)


def test_exporting_again_writes_only_what_changed(here: Path, server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_task_defs([step_def(), {"name": "other"}])
    batuta("definitions", "export", "out")
    server.client.register_task_defs([step_def(retries=9)])
    results = {one["name"]: one["outcome"] for one in batuta("definitions", "export", "out", "--json").json}
    assert results == {"step": "updated", "other": "unchanged"}
    assert json.loads((here / "out/tasks/step.json").read_text())["retryCount"] == 9
    chosen = batuta("definitions", "export", "some", "--name", "other")
    assert chosen.code == 0 and [path.name for path in (here / "some").rglob("*.json")] == ["other.json"]
    assert batuta("definitions", "export", "some", "--name", "nope").code == Exit.NOT_FOUND


def test_list_names_what_there_is(server: EmbeddedServer, batuta: Batuta) -> None:
    assert "no definitions yet" in batuta("definitions", "list").err
    server.client.register_task_defs([step_def()])
    server.client.register_workflow(order())
    assert batuta("definitions", "list", "--json").json == [{"kind": "task", "name": "step"}, {"kind": "workflow", "name": "order", "version": 1}]
    row = batuta("definitions", "list").lines[-1].split()
    assert row[:4] == ["workflow", "order", "v1", "6"] and row[-2:] == ["An", "order."]
