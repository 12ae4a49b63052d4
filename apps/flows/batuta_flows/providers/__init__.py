"""
Providers: who does a node's work. One file an outside service, one folder for this machine.

Where to look next: protocol.py for what an adapter is. Which provider serves which type of node is data in catalogue/.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from batuta_flows.assets.fetch import Fetcher
from batuta_flows.assets.store import AssetStore
from batuta_flows.providers.discreet import Discreet
from batuta_flows.providers.fal import FalAdapter
from batuta_flows.providers.local.adapter import LocalAdapter
from batuta_flows.providers.openai import OpenAiAdapter
from batuta_flows.providers.protocol import Adapter
from batuta_flows.providers.service import ServiceAdapter
from batuta_flows.settings import Settings

log = logging.getLogger("batuta.flows")


def adapters(settings: Settings, assets: AssetStore, link: Callable[[Any], Any]) -> dict[str, Adapter]:
    """The adapters of the providers that are configured, by id. *link*: turns addresses of assets into URLs."""
    fetcher = Fetcher(assets, private=settings.fetch_private)
    made: dict[str, Adapter] = {"local": LocalAdapter(fetcher)}
    if settings.fal_key:
        fal = FalAdapter(settings.fal_key, _of(settings.fal_queue_url, fetcher, assets), queue_url=settings.fal_queue_url)
        made["fal"] = Discreet(fal, settings.fal_key)
    if settings.openai_api_key or settings.openai_base_url:
        try:
            openai = OpenAiAdapter(settings.openai_api_key, _of(settings.openai_base_url, fetcher, assets), base_url=settings.openai_base_url)
            made["openai"] = Discreet(openai, settings.openai_api_key)
        except ImportError:
            log.warning("OpenAI is configured, and its client is not installed: pip install 'batuta[flows,openai]'")
    if settings.content_service_url:
        made["service"] = ServiceAdapter(settings.content_service_url, _of(settings.content_service_url, fetcher, assets), link)
    return made


def _of(url: str, fetcher: Fetcher, assets: AssetStore) -> Fetcher:
    """Who fetches the results of a service: one that the operator has put on this machine gives addresses of this machine."""
    return Fetcher(assets, private=True) if urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1") else fetcher
