"""Arguments from a task's input, output from a return value."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
from typing import Annotated, Any, Literal

import msgspec
import pytest

from batuta.client import Task, TaskContext, worker
from batuta.client.arguments import Signature
from batuta.client.outputs import Mismatch, output_of


@dataclasses.dataclass
class Size:
    width: int
    height: int = 1


class Picture(msgspec.Struct):
    path: str
    size: Size
    tags: list[str] = []


class Color(enum.Enum):
    RED = "red"


MISSING: Any = object()

#    annotation                    input                                              argument, or the text of the refusal
CASES = [
    (int,                          3,                                                 3),
    (int,                          3.0,                                               3),
    (int,                          "3",                                               "argument 'x' of worker 'w' is '3': Expected int, got str"),
    (int,                          3.5,                                               "argument 'x' of worker 'w' is 3.5: Expected int, got float"),
    (int,                          True,                                              "argument 'x' of worker 'w' is True: Expected int, got bool"),
    (int,                          None,                                              "argument 'x' of worker 'w' is missing: found null, expected int"),
    (int,                          MISSING,                                           "argument 'x' of worker 'w' is missing: found inputs [], expected int"),
    (float,                        3,                                                 3.0),
    (str,                          "s",                                               "s"),
    (str,                          3,                                                 "Expected str, got int"),
    (bool,                         False,                                             False),
    (int | None,                   None,                                              None),
    (int | None,                   4,                                                 4),
    (list[int],                    [1, 2.0],                                          [1, 2]),
    (list[int],                    [1, "2"],                                          "is [1, '2']: Expected int, got str - at $[1]"),
    (dict[str, float],             {"a": 1},                                          {"a": 1.0}),
    (tuple[int, str],              [1, "a"],                                          (1, "a")),
    (Size,                         {"width": 2},                                      Size(2, 1)),
    (Size,                         {"width": 2.0, "height": 3.0, "other": 1},         Size(2, 3)),
    (Size,                         {"height": 2},                                     "Object missing required field width"),
    (Picture,                      {"path": "p", "size": {"width": 1}, "tags": ["t"]}, Picture("p", Size(1), ["t"])),
    (Picture,                      {"path": "p", "size": {"width": "1"}},             "Expected int, got str - at $.size.width"),
    (Color,                        "red",                                             Color.RED),
    (Color,                        "blue",                                            "Invalid enum value 'blue'"),
    (Literal["a", "b"],            "b",                                               "b"),
    (datetime.datetime,            "2030-01-31T08:00:00Z",                            datetime.datetime(2030, 1, 31, 8, tzinfo=datetime.UTC)),
    (Annotated[int, msgspec.Meta(ge=1)], 0,                                           "Expected int >= 1"),
    (Any,                          {"a": [1.0]},                                      {"a": [1.0]}),
    (Any,                          None,                                              None),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "expected"), CASES)
def test_an_input_becomes_the_annotated_type_or_says_why_not(annotation: Any, value: Any, expected: Any) -> None:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    task = Task(id="t", type="w", ref="r", status="", execution_id="e", input={} if value is MISSING else {"x": value})
    signature = Signature("w", function)
    if (isinstance(expected, str) and annotation not in (str, Literal["a", "b"])) or (annotation is str and value == 3):
        with pytest.raises(Mismatch) as refused:
            signature.bind(task, TaskContext(task))
        assert str(expected) in str(refused.value)
    else:
        assert signature.bind(task, TaskContext(task)) == {"x": expected}


def bound(function: Any, **input: Any) -> dict[str, Any]:
    task = Task(id="t", type="w", ref="r", status="", execution_id="e", input=input)
    return Signature("w", function).bind(task, TaskContext(task))


def test_a_dataclass_that_came_in_goes_out_whole() -> None:
    """Its defaults too, wherever it sits."""

    def function(a: Size, b: list[Size], c: dict[str, tuple[Size, ...]], d: Picture, e: Size | None) -> None: ...

    one = {"width": 1}
    values = bound(function, a=one, b=[one], c={"x": [one]}, d={"path": "p", "size": one}, e=one)
    whole = {"width": 1, "height": 1}
    out = msgspec.json.decode(msgspec.json.encode(output_of(values)))
    assert out == {"a": whole, "b": [whole], "c": {"x": [whole]}, "d": {"path": "p", "size": whole, "tags": []}, "e": whole}


class Node(msgspec.Struct):
    """A type that holds itself."""

    children: list[Node] = []


def test_a_recursive_type_is_an_argument_like_any_other() -> None:
    def function(a: Node) -> None: ...

    assert bound(function, a={"children": [{}]})["a"].children == [Node()]


def test_a_default_stands_in_for_what_is_absent_and_for_null() -> None:
    def function(a: int = 5, b: int | None = 6, *, c: str = "c") -> None: ...

    assert bound(function) == {}
    assert bound(function, a=None, b=None, c="d") == {"b": None, "c": "d"}  # null is a value only where None is one


def test_the_task_and_the_context_are_given_by_annotation() -> None:
    def function(task: int, whole: Task, ctx: TaskContext) -> None: ...

    values = bound(function, task=7)
    assert values["task"] == 7
    assert isinstance(values["whole"], Task) and values["whole"].id == "t"
    assert isinstance(values["ctx"], TaskContext)


def test_unnamed_inputs_are_left_out_or_gathered() -> None:
    def narrow(a: int) -> None: ...

    def wide(a: int, **rest: Any) -> None: ...

    assert bound(narrow, a=1, b=2) == {"a": 1}
    assert bound(wide, a=1, b=2, c=None) == {"a": 1, "b": 2, "c": None}


def test_a_long_value_is_shown_shortened() -> None:
    def function(a: int) -> None: ...

    with pytest.raises(Mismatch) as refused:
        bound(function, a="x" * 10_000)
    assert len(str(refused.value)) < 300


class Opaque:
    """A type no JSON converts to."""


def _positional(a: int, /) -> None: ...
def _variadic(*a: int) -> None: ...
def _method(self, a: int) -> None: ...  # type: ignore[no-untyped-def]
def _unresolved(a: NoSuchType) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def _two_classes(a: Size | Picture) -> None: ...


#    function        what is said when it is decorated
UNUSABLE = [
    (_positional,    "parameter 'a' cannot be passed by name"),
    (_variadic,      "parameter 'a' cannot be passed by name"),
    (_method,        "is a method; decorate a function"),
    (_unresolved,    "an annotation cannot be resolved .*NoSuchType.*module level"),
    (_two_classes,   "argument 'a' has a type that JSON cannot be converted to"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "said"), UNUSABLE)
def test_a_function_that_input_cannot_fill_is_refused_when_decorated(function: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"worker 'w'.*{said}"):
        worker("w")(function)


#    returned                              output
RETURNS = [
    (None,                                 {}),
    ({"a": 1},                             {"a": 1}),
    ({1: Size(1)},                         {"1": {"width": 1, "height": 1}}),
    (Size(2, 3),                           {"width": 2, "height": 3}),
    (Picture("p", Size(1)),                {"path": "p", "size": {"width": 1, "height": 1}, "tags": []}),
    (5,                                    {"result": 5}),
    ("text",                               {"result": "text"}),
    (False,                                {"result": False}),
    ([1, Size(1)],                         {"result": [1, {"width": 1, "height": 1}]}),
    ((1, 2),                               {"result": [1, 2]}),
    (Color.RED,                            {"result": "red"}),
    (datetime.date(2030, 1, 31),           {"result": "2030-01-31"}),
    (b"\x00\xff",                          {"result": "AP8="}),
]  # fmt: skip


@pytest.mark.parametrize(("returned", "output"), RETURNS)
def test_a_return_value_becomes_output(returned: Any, output: dict[str, Any]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(output_of(returned))) == output


def test_what_json_cannot_hold_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    for value in (Opaque(), {"a": Opaque()}, "\ud800", circle, {"a": print}):
        with pytest.raises(Mismatch, match="the return value is not JSON"):
            output_of(value)


def test_a_number_json_does_not_know_is_null_on_the_wire() -> None:
    assert msgspec.json.encode(output_of({"x": math.nan})) == b'{"x":null}'


def test_a_worker_is_still_the_function_it_was() -> None:
    @worker("w", concurrency=3)
    def double(x: int) -> int:
        return 2 * x

    assert double(4) == 8
    assert double.replace(domain="mac").queue == "mac:w"
    assert (double.concurrency, double.replace(concurrency=9).concurrency) == (3, 9)
    assert double.runs_in_thread and not double.replace(thread=False).runs_in_thread


#    option                       what is said
OPTIONS = [
    ({"name": ""},                "it must be the task type"),
    ({"concurrency": 0},          "concurrency is 0"),
    ({"batch": 0},                "batch is 0"),
    ({"poll_timeout_s": 6},       "poll_timeout_s is 6"),
    ({"poll_timeout_s": 0},       "poll_timeout_s is 0"),
    ({"cancel_check_s": 0},       "cancel_check_s is 0"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), OPTIONS)
def test_an_option_out_of_range_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        worker(**{"name": "w", **options})(lambda: None)
