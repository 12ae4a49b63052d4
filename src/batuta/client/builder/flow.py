"""
A workflow being built: tasks are added in their order, and the definition is written at the end.

Here: the workflow's own fields, the block being filled, and the tasks that hold others. Not here: single tasks
(operators.py) and what the holding ones write (blocks.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Self

from batuta.client.builder.blocks import Block, DynamicFork, Fork, Loop, Switch, entered, tasks_json
from batuta.client.builder.check import check_references
from batuta.client.builder.expr import DefinitionError, Expr, plain, plain_map
from batuta.client.builder.node import TaskNode
from batuta.client.builder.operators import N, Operators
from batuta.client.builder.taskdef import OWNER_EMAIL


def workflow(
    name: str,
    *,
    version: int = 1,
    description: str | None = None,
    input: Sequence[str] | Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    timeout_s: int = 0,
    timeout_policy: Literal["TIME_OUT_WF", "ALERT_ONLY"] | None = None,
    failure_workflow: str | None = None,
    restartable: bool = True,
    owner_email: str = OWNER_EMAIL,
    **fields: Any,
) -> Flow:
    """
    A new workflow without tasks.

    Args:
        input: the names of its inputs, or names with default values; then `Flow.input` knows no others.
        variables: initial values of its variables.
        timeout_s: how long an execution may take, 0 for ever; *timeout_policy* TIME_OUT_WF then ends it, unless given.
        failure_workflow: the workflow to start when one of its executions fails.
        fields: further fields of Conductor's WorkflowDef, by their own names.

    Raises:
        DefinitionError: the name is empty or a number is out of its range.
    """
    if not name:
        raise DefinitionError("a workflow has no name")
    if version < 1:
        raise DefinitionError(f"workflow {name!r}: version is {version}; it must be at least 1")
    if timeout_s < 0:
        raise DefinitionError(f"workflow {name!r}: timeout_s is {timeout_s}; it cannot be negative")
    where = f"workflow {name!r}"
    head: dict[str, Any] = {
        "name": name,
        "description": description,
        "version": version,
        "schemaVersion": 2,
        "ownerEmail": owner_email,
        "inputParameters": list(input or ()),
        "inputTemplate": plain_map(input, where) if isinstance(input, Mapping) else None,
        "variables": plain_map(variables, where) if variables else None,
        "timeoutSeconds": timeout_s,
        "timeoutPolicy": timeout_policy or ("TIME_OUT_WF" if timeout_s else "ALERT_ONLY"),
        "failureWorkflow": failure_workflow,
        "restartable": restartable,
        **{field: plain(value, where) for field, value in fields.items()},
    }
    return Flow({field: value for field, value in head.items() if value is not None}, None if input is None else list(input))


class Flow(Operators):
    """
    A workflow being built; made by `workflow`.

    Its methods add tasks, one after another. Branches and loop bodies are filled in ``with`` blocks. `to_dict` is the
    definition, and refuses one with references that lead nowhere.
    """

    def __init__(self, head: Mapping[str, Any], inputs: list[str] | None) -> None:
        self.name: str = head["name"]
        self._head = dict(head)
        self._inputs = inputs
        self._tasks = Block()
        self._stack: list[Block] = [self._tasks]
        self._kinds: dict[str, str] = {}
        self._output: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<workflow {self.name!r}, {len(self._kinds)} tasks>"

    @property
    def input(self) -> Expr:
        """The execution's input."""
        return Expr("workflow.input")

    @property
    def variables(self) -> Expr:
        """The execution's variables, as set so far."""
        return Expr("workflow.variables")

    @property
    def secrets(self) -> Expr:
        """Secrets known to the server; they are filled in only where a task is handed out."""
        return Expr("workflow.secrets")

    @property
    def env(self) -> Expr:
        """Environment values known to the server."""
        return Expr("workflow.env")

    @property
    def execution_id(self) -> Expr:
        """The execution's id."""
        return Expr("workflow.workflowId")

    @property
    def correlation_id(self) -> Expr:
        """The execution's correlation id."""
        return Expr("workflow.correlationId")

    def add(self, node: N) -> N:
        """
        Put *node* at the end of the block being filled.

        Raises:
            DefinitionError: its reference is taken.
        """
        if (other := self._kinds.get(node.ref)) is not None:
            raise DefinitionError(
                f"workflow {self.name!r} has two tasks with the reference {node.ref!r}: {other} and {node.type} {node.name!r}; give one another ref"
            )
        self._kinds[node.ref] = f"{node.type} {node.name!r}"
        self._stack[-1].append(node)
        return node

    def switch(self, ref: str, /, on: Any = None, *, script: str | None = None, input: Mapping[str, Any] | None = None, **values: Any) -> Switch:
        """
        One of several branches: by the value *on*, or by what the JavaScript *script* makes of *values* in ``$``.

        Fill them with `Switch.case` and `Switch.default`.
        """
        if (on is None) == (script is None):
            raise DefinitionError(f"switch {ref!r} needs either a value to switch on or a script; found {'both' if script else 'neither'}")
        if script is not None:
            fields = {"evaluatorType": "javascript", "expression": script}
            return self.add(Switch(ref, fields, {**(input or {}), **values}, self._entering))
        fields = {"evaluatorType": "value-param", "expression": "switchOn"}
        return self.add(Switch(ref, fields, {**(input or {}), **values, "switchOn": on}, self._entering))

    def fork(self, ref: str, /, *, join_on: Iterable[TaskNode | str] | None = None) -> Fork:
        """Branches side by side, and the join after them. Fill them with `Fork.branch`."""
        fork = self.add(Fork(ref, self._entering, join_on))
        self.add(fork.join)
        return fork

    def dynamic_fork(
        self,
        ref: str,
        /,
        *,
        over: Any = None,
        task: str | Expr | None = None,
        workflow: str | Expr | None = None,
        tasks: Any = None,
        inputs: Any = None,
    ) -> DynamicFork:
        """
        Branches made at run time, and the join after them: one *task* or *workflow* for each element of *over*, which becomes
        its input; or the list of *tasks* (Conductor's WorkflowTask) with the map of their *inputs* by reference.
        """
        given = tuple(value is not None for value in (over, task, workflow, tasks, inputs))
        if given == (True, True, False, False, False):
            fork = DynamicFork(ref, {}, {"forkTaskName": task, "forkTaskInputs": over})
        elif given == (True, False, True, False, False):
            fork = DynamicFork(ref, {}, {"forkTaskWorkflow": workflow, "forkTaskInputs": over})
        elif given == (False, False, False, True, True):
            fields = {"dynamicForkTasksParam": "dynamicTasks", "dynamicForkTasksInputParamName": "dynamicTasksInput"}
            fork = DynamicFork(ref, fields, {"dynamicTasks": tasks, "dynamicTasksInput": inputs})
        else:
            raise DefinitionError(f"dynamic fork {ref!r}: give over= and task=, over= and workflow=, or tasks= and inputs=")
        self.add(fork)
        self.add(fork.join)
        return fork

    def do_while(
        self, ref: str, condition: str, /, *, keep_last: int | None = None, input: Mapping[str, Any] | None = None, **values: Any
    ) -> Loop:
        """
        A loop that goes on while the JavaScript *condition* is true, tested after each turn.

        In it, ``$.REF`` is the latest output of the body's task REF, ``$.NAME`` one of *values*, and the loop's own reference
        has ``iteration``. With *keep_last*, only the outputs of that many turns are kept.
        """
        if not condition.strip():
            raise DefinitionError(f"loop {ref!r} has no condition")
        values = {**(input or {}), **values, **({} if keep_last is None else {"keepLastN": keep_last})}
        return self.add(Loop(ref, condition, {}, values, self._entering))

    def repeat(self, ref: str, times: int | Expr, /, *, keep_last: int | None = None) -> Loop:
        """A loop of that many turns; of one, when the number is less."""
        return self.do_while(ref, f"$['{ref}']['iteration'] < $.times", keep_last=keep_last, times=times)

    def for_each(self, ref: str, items: Any, /, *, keep_last: int | None = None) -> Loop:
        """A loop with one turn for each of *items*, one after another; the turn's item is ``loop.item``."""
        values = {} if keep_last is None else {"keepLastN": keep_last}
        items = plain(items, f"items of loop {ref!r}")
        # `items` in the task's fields must be an expression; a list given here travels in the input.
        fields, values = ({"items": items}, values) if isinstance(items, str) else ({}, {**values, "_items": items})
        return self.add(Loop(ref, "true", fields, values, self._entering))

    def output(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> Self:
        """Add to the workflow's output; without any, the output of its last task is taken."""
        self._output |= plain_map({**(values or {}), **more}, f"output of workflow {self.name!r}")
        return self

    def to_dict(self) -> dict[str, Any]:
        """
        The definition as plain JSON, new at each call.

        Raises:
            DefinitionError: a workflow, branch or loop without tasks, or a reference that leads nowhere.
        """
        if not self._tasks:
            raise DefinitionError(f"workflow {self.name!r} has no task")
        definition = {**self._head, "tasks": tasks_json(self._tasks), "outputParameters": dict(self._output)}
        try:
            check_references(definition, self._inputs)
        except DefinitionError as error:
            raise DefinitionError(f"workflow {self.name!r}: {error}") from None
        return definition

    def _entering(self, block: Block) -> AbstractContextManager[None]:
        return entered(self._stack, block)


