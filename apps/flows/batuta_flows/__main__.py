"""
Backend and workers as a process of their own: `python -m batuta_flows`, with the settings of the environment. CONDUCTOR_URL has to be set; `batuta flows`
does the same, and brings an engine when it is not.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from batuta_flows.errors import FlowError
from batuta_flows.main import serve, share_heaps
from batuta_flows.settings import read_settings


def main() -> int:
    """The exit code: 0 after a stop in order, 1 when it cannot run."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    share_heaps()
    try:
        settings = read_settings()
        asyncio.run(serve(settings, lambda address: print(f"flow builder: {address}, orchestrator {settings.conductor_url}", flush=True)))
    except FlowError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
