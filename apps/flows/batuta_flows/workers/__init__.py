"""
What the tasks of a flow do when they run.

Where to look next: items.py for lists into items and back, inputs.py for what a node is given.
"""
