"""
Tasks that hold other tasks: SWITCH, FORK_JOIN with its JOIN, FORK_JOIN_DYNAMIC, DO_WHILE.

Here: how their branches are filled and written. Not here: their constructors, which are methods of `Flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any

from batuta.client.builder.expr import DefinitionError, Expr
from batuta.client.builder.node import TaskNode


class Block(list[TaskNode]):
    """Tasks one after another; ``was_entered`` once a ``with`` block has filled it."""

    was_entered = False


Enter = Callable[[Block], AbstractContextManager[None]]


class Switch(TaskNode):
    """
    One of several branches, by a value: ``with route.case("hot"): …`` and ``with route.default(): …``.

    The flow goes on after the switch, whichever branch ran; with no matching case and no default, none does.
    """

    def __init__(self, ref: str, fields: Mapping[str, Any], input: Mapping[str, Any], enter: Enter) -> None:
        super().__init__("SWITCH", ref, ref, fields, input)
        self._enter = enter
        self._cases: dict[str, Block] = {}
        self._default: Block | None = None

    def case(self, value: str | int | bool) -> AbstractContextManager[None]:
        """The tasks to run when the switch evaluates to *value*, filled in a ``with`` block."""
        key = str(value).lower() if isinstance(value, bool) else str(value)
        if key in self._cases:
            raise DefinitionError(f"switch {self.ref!r} has the case {key!r} twice")
        return self._enter(self._cases.setdefault(key, Block()))

    def default(self) -> AbstractContextManager[None]:
        """The tasks to run when no case matches, filled in a ``with`` block."""
        if self._default is not None:
            raise DefinitionError(f"switch {self.ref!r} has two default branches")
        self._default = Block()
        return self._enter(self._default)

    def to_json(self) -> dict[str, Any]:
        if not self._cases:
            raise DefinitionError(f"switch {self.ref!r} has no case; add one: with switch.case('value'): …")
        for value, block in {**self._cases, "default": self._default}.items():
            if block is not None and not block.was_entered:
                raise DefinitionError(f"the branch {value!r} of switch {self.ref!r} was never filled; put its tasks into a with block")
        cases = {value: tasks_json(block) for value, block in self._cases.items()}
        return {**super().to_json(), "decisionCases": cases, "defaultCase": tasks_json(self._default or Block())}


class Join(TaskNode):
    """
    Waits for tasks and collects their outputs: ``join.output.REF`` is the output of the task REF.

    *on* makes the references to wait for when the definition is written, since branches are filled after the join was made.
    """

    def __init__(self, ref: str, on: Callable[[], list[str]]) -> None:
        super().__init__("JOIN", ref, ref)
        self._on = on

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "joinOn": self._on()}


class Fork(TaskNode):
    """
    Branches side by side: ``with both.branch(): …`` for each. The join after them is ``both.join``.

    It waits for the last task of every branch, unless told which tasks to wait for.
    """

    def __init__(self, ref: str, enter: Enter, join_on: Iterable[TaskNode | str] | None) -> None:
        super().__init__("FORK_JOIN", ref, ref)
        self._enter = enter
        self._branches: list[Block] = []
        self._join_on = None if join_on is None else [ref_of(one) for one in join_on]
        self.join = Join(f"{ref}_join", self._ends)

    @property
    def output(self) -> Expr:
        """The join's output: the outputs of the tasks it waits for, by their references."""
        return self.join.output

    def branch(self) -> AbstractContextManager[None]:
        """One more branch, filled in a ``with`` block."""
        self._branches.append(Block())
        return self._enter(self._branches[-1])

    def to_json(self) -> dict[str, Any]:
        if not self._branches or not all(self._branches):
            raise DefinitionError(f"fork {self.ref!r} has {len(self._branches)} branches, one without a task or none at all; fill each")
        return {**super().to_json(), "forkTasks": [_with_end(block) for block in self._branches]}

    def _ends(self) -> list[str]:
        if self._join_on is not None:
            return self._join_on
        return [_with_end(block)[-1]["taskReferenceName"] for block in self._branches]


class DynamicFork(TaskNode):
    """Branches made at run time; the join after them is ``each.join`` and waits for all."""

    def __init__(self, ref: str, fields: Mapping[str, Any], input: Mapping[str, Any]) -> None:
        super().__init__("FORK_JOIN_DYNAMIC", ref, ref, fields, input)
        self.join = Join(f"{ref}_join", list)

    @property
    def output(self) -> Expr:
        """The join's output: the outputs of all branches, by their references."""
        return self.join.output


class Loop(TaskNode):
    """
    Tasks in turns: what is added in its ``with`` block is the body.

    Outside the loop a body task's reference means its last turn; earlier ones are in ``loop.output[turn][ref]``.
    """

    def __init__(self, ref: str, condition: str, fields: Mapping[str, Any], input: Mapping[str, Any], enter: Enter) -> None:
        super().__init__("DO_WHILE", ref, ref, {"loopCondition": condition, **fields}, input)
        self._body = Block()
        self._enter = enter
        self._entered: AbstractContextManager[None] | None = None

    @property
    def iteration(self) -> Expr:
        """The number of the turn, counted from 1."""
        return self.output.iteration

    @property
    def item(self) -> Expr:
        """The turn's item, in a loop over a list."""
        return self.output.loopItem

    @property
    def index(self) -> Expr:
        """The place of the turn's item, counted from 0."""
        return self.output.loopIndex

    def __enter__(self) -> Loop:
        if self._entered is not None:
            raise DefinitionError(f"the body of loop {self.ref!r} is filled twice")
        self._entered = self._enter(self._body)
        self._entered.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._entered is not None:
            self._entered.__exit__(kind, error, trace)

    def to_json(self) -> dict[str, Any]:
        if not self._body:
            raise DefinitionError(f"loop {self.ref!r} has no task; add some in its with block")
        for task in every(self._body):
            if "__" in task.ref:
                raise DefinitionError(f"task {task.ref!r} in loop {self.ref!r} has __ in its reference, where servers cut it to find its turn")
            if isinstance(task, Loop):
                raise DefinitionError(f"loop {task.ref!r} is inside loop {self.ref!r}; Conductor nests no loops: make the inner one a sub_workflow")
        return {**super().to_json(), "loopOver": tasks_json(self._body)}


def tasks_json(block: Block) -> list[dict[str, Any]]:
    """The tasks of a block as Conductor's JSON."""
    return [task.to_json() for task in block]


def every(block: Iterable[TaskNode]) -> Iterator[TaskNode]:
    """All tasks of a block and of the blocks within, each before what it holds."""
    for task in block:
        yield task
        for inner in _inner(task):
            yield from every(inner)


def ref_of(task: TaskNode | str) -> str:
    """The reference of a task given as such or by its reference."""
    return task if isinstance(task, str) else task.ref


@contextmanager
def entered(stack: list[Block], block: Block) -> Iterator[None]:
    """Within the ``with`` block, new tasks go into *block*."""
    block.was_entered = True
    stack.append(block)
    try:
        yield
    finally:
        if stack.pop() is not block:
            raise DefinitionError("with blocks of a workflow were left in another order than they were entered")


def _inner(task: TaskNode) -> list[Block]:
    match task:
        case Switch(_cases=cases, _default=default):
            return [*cases.values(), default or Block()]
        case Fork(_branches=branches):
            return branches
        case Loop(_body=body):
            return [body]
        case _:
            return []


def _with_end(block: Block) -> list[dict[str, Any]]:
    """
    A branch whose last task says when the branch is over.

    A SWITCH ends as soon as it has chosen, long before the tasks it chose: a join that waited for it would not wait for them.
    So a NOOP is set after it.
    """
    tasks = tasks_json(block)
    if isinstance(block[-1], Switch):
        tasks.append(TaskNode("NOOP", f"{block[-1].ref}_end", f"{block[-1].ref}_end").to_json())
    return tasks
