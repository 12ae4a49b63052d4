"""
Providers: who does a node's work. One file an outside service, one folder for this machine.

Where to look next: protocol.py for what an adapter is. Which provider serves which type of node is data in catalogue/.
"""

from __future__ import annotations

from batuta_flows.assets.fetch import Fetcher
from batuta_flows.assets.store import AssetStore
from batuta_flows.providers.local.adapter import LocalAdapter
from batuta_flows.providers.protocol import Adapter
from batuta_flows.settings import Settings


def adapters(settings: Settings, assets: AssetStore) -> dict[str, Adapter]:
    """The adapters there are, by id; those whose key is not set are left out."""
    fetcher = Fetcher(assets, private=settings.fetch_private)
    local = LocalAdapter(fetcher)
    return {local.id: local}
