"""
The document: what a flow is, how it is read and written, and whether it makes sense. Pure: no clock, no network, no disk.

Where to look next: flow.py for the structures, original.py for the original's files, shape.py for what is a list, check.py for problems.
"""
