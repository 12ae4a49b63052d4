"""
The event loop of the commands that serve, and how threads take turns beside it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

# How long a thread that wants the interpreter waits before it takes it. With Python's own 5 ms the store's writer waits for the busy event loop after every
# group of commits: under load 650 three-step workflows a second instead of 930 (three runs each, same machine, same minute).
SWITCH_S: Final = 0.0005


def runner() -> asyncio.Runner:
    """What a command that serves runs its coroutine in."""
    sys.setswitchinterval(SWITCH_S)
    return asyncio.Runner(loop_factory=new_loop)


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where there is one: it takes a third off what a request costs."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
