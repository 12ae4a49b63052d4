"""JSONPath: `parse` a path once, `Path.find` what it leads to many times. What it understands stands in path.py."""

from batuta.core.expr.jsonpath.path import Path, Plain, parse, walk

__all__ = ["Path", "Plain", "parse", "walk"]
