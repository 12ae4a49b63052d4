"""
A simulated world for the decider and the engine: random small definitions, random events, faults; rules checked after every step.

plans.py        random definitions over all node types, and scripts answered by a table
rules.py        what must hold of one execution and of a family of executions, whatever has happened
family.py       a family of executions with its messages under way and its rows as stored: the decider without an engine
steps.py        what may happen to a family, one step each
core_run.py     a schedule over a family, from a seed
loop.py         an event loop whose time stands still while there is work, and a script executor that runs at once
engine_run.py   a schedule over engine and memory store, with crashes and faults, from a seed
campaign.py     many seeds, shrinking a failing one, the report

A schedule depends on its seed and on nothing else: no wall clock, no thread, no hash order.
"""
