"""
Tally: what happens rarely enough to be counted where it happens, by labels that come with it.

What happens with every task or commit is counted in metrics.py instead, where it costs less. Bounded: combinations of labels beyond NAMES_MAX of a metric
are counted under `other`. The names are Conductor OSS's (conductor-rest-api.md §6.3). Everything happens on the event loop, so nothing is locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from batuta.engine.family import NAMES_MAX, OTHER, Family

# fmt: off
START_ERRORS = Family("workflow_start_error_total", "counter", "Starts that were refused; `other`: no such workflow is registered.", ("workflowName",))
UPDATE_CONFLICTS = Family("task_update_conflict_total", "counter", "Reports about tasks that had ended, or whose execution had; they change nothing.",
                          ("workflowName", "taskType", "taskStatus"))
POLL_ERRORS = Family("task_poll_error_total", "counter", "Polls that could not be answered.", ("taskType", "domain", "exception"))
RATE_LIMITED = Family("task_rate_limited", "gauge", "The rate limit that has held back a task since the server started.", ("taskType",))
CONCURRENCY_LIMITED = Family("task_concurrent_execution_limited", "gauge", "The concurrency limit that has held back a task since the server started.",
                             ("taskType",))
ARCHIVED = Family("workflow_archived_total", "counter", "Ended executions that were deleted: by age, or asked for with archiveWorkflow.",
                  ("workflowName", "workflowStatus"))
MESSAGES = Family("event_queue_messages_processed_total", "counter", "Messages that came in for event handlers.", ("queueType", "queueName"))
MESSAGES_HANDLED = Family("event_queue_messages_handled_total", "counter", "Messages that all handlers are done with.", ("queueType", "queueName"))
MESSAGES_FAILED = Family("event_queue_messages_error_total", "counter", "Messages set aside because something failed for good.", ("queueType", "queueName"))
ACTIONS = Family("event_execution_success_total", "counter", "Actions that event handlers have done.", ("event", "handler", "action"))
ACTIONS_FAILED = Family("event_execution_error_total", "counter", "Actions of event handlers that failed for good.",
                        ("event", "handler", "action", "exception"))
SCHEDULE_ERRORS = Family("schedulerExecutionError_total", "counter", "Ticks of schedules whose workflow could not be started.")
WEBHOOKS = Family("webhook_publish_success_total", "counter", "Changes of status that the webhook's receiver has taken.",
                  ("notificationType", "name", "status"))
WEBHOOKS_FAILED = Family("webhook_publish_failure_total", "counter", "Posts that the webhook's receiver did not take; each is tried again.",
                         ("notificationType", "name", "errorType"))
# fmt: on
TALLIED: Final = (
    START_ERRORS, UPDATE_CONFLICTS, POLL_ERRORS, RATE_LIMITED, CONCURRENCY_LIMITED, ARCHIVED, MESSAGES, MESSAGES_HANDLED, MESSAGES_FAILED, ACTIONS,
    ACTIONS_FAILED, SCHEDULE_ERRORS, WEBHOOKS, WEBHOOKS_FAILED,
)  # fmt: skip


class Tally:
    """All that one server has counted so."""

    def __init__(self) -> None:
        self._numbers: dict[Family, dict[tuple[str, ...], float]] = {family: {} for family in TALLIED}
        self._numbers[SCHEDULE_ERRORS][()] = 0

    def count(self, family: Family, *labels: str) -> None:
        """One more under these labels."""
        numbers = self._numbers[family]
        place = self._place(numbers, labels)
        numbers[place] = numbers.get(place, 0) + 1

    def note(self, family: Family, number: float, *labels: str) -> None:
        """This is the number under these labels now."""
        numbers = self._numbers[family]
        numbers[self._place(numbers, labels)] = number

    def counted(self, family: Family) -> dict[tuple[str, ...], float]:
        """The numbers of a metric by labels."""
        return dict(self._numbers[family])

    def text(self) -> Iterator[str]:
        """What was counted, in Prometheus' text format."""
        for family, numbers in self._numbers.items():
            yield from family.text(("", tuple(zip(family.labels, labels, strict=True)), number) for labels, number in sorted(numbers.items()))

    @staticmethod
    def _place(numbers: dict[tuple[str, ...], float], labels: tuple[str, ...]) -> tuple[str, ...]:
        return labels if labels in numbers or len(numbers) < NAMES_MAX else (OTHER,) * len(labels)
