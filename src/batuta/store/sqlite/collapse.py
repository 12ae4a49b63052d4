"""
Collapse: several commits of one execution, in one group, become one.

A claim that rides with the report that follows it, a start with the first step: only the last version of each row has to be written, under
the guard of the first commit. Where a fifth of a group collapses the group is that much cheaper; where nothing does, it costs 0.2 µs a commit.
If the collapsed group is refused, its commits are written one by one as they came (writer.py), so that only the guilty fail.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from batuta.store.protocol import Commit, HeadRow, TaskRow
from batuta.store.sqlite.batch import Unit


def collapsed(units: Iterable[Unit]) -> list[Unit]:
    """The same changes, with the rows of commits that follow from each other in the first of them. Letters and log lines keep their places."""
    out: list[Unit] = []
    places: dict[str, int] = {}  # where in `out` the rows of an execution's last commit stand
    for unit in units:
        if not isinstance(unit, Commit) or unit.head is None or unit.removed:
            if isinstance(unit, Commit) and unit.removed:
                places.pop(unit.execution_id, None)
            out.append(unit)
            continue
        place = places.get(unit.execution_id)
        if place is not None:
            earlier = out[place]
            assert isinstance(earlier, Commit) and earlier.head is not None
            if earlier.head.revision == unit.expected and earlier.head.definition_hash == unit.head.definition_hash:
                out[place] = _merged(earlier, earlier.head, unit, unit.head)
                if unit.outbox or unit.delivered or unit.logs:
                    out.append(Commit(unit.execution_id, unit.expected, outbox=unit.outbox, delivered=unit.delivered, logs=unit.logs))
                continue
        places[unit.execution_id] = len(out)
        out.append(unit)
    return out


def _merged(first: Commit, first_head: HeadRow, then: Commit, then_head: HeadRow) -> Commit:
    """The first commit, with its rows as both leave them."""
    tasks = {row.n: row for row in first.tasks}
    for n in then.gone:
        tasks.pop(n, None)
    for row in then.tasks:
        tasks[row.n] = _newer_task(tasks.get(row.n), row)
    return replace(
        first,
        head=_newer_head(first_head, then_head),
        tasks=list(tasks.values()),
        gone=[*first.gone, *then.gone],
        pushed=[*first.pushed, *then.pushed],
        taken=max(first.taken, then.taken),
    )


def _newer_task(old: TaskRow | None, new: TaskRow) -> TaskRow:
    """The new row, with the payloads it leaves as they are taken from the old one."""
    if old is None or ((new.input is not None or old.input is None) and (new.output is not None or old.output is None)):
        return new
    return replace(new, input=old.input if new.input is None else new.input, output=old.output if new.output is None else new.output)


def _newer_head(old: HeadRow, new: HeadRow) -> HeadRow:
    return replace(
        new,
        input=old.input if new.input is None else new.input,
        output=old.output if new.output is None else new.output,
        variables=old.variables if new.variables is None else new.variables,
    )
