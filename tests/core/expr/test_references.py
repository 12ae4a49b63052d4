"""What registration says of expressions; the messages are those a real Conductor server gave."""

from typing import Any

import pytest

from batuta.core.expr.references import problems
from batuta.core.expr.scope import ALWAYS_CONSTANT

UNKNOWN = "taskReferenceName: {} for given task: t input value: {} of input parameter: {} is not defined in workflow definition."
INVALID = "key: {} input parameter value: {} is not valid"

#    parameters                                            refused with
CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"p": "${ghost.output.x}"},                           [UNKNOWN.format("ghost", "p", "${ghost.output.x}")]),
    ({"p": {"a": [1, {"b": "say ${ghost.output.x}!"}]}},   [UNKNOWN.format("ghost", "b", "say ${ghost.output.x}!")]),
    ({"p": [["${ghost}"]]},                                [UNKNOWN.format("ghost", "p", "${ghost}")]),
    ({"p": "${user.output.x}"},                            []),
    ({"p": "${later.output.x[0]}"},                        []),
    ({"p": "${workflow.input.x} ${workflow.nothing}"},     []),
    ({"p": "${workflow.env.X} ${workflow.secrets.X}"},     []),
    ({"p": "$${ghost.output.x}"},                          []),
    ({"${ghost.output.x}": "text", "n": 7, "z": None},     []),
    ({"p": "${CPEWF_TASK_ID} ${NETFLIX_ENV} ${HOME}"},     []),
    ({"p": "${HOME.x}"},                                   [UNKNOWN.format("HOME", "p", "${HOME.x}")]),
    ({"p": "${}"},                                         [INVALID.format("p", "")]),
    ({"p": "${ workflow.input.x}"},                        [INVALID.format("p", " workflow.input.x")]),
    ({"p": "a ${two words.output} b"},                     [INVALID.format("p", "two words.output")]),
    ({"p": "${workflow.input.l[}"},                        []),                                          # Jayway drops a last [
    ({"p": "${workflow.input.l[x]}"},                      [INVALID.format("p", "workflow.input.l[x]")]),
    ({"p": "${$.workflow.input.x}"},                       [UNKNOWN.format("$", "p", "${$.workflow.input.x}")]),
    ({"p": "${['user'].output.x}"},                        [UNKNOWN.format("['user']", "p", "${['user'].output.x}")]),
    ({"p": "${user['output'].x}"},                         [UNKNOWN.format("user['output']", "p", "${user['output'].x}")]),
    ({"p": "${ghost.l[${user.output.i}]}"},                []),                                          # only the inner one is looked at
    ({"p": "${user.l[${ghost.output.i}]}"},                [UNKNOWN.format("ghost", "p", "${user.l[${ghost.output.i}]}")]),
    ({"p": "${ghost.output.x"},                            []),
    ({"p": "${a.x}${b.x}", "q": "${a b}"},                 [UNKNOWN.format("a", "p", "${a.x}${b.x}"), UNKNOWN.format("b", "p", "${a.x}${b.x}"),
                                                            INVALID.format("q", "a b")]),
]


@pytest.mark.parametrize(("parameters", "messages"), CASES)
def test_registration_refuses(parameters: dict[str, Any], messages: list[str]) -> None:
    found = problems(parameters, {"user", "later"}, lambda name: name in ALWAYS_CONSTANT or name == "HOME")
    assert [problem.message("t") for problem in found] == messages


def test_a_problem_says_what_it_is() -> None:
    unknown, invalid = problems({"p": {"q": "a ${ghost.output.x}"}, "r": "${a b}"}, set(), lambda name: False)
    assert (unknown.kind, unknown.key, unknown.value, unknown.path, unknown.root) == ("reference", "q", "a ${ghost.output.x}", "ghost.output.x", "ghost")
    assert (invalid.kind, invalid.key, invalid.value, invalid.path) == ("path", "r", "${a b}", "a b")


def test_depth_is_no_obstacle() -> None:
    value: Any = "${ghost.output.x}"
    for _ in range(10_000):
        value = [value]
    assert [problem.root for problem in problems({"p": value}, set(), lambda name: False)] == ["ghost"]
