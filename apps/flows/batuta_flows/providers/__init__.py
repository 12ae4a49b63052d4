"""
Providers: who does a node's work. One file an outside service, one folder for this machine.

Where to look next: protocol.py for what an adapter is. Which provider serves which type of node is data in catalogue/.
"""
