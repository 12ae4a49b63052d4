"""
Variables of an execution, changed from outside: by an event's action, or by a client, which may report a task in the same breath.

Here: what becomes of the variables. Not here: SET_VARIABLE, which changes them from within (nodes/set_variable.py).
Source: conductor-rest-api.md §3.10 (update_workflow_variables), which Conductor declares and does not carry out.
"""

from __future__ import annotations

import msgspec

from batuta.core.decide import Outcome, conclude, decide
from batuta.core.model.event import Reported
from batuta.core.model.execution import VARIABLES, Execution
from batuta.core.model.task import Json
from batuta.core.turn import Tools, Turn
from batuta.errors import Conflict, TooLarge


def update_variables(x: Execution, now: int, tools: Tools, given: Json, *, append: bool = False) -> Outcome:
    """
    Set these variables, each as a whole. *append*: one that is a list already gets the new value, or the members of a new list, at its end.

    Raises:
        Conflict: the execution has ended.
        TooLarge: all variables together would be larger than they may be.
    """
    head = x.head
    if head.status.is_terminal:
        raise Conflict(f"Workflow {head.id} has ended with status {head.status}; its variables do not change any more")
    turn = Turn(x, now, tools)
    given = turn.masked(given)
    variables = {**head.variables, **given}
    if append:
        for name, value in given.items():
            if isinstance(there := head.variables.get(name), list):
                variables[name] = [*there, *(value if isinstance(value, list) else [value])]
    size, most = len(msgspec.json.encode(variables)), tools.variables_bytes_max
    if size > most:
        raise TooLarge(f"The variables payload size: {size} of workflow: {head.id} is greater than the permissible limit: {most} bytes")
    head.variables = variables
    x.touch_head(VARIABLES)
    return conclude(turn)


def update_state(x: Execution, now: int, tools: Tools, variables: Json, report: Reported | None) -> Outcome:
    """
    Set these variables, then let the report be decided, which sees them: both or neither.

    Raises as `update_variables` does. Source: POST /workflow/{id}/state of Orkes.
    """
    outcome = update_variables(x, now, tools, variables)
    if report is not None:
        outcome = decide(x, report, now, tools)
        outcome.changed = True
    return outcome
