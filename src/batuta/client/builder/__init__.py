"""
Workflows in code: Python calls that yield the plain JSON definition a Conductor server takes.

Here: the names meant for use. Where to look next: flow.py for the workflow itself, operators.py for the tasks without
branches, blocks.py for those with, expr.py for references, check.py for what is found wrong, taskdef.py for task definitions.
Nothing here speaks to a server; `client.register_workflow(flow)` does.
"""

from batuta.client.builder.blocks import DynamicFork, Fork, Join, Loop, Switch
from batuta.client.builder.expr import DefinitionError, Expr
from batuta.client.builder.flow import Flow, workflow
from batuta.client.builder.node import TaskNode
from batuta.client.builder.taskdef import task_def

__all__ = ["DefinitionError", "DynamicFork", "Expr", "Flow", "Fork", "Join", "Loop", "Switch", "TaskNode", "task_def", "workflow"]
