"""
The node types: one file each, and this table of which file speaks for which type.

A node file may have these functions, all pure:
    open(turn, node, suffix) -> list[Task]   the rows that come into being when the flow reaches the node, in order
    run(turn, task)                          act at once on a row just made (INLINE, SET_VARIABLE …)
    look(turn, task)                         a waiting row whose condition may have come true (JOIN, DO_WHILE …)
    begin(turn, task)                        a row that was scheduled and starts by itself (SUB_WORKFLOW …)
    cancel(turn, task, reason)               what else ends when the row is cancelled

Whoever adds a node type writes one such file, one line here, one table of tests, one golden run, one page of docs.
"""

from __future__ import annotations

from batuta.core.nodes import (
    decision,
    do_while,
    dynamic,
    event,
    exclusive_join,
    fork_join,
    fork_join_dynamic,
    http,
    human,
    inline,
    join,
    jq,
    noop,
    pull_workflow_messages,
    script_lambda,
    set_variable,
    simple,
    start_workflow,
    sub_workflow,
    switch,
    terminate,
    wait,
)
from batuta.core.table import BEGINS, BY_TYPE, RUNS, fill, speaker

__all__ = ["BEGINS", "BY_TYPE", "RUNS", "speaker"]

fill(
    {
        "SIMPLE": simple,
        "SWITCH": switch,
        "DECISION": decision,
        "FORK_JOIN": fork_join,
        "FORK_JOIN_DYNAMIC": fork_join_dynamic,
        "JOIN": join,
        "EXCLUSIVE_JOIN": exclusive_join,
        "DO_WHILE": do_while,
        "DYNAMIC": dynamic,
        "SUB_WORKFLOW": sub_workflow,
        "START_WORKFLOW": start_workflow,
        "TERMINATE": terminate,
        "SET_VARIABLE": set_variable,
        "INLINE": inline,
        "LAMBDA": script_lambda,
        "JSON_JQ_TRANSFORM": jq,
        "WAIT": wait,
        "HUMAN": human,
        "NOOP": noop,
        "EVENT": event,
        "PULL_WORKFLOW_MESSAGES": pull_workflow_messages,
        "HTTP": http,
    }
)
