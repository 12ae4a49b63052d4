"""
Masking: values that a definition's `maskedFields` names are shown as `***`, wherever in a payload they stand.

Every view of the API passes payloads through `masked`; what a worker is handed does not. What is stored, and what expressions read, is the value itself.
Source: WorkflowDef.maskedFields, which Conductor OSS stores and ignores; the stars are Orkes'.
"""

from __future__ import annotations

from typing import Any, Final

MASK: Final = "***"


def masked(value: Any, names: frozenset[str]) -> Any:
    """The value with every member of one of these names replaced; the value itself when there are no names. What is nested too deep is masked whole."""
    if not names:
        return value
    try:
        return _masked(value, names)
    except RecursionError:
        return MASK


def _masked(value: Any, names: frozenset[str]) -> Any:
    match value:
        case dict():
            return {key: MASK if key in names else _masked(member, names) for key, member in value.items()}
        case list():
            return [_masked(member, names) for member in value]
    return value
