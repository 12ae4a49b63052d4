"""
Providers: who does a node's work. One file an outside service, one folder for this machine.

Where to look next: protocol.py for what an adapter is. Which provider serves which type of node is data in catalogue/.
"""

from __future__ import annotations

from batuta_flows.providers.protocol import Adapter
from batuta_flows.settings import Settings


def adapters(settings: Settings) -> dict[str, Adapter]:
    """The adapters that are installed, by id; one that needs a key is there without it too, and refuses."""
    return {}
