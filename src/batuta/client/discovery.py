"""
Finding workers by name: ``package.module`` or ``package.module:attribute``.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any

from batuta.client.decorator import AnyWorker, Worker


def find_workers(*targets: str) -> list[AnyWorker]:
    """
    The workers each target names, in the order of their definition, none twice.

    A module gives all workers among its attributes; an attribute is a worker, an iterable of workers, or a function without
    parameters that returns either. The current directory is searched first, as `python -m` does.

    Raises:
        LookupError: a target does not exist, or names no worker; the message says what is there.
    """
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    found: dict[int, AnyWorker] = {}
    for target in targets:
        for one in _workers_of(target):
            found.setdefault(id(one), one)
    return list(found.values())


def _workers_of(target: str) -> list[AnyWorker]:
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(error.name + ".")):
            raise  # the module exists; something it imports does not
        raise LookupError(f"worker target {target!r}: no module {error.name!r}; expected 'package.module' or 'package.module:attribute'") from error
    if not attribute:
        workers = [value for value in vars(module).values() if isinstance(value, Worker)]
        if not workers:
            raise LookupError(f"worker target {target!r}: the module has no worker at its top level; decorate a function with @worker(…)")
        return workers
    if not hasattr(module, attribute):
        raise LookupError(f"worker target {target!r}: module {module_name!r} has no attribute {attribute!r}")
    return _as_workers(target, getattr(module, attribute))


def _as_workers(target: str, value: Any) -> list[AnyWorker]:
    if isinstance(value, Worker):
        return [value]
    if callable(value):
        return _as_workers(target, value())
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        workers = list(value)
        if workers and all(isinstance(one, Worker) for one in workers):
            return workers
    raise LookupError(f"worker target {target!r} is {type(value).__name__} {value!r:.100}; expected a worker or an iterable of workers")
