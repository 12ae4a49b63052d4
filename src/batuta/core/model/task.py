"""
Task: one attempt at one node of a definition. The row that is stored, and nothing else.

Not here: what a status may become (status.py), how a task moves (decide.py, lifecycle.py), Conductor's JSON (wire/).
Instants are epoch milliseconds, 0 when unset. Payloads are parsed JSON that nobody changes in place: replace, never mutate.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from batuta.core.model.status import TaskStatus

Json = dict[str, Any]
PAYLOAD_BYTES_MAX: Final = 10 * 1024 * 1024  # of any one payload, as JSON text; Conductor's max…PayloadSizeThreshold


class Task(msgspec.Struct, omit_defaults=True):
    """
    One attempt. `n` numbers the rows of an execution for ever (never reused); `seq` is Conductor's order, 0 for a skipped task.

    `input` and `output` are stored beside the rest of the row and written only when they changed (see execution.Changes).
    """

    id: str
    n: int
    ref: str  # with the loop suffix: `body__2`
    type: str  # what Conductor calls taskType: the queue of a worker task, the type of a system task
    def_name: str
    status: TaskStatus
    seq: int = 0
    base_ref: str = ""  # the reference as the definition writes it; empty when equal to ref
    attempt: int = 0
    iteration: int = 0
    retry_of: str = ""
    retried: bool = False
    told: str = ""  # the last of its states that was published (state_changes.py)
    tellings: int = 0  # how many messages about its states there were
    cached: bool = False  # completed with the output of another
    executed: bool = False  # the decider has taken its end into account
    queue: str = ""  # claimable under this name while SCHEDULED; empty: claimable by nobody
    domain: str = ""
    priority: int = 0
    due_at: int = 0  # claimable from this instant on
    scheduled_at: int = 0
    first_scheduled_at: int = 0
    started_at: int = 0
    updated_at: int = 0
    ended_at: int = 0
    wait_until: int = 0  # a timed WAIT ends here
    poll_count: int = 0
    callback_after_s: int = 0
    start_delay_s: int = 0
    response_timeout_s: int = 0
    worker: str = ""
    reason: str | None = None
    sub_execution_id: str = ""
    node: Json | None = None  # the workflow task itself where the definition does not hold it (dynamic fork branches)
    fork: str = ""  # the dynamic fork that made this branch
    machine: Json | None = None  # the node type's own small state
    external_input: str = ""
    external_output: str = ""
    input: Json = {}
    output: Json = {}
