"""
The compiler: from a checked flow to a Conductor workflow definition, and the input to start it with. Pure.

Where to look next: layout.py for what runs beside what, streams.py for whose items go on by themselves, tasks.py for the tasks of one node, compile.py for
the whole. What the tasks do when they run is in workers/.
"""

from batuta_flows.compiler.compile import LOST_AFTER_S, Compiled, compile_flow
from batuta_flows.compiler.names import COLLECT, PLAN, ref_of

__all__ = ["COLLECT", "LOST_AFTER_S", "PLAN", "Compiled", "compile_flow", "ref_of"]
