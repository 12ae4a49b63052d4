"""
From a task's input to a function's arguments.

Here: reading a signature once, and converting by it. Not here: the way back (outputs.py) and running the function
(running.py).
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from batuta.client.context import TaskContext
from batuta.client.models import Task
from batuta.client.outputs import Mismatch, shown


@dataclasses.dataclass(frozen=True, slots=True)
class _Argument:
    """One parameter that is filled from the input."""

    name: str
    type: Any
    default: Any  # inspect.Parameter.empty when there is none
    has_none: bool  # whether None is a value of its type
    has_dataclass: bool  # whether its type is or holds a dataclass


class Signature:
    """
    How a worker function takes its arguments.

    A parameter annotated `Task` gets the task, one annotated `TaskContext` the context, ``**rest`` the inputs nobody else
    took; every other one is filled from the input of its name. An input of null counts as missing where the type does not
    allow None, since Conductor's expressions give null for whatever they do not find.

    Raises:
        TypeError: the function cannot be called by names, or an annotation is not one that JSON can be converted to.
    """

    def __init__(self, worker_name: str, function: Callable[..., Any]) -> None:
        self._worker_name = worker_name
        self._task_names: list[str] = []
        self._context_names: list[str] = []
        self._arguments: list[_Argument] = []
        self._takes_rest = False
        types = _types_of(worker_name, function)
        for parameter in inspect.signature(function).parameters.values():
            self._add(parameter, types.get(parameter.name, Any))

    def _add(self, parameter: inspect.Parameter, type_: Any) -> None:
        name = parameter.name
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise TypeError(f"worker {self._worker_name!r}: parameter {name!r} cannot be passed by name; task inputs have names only")
        if parameter.kind is parameter.VAR_KEYWORD:
            self._takes_rest = True
        elif type_ is Task:
            self._task_names.append(name)
        elif type_ is TaskContext:
            self._context_names.append(name)
        elif name == "self":
            raise TypeError(f"worker {self._worker_name!r} is a method; decorate a function, or decorate the bound method: worker(…)(thing.method)")
        else:
            _check_convertible(self._worker_name, name, type_)
            has_dataclass = _has_dataclass(msgspec.inspect.type_info(type_), set())
            self._arguments.append(_Argument(name, type_, parameter.default, _allows_none(type_), has_dataclass))

    def bind(self, task: Task, context: TaskContext) -> dict[str, Any]:
        """
        The keyword arguments for this task.

        Raises:
            Mismatch: an argument is missing or has the wrong type.
        """
        values: dict[str, Any] = dict.fromkeys(self._task_names, task)
        values |= dict.fromkeys(self._context_names, context)
        for argument in self._arguments:
            value = task.input.get(argument.name)
            if value is not None or (argument.has_none and argument.name in task.input):
                values[argument.name] = self._converted(argument, value)
            elif argument.default is inspect.Parameter.empty:
                found = "null" if argument.name in task.input else f"inputs {sorted(task.input)}"
                raise Mismatch(f"argument {argument.name!r} of worker {self._worker_name!r} is missing: found {found}, expected {_named(argument.type)}")
        if self._takes_rest:
            values |= {name: value for name, value in task.input.items() if name not in values}
        return values

    def _converted(self, argument: _Argument, value: Any) -> Any:
        try:
            converted = msgspec.convert(value, argument.type)
        except msgspec.ValidationError as error:
            try:  # JSON has one kind of number: servers write a whole one as 3.0 after arithmetic or an HTTP body
                converted = msgspec.convert(_with_whole_numbers(value), argument.type)
            except msgspec.ValidationError:
                expected = str(error).replace("`", "")
                raise Mismatch(f"argument {argument.name!r} of worker {self._worker_name!r} is {shown(value)}: {expected}") from None
        return _completed(converted) if argument.has_dataclass else converted


def _types_of(worker_name: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"worker {worker_name!r}: an annotation cannot be resolved ({error}); define or import that type at module level") from error


def _check_convertible(worker_name: str, name: str, type_: Any) -> None:
    """A type that msgspec cannot convert to shall be known when the worker is defined, not when its first task comes."""
    try:
        msgspec.json.Decoder(type_)
    except (TypeError, ValueError) as error:
        raise TypeError(f"worker {worker_name!r}: argument {name!r} has a type that JSON cannot be converted to: {error}") from error


def _has_dataclass(info: Any, seen: set[type]) -> bool:
    """Whether this type description of msgspec's is or holds a dataclass."""
    if isinstance(info, msgspec.inspect.DataclassType):
        return True
    if isinstance(info, msgspec.inspect.StructType):
        if info.cls in seen:
            return False
        seen.add(info.cls)
    if isinstance(info, tuple):
        return any(_has_dataclass(one, seen) for one in info)
    if isinstance(info, (msgspec.inspect.Type, msgspec.inspect.Field)):
        return any(_has_dataclass(getattr(info, field), seen) for field in info.__struct_fields__)
    return False


def _completed(value: Any) -> Any:
    """
    *value*, with the defaults of its dataclasses stored in the instances.

    msgspec leaves a default it did not have to change on the class; such an instance has no such field when it is written as
    JSON again, which is what happens to it when a worker returns it.
    """
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            _completed(item)
            if field.name not in getattr(value, "__dict__", {field.name}):
                object.__setattr__(value, field.name, item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _completed(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            _completed(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _completed(item)
    return value


def _allows_none(type_: Any) -> bool:
    try:
        msgspec.convert(None, type_)
    except (msgspec.ValidationError, TypeError):
        return False
    return True


def _with_whole_numbers(value: Any) -> Any:
    """*value* with every float that is a whole number as an int; ints fit where floats are expected."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return {name: _with_whole_numbers(item) for name, item in value.items()}
        case list():
            return [_with_whole_numbers(item) for item in value]
        case _:
            return value


def _named(type_: Any) -> str:
    return type_.__name__ if isinstance(type_, type) and not typing.get_args(type_) else str(type_).removeprefix("typing.")
