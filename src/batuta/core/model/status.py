"""
The states of workflows and tasks, and which may follow which.

Here: the two enums with Conductor's flags, and the transition tables that the property tests hold the decider to.
Not here: what causes a transition (decide.py, ending.py, lifecycle.py, revival.py, deadlines.py).
Source: conductor-semantics.md §0.
"""

from __future__ import annotations

import enum


class WorkflowStatus(enum.StrEnum):
    """State of one execution."""

    is_terminal: bool
    is_successful: bool

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    TERMINATED = "TERMINATED"


class TaskStatus(enum.StrEnum):
    """State of one attempt at a node; `may_retry` says whether a failed attempt may be followed by another."""

    is_terminal: bool
    is_successful: bool
    may_retry: bool

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    FAILED_WITH_TERMINAL_ERROR = "FAILED_WITH_TERMINAL_ERROR"
    CANCELED = "CANCELED"


# Plain attributes on the members, so that asking costs an attribute and no call.
for _workflow, _terminal, _successful in (
    ("RUNNING", False, False),
    ("PAUSED", False, True),
    ("COMPLETED", True, True),
    ("FAILED", True, False),
    ("TIMED_OUT", True, False),
    ("TERMINATED", True, False),
):
    WorkflowStatus[_workflow].is_terminal = _terminal
    WorkflowStatus[_workflow].is_successful = _successful

for _task, _terminal, _successful, _may_retry in (
    ("SCHEDULED", False, True, True),
    ("IN_PROGRESS", False, True, True),
    ("COMPLETED", True, True, True),
    ("COMPLETED_WITH_ERRORS", True, True, True),
    ("SKIPPED", True, True, False),
    ("FAILED", True, False, True),
    ("TIMED_OUT", True, False, True),
    ("FAILED_WITH_TERMINAL_ERROR", True, False, False),
    ("CANCELED", True, False, False),
):
    TaskStatus[_task].is_terminal = _terminal
    TaskStatus[_task].is_successful = _successful
    TaskStatus[_task].may_retry = _may_retry

_W, _T = WorkflowStatus, TaskStatus
_ENDS = frozenset({_T.COMPLETED, _T.FAILED, _T.FAILED_WITH_TERMINAL_ERROR, _T.CANCELED, _T.TIMED_OUT})

# What a row may begin as: most wait for somebody or start at once; FORK, SWITCH and DECISION have done their work when they appear.
TASK_FIRST = frozenset({_T.SCHEDULED, _T.IN_PROGRESS, _T.COMPLETED, _T.FAILED, _T.FAILED_WITH_TERMINAL_ERROR})
# By events alone (decide.py): what a row may become.
WORKFLOW_BY_EVENT: dict[WorkflowStatus, frozenset[WorkflowStatus]] = {
    _W.RUNNING: frozenset({_W.COMPLETED, _W.FAILED, _W.TIMED_OUT, _W.TERMINATED}),
    _W.PAUSED: frozenset({_W.TIMED_OUT}),
    _W.COMPLETED: frozenset(),
    _W.FAILED: frozenset(),
    _W.TIMED_OUT: frozenset(),
    _W.TERMINATED: frozenset(),
}
TASK_BY_EVENT: dict[TaskStatus, frozenset[TaskStatus]] = {
    _T.SCHEDULED: _ENDS | {_T.IN_PROGRESS, _T.COMPLETED_WITH_ERRORS},
    _T.IN_PROGRESS: _ENDS | {_T.SCHEDULED, _T.COMPLETED_WITH_ERRORS},
    # The decider tolerates the last failure of an optional task.
    _T.FAILED: frozenset({_T.COMPLETED_WITH_ERRORS}),
    _T.FAILED_WITH_TERMINAL_ERROR: frozenset({_T.COMPLETED_WITH_ERRORS}),
    _T.TIMED_OUT: frozenset({_T.COMPLETED_WITH_ERRORS}),
    _T.CANCELED: frozenset({_T.COMPLETED_WITH_ERRORS}),
    _T.COMPLETED: frozenset(),
    _T.COMPLETED_WITH_ERRORS: frozenset(),
    _T.SKIPPED: frozenset(),
}
# By the operator besides (lifecycle.py, revival.py).
WORKFLOW_BY_OPERATOR: dict[WorkflowStatus, frozenset[WorkflowStatus]] = {
    _W.RUNNING: frozenset({_W.PAUSED, _W.TERMINATED}),
    _W.PAUSED: frozenset({_W.RUNNING, _W.TERMINATED}),
    _W.COMPLETED: frozenset({_W.RUNNING}),
    _W.FAILED: frozenset({_W.RUNNING, _W.TERMINATED}),
    _W.TIMED_OUT: frozenset({_W.RUNNING, _W.TERMINATED}),
    _W.TERMINATED: frozenset({_W.RUNNING}),
}
_AGAIN = frozenset({_T.SCHEDULED, _T.IN_PROGRESS})
TASK_BY_OPERATOR: dict[TaskStatus, frozenset[TaskStatus]] = {
    # Stepped over by a jump.
    _T.SCHEDULED: frozenset({_T.SKIPPED}),
    _T.IN_PROGRESS: frozenset({_T.SKIPPED}),
    # Retried, rerun or revived in place: joins, loops, sub-workflows, what was cancelled beside them, the task rerun from.
    **dict.fromkeys((_T.COMPLETED, _T.COMPLETED_WITH_ERRORS, _T.FAILED, _T.FAILED_WITH_TERMINAL_ERROR, _T.TIMED_OUT, _T.CANCELED), _AGAIN),
    _T.SKIPPED: frozenset(),
}
