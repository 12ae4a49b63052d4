"""
Places: an execution under a rate limit that has none waits; it is RUNNING, nothing in it is open, and nothing happens to it but its end.

Here: what the limit is counted by, and waiting (`hold`). Not here: who has a place and who is next (engine/places.py), the verbs that may be put off,
and going on with them (revival.py, `admit`).
What is put off: `start`, `retry`, `rerun` from a task, or `revived` children; a restart is a start once its tasks are gone.
Source: WorkflowDef.rateLimitConfig, which Conductor OSS stores and ignores (conductor-semantics.md §9); `rateLimited` on the wire is Orkes'.
"""

from __future__ import annotations

from batuta.core.decide import Outcome, conclude
from batuta.core.expr import javatext
from batuta.core.model.definition import Definition
from batuta.core.model.execution import Execution
from batuta.core.model.task import Json
from batuta.core.turn import Tools, Turn, View
from batuta.errors import Conflict


def key_of(x: Execution, definition: Definition, tools: Tools) -> str:
    """What the execution is counted by: kept from its start, else evaluated, and then `null` when there is nothing. Empty: the definition has no limit."""
    if definition.limit is None or x.head.rate_limit_key:
        return x.head.rate_limit_key if definition.limit is not None else ""
    return javatext.text(definition.limit.key.evaluate(View(x, tools))) or "null"


def hold(turn: Turn, later: Json) -> Outcome:
    """Put this off until there is a place."""
    head = turn.x.head
    head.held, head.queued_at = later, turn.now
    turn.x.touch_head()
    return conclude(turn)


def refuse_while_held(x: Execution) -> None:
    """Raise Conflict for what cannot be done to an execution that waits."""
    if x.head.held is not None:
        raise Conflict(f"Workflow {x.head.id} waits for a place under the rate limit {x.head.rate_limit_key!r}; it can be terminated, or looked at again later")
