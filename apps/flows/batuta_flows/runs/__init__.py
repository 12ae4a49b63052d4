"""
Runs: executions of flows, as people see them: nodes and items instead of tasks.

Where to look next: view.py for what a run looks like (items.py: also what is in executions below it), service.py for what can be done with it, history.py
for what is kept of it.
"""
