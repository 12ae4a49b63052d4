"""
Conductor's JSON and the structures behind it, both ways, and nothing else: no rules, no time, no I/O.

codec.py       text and values              shape.py      how a table of fields reads an object
metadata.py    definitions                  requests.py   what clients send
execution.py   executions and tasks shown   answers.py    everything small that is shown
"""
