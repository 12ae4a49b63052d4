"""Secrets are put in where a script runs, and never where a task is stored."""

from __future__ import annotations

from stage import Stage, node


def test_a_script_sees_the_secret_and_the_row_does_not() -> None:
    s = Stage({"$.token": lambda d: d["token"] == "Bearer hush"})
    x = s.run([node("i", "INLINE", {"expression": "$.token", "token": "Bearer ${workflow.secrets.TOKEN}"})])
    task = x.by_ref["i"]
    assert task.output == {"result": True}
    assert task.input["token"] == "Bearer ${workflow.secrets.TOKEN}"
